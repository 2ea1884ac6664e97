import { describe, expect, it } from 'vitest';
import { text } from '../base/text.ts';
import { reasonText } from './reason-words.ts';

describe('reasons in Korean', () => {
  it('reads a sentence, its numbers, and what stands around it', () => {
    expect(reasonText('its weight is no constant')).toEqual({
      en: 'its weight is no constant',
      ko: '가중치가 상수가 아닙니다',
    });
    expect(reasonText('its weight is int8').ko).toBe('가중치가 int8입니다');
    expect(reasonText('the output y would be [1, 3] instead of [1, 4]').ko).toBe(
      '출력 y이(가) [1, 4] 대신 [1, 3]이(가) 됩니다',
    );
    expect(reasonText('graph output (scores)').ko).toBe('그래프의 출력 (scores)');
    expect(reasonText('Loop body: channels do not cross into the body of a control operator (n3)').ko).toBe(
      'Loop body: 채널은 제어 연산자의 본문으로 이어지지 않습니다 (n3)',
    );
    expect(reasonText('frozen: no gradient rule yet').ko).toBe('고정됨: 아직 기울기 규칙이 없습니다');
  });

  it('leaves what it does not know, and what speaks both languages already', () => {
    expect(reasonText('a reason of tomorrow').ko).toBe('a reason of tomorrow');
    expect(reasonText(text('a', '가'))).toEqual({ en: 'a', ko: '가' });
  });
});
