/** Owns what is said of an estimate, in both languages: why a unit refuses a layer. */
import { type Text, text } from '../base/text.ts';
import type { Refusal } from './roofline.ts';

/** Why `unit` (its name) does not take a layer. */
export function refusalWords(refusal: Refusal, unit: string): Text {
  switch (refusal.kind) {
    case 'operator':
      return text(`${unit} does not run ${refusal.op}`, `${unit}에서 ${refusal.op} 연산을 실행할 수 없음`);
    case 'type':
      return text(`${unit} does not compute in ${refusal.type}`, `${unit}에서 ${refusal.type} 계산을 할 수 없음`);
    case 'unknown':
      switch (refusal.what) {
        case 'work':
          return text('its work is unknown', '작업량을 알 수 없음');
        case 'utilisation':
          return text(`how fast ${unit} is at this is unknown`, `${unit}의 이 연산 속도를 알 수 없음`);
        case 'bandwidth':
          return text('the memory bandwidth is unknown', '메모리 대역폭을 알 수 없음');
      }
  }
}
