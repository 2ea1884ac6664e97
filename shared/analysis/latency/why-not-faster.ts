/** Owns why a smaller model is estimated to be no faster: read off the kernels that both would run, before anything does. */
import { type Text, text } from '../../base/text.ts';
import type { LatencyEstimate, LayerLatency } from './estimate-latency.ts';

export type WhyNotFaster = 'int8' | 'layout' | 'decoded' | 'reorders' | 'same kernels';

export const whyNotFasterWords: Readonly<Record<WhyNotFaster, Text>> = {
  int8: text(
    'This computer multiplies 8 bits no faster than floats: its 8-bit kernels take as long.',
    '이 컴퓨터는 8비트 곱셈이 부동소수점보다 빠르지 않아 8비트 커널의 시간이 줄지 않습니다.',
  ),
  layout: text(
    'Numbers of channels that do not fill the blocks of the runtime’s fast layout leave convolutions to slower kernels.',
    '채널 수가 런타임의 빠른 블록 배치에 맞지 않아 합성곱이 더 느린 커널로 실행됩니다.',
  ),
  decoded: text('Weights are decoded anew in every run.', '실행할 때마다 가중치를 다시 풀어냅니다.'),
  reorders: text(
    'Data changes its layout more often between kernels.',
    '커널 사이에서 데이터 배치를 바꾸는 일이 늘었습니다.',
  ),
  'same kernels': text(
    'The same kernels run on the same sizes: zeros are multiplied like any number, and stored forms are unpacked when the model loads.',
    '같은 크기에서 같은 커널이 실행됩니다. 0도 다른 값처럼 곱하고, 압축 저장된 가중치는 모델을 읽을 때 풀립니다.',
  ),
};

/** Less than this share of the time is gained: nobody would measure it. */
const gain = 0.03;
/** A cause is told where it is at least this share of the time. */
const share = 0.05;

const isInt8 = (l: LayerLatency): boolean => l.form !== null && /(?:^|\s)int8 /.test(l.form);
const isConv = (l: LayerLatency): boolean => /conv|pointwise|depthwise|grouped|plane/.test(l.form ?? '');
const sum = (layers: readonly LayerLatency[]): number => layers.reduce((ms, l) => ms + (l.ms ?? 0), 0);

/** Empty where `after` is faster, or where one of the times is unknown. */
export function whyNotFaster(before: LatencyEstimate, after: LatencyEstimate): readonly WhyNotFaster[] {
  if (before.ms === null || after.ms === null || after.ms < (1 - gain) * before.ms) return [];
  const was = new Map(before.layers.map((l) => [l.id, l]));
  const old = (layers: readonly LayerLatency[]): readonly LayerLatency[] => layers.flatMap((l) => was.get(l.id) ?? []);
  const whole = after.ms;
  const out: WhyNotFaster[] = [];
  const int8 = after.layers.filter((l) => isInt8(l) && was.has(l.id));
  const floats = old(int8).filter((l) => !isInt8(l));
  if (floats.length > 0 && sum(int8) >= share * whole && sum(int8) >= (1 - gain) * sum(floats)) out.push('int8');
  const left = after.layers.filter(
    (l) => isConv(l) && l.form?.startsWith('plain') === true && was.get(l.id)?.form?.startsWith('blocked') === true,
  );
  if (sum(left) >= share * whole) out.push('layout');
  if (after.decodeMs - before.decodeMs >= share * whole) out.push('decoded');
  if (after.reorderMs - before.reorderMs >= share * whole) out.push('reorders');
  const forms = (e: LatencyEstimate): string => e.layers.flatMap((l) => l.form ?? []).join('\n');
  if (out.length === 0 && forms(before) === forms(after)) out.push('same kernels');
  return out;
}
