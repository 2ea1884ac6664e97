/** Owns ShuffleNet v1 (with 1 to 8 groups) and v2. */
import { text } from '../../base/text.ts';
import { shuffleUnitV1, shuffleUnitV2 } from '../blocks/shuffle.ts';
import type { ZooEntry } from '../declare.ts';
import type { Tap } from '../write-net.ts';

/** Output channels of the first stage by number of groups, doubled with each stage (Zhang et al. 2018, table 1). */
const v1First = { 1: 144, 2: 200, 3: 240, 4: 272, 8: 384 } as const;
const units = [4, 8, 4] as const;

const picture = { input: [3, 224, 224], classes: 1000, scales: true } as const;

const v1 = (groups: keyof typeof v1First): ZooEntry => ({
  id: `shufflenet-v1-g${groups}`,
  title: text(`ShuffleNet v1, ${groups} groups`, `ShuffleNet v1, ${groups}그룹`),
  summary: text(
    'Grouped 1 x 1 convolutions with a channel shuffle between them.',
    '그룹 1 x 1 합성곱 사이에서 채널을 섞습니다.',
  ),
  source: "Zhang, Zhou, Lin, Sun 2018, as in the authors' code",
  ...picture,
  write: (net, input, o, w) => {
    const stem = net.convNorm(input, 'stem', w(24, groups), 3, { stride: 2 });
    let x: Tap = net.maxPool(stem, 'stem.pool', 3, { stride: 2, pad: 1 });
    units.forEach((count, s) => {
      // Every branch, the input taken off where it is concatenated, must divide by the groups, and a quarter of it too.
      const channels = w(v1First[groups] * 2 ** s, 4 * groups);
      for (let k = 1; k <= count; k++)
        x = shuffleUnitV1(net, x, `stage${s + 2}.unit${k}`, channels, {
          groups,
          stride: k === 1 ? 2 : 1,
          ...(s === 0 && k === 1 ? { firstGroups: 1 } : {}),
        });
    });
    return net.dense(net.flatten(net.globalPool(x, 'pool'), 'flat'), 'scores', o.classes);
  },
});

/** Stage channels by the published multipliers (Ma et al. 2018, table 5); others scale those of 1.0. */
const v2Stages: Readonly<Record<string, readonly [number, number, number, number]>> = {
  '0.5': [48, 96, 192, 1024],
  '1': [116, 232, 464, 1024],
  '1.5': [176, 352, 704, 1024],
  '2': [244, 488, 976, 2048],
};

const v2: ZooEntry = {
  id: 'shufflenet-v2',
  title: text('ShuffleNet v2', 'ShuffleNet v2'),
  summary: text(
    'Half of the channels pass by, half are worked on, then both are shuffled.',
    '채널 절반은 그대로 지나가고 절반만 계산한 뒤 섞습니다.',
  ),
  source: 'Ma, Zhang, Zheng, Sun 2018, as in torchvision',
  ...picture,
  write: (net, input, o, w) => {
    const stages = v2Stages[String(o.width)] ?? [w(116, 2), w(232, 2), w(464, 2), Math.max(1024, w(1024))];
    const stem = net.convNorm(input, 'stem', 24, 3, { stride: 2 });
    let x: Tap = net.maxPool(stem, 'stem.pool', 3, { stride: 2, pad: 1 });
    units.forEach((count, s) => {
      for (let k = 1; k <= count; k++)
        x = shuffleUnitV2(net, x, `stage${s + 2}.unit${k}`, stages[s] ?? 0, k === 1 ? 2 : 1);
    });
    const last = net.convNorm(x, 'last', stages[3], 1);
    return net.dense(net.flatten(net.globalPool(last, 'pool'), 'flat'), 'scores', o.classes);
  },
};

export const shufflenetEntries: readonly ZooEntry[] = [v1(1), v1(2), v1(3), v1(4), v1(8), v2];
