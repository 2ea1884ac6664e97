/** Owns MobileNet v1 and v2, MnasNet (torchvision's 1.0 and the published A1 with squeeze-and-excitation). */
import { text } from '../../base/text.ts';
import { depthwiseSeparable, invertedResidual } from '../blocks/separable.ts';
import { scaledBy8, type ZooEntry } from '../declare.ts';
import type { NetWriter, Tap } from '../write-net.ts';

/** Output channels of the 13 separable blocks, and where the stride of 2 stands (Howard et al. 2017, table 1). */
const v1Channels = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024] as const;
const v1Strided: readonly number[] = [1, 3, 5, 11];

/** MobileNet v1 with these channels: the stem's, then those of each block. AMC's nets are written with it, too. */
export function mobilenetV1(net: NetWriter, input: Tap, channels: readonly number[], classes: number): Tap {
  let x = net.convNorm(input, 'stem', channels[0] ?? 32, 3, { stride: 2 });
  channels.slice(1).forEach((c, i) => {
    x = depthwiseSeparable(net, x, `block${i + 1}`, c, v1Strided.includes(i) ? 2 : 1);
  });
  return head(net, x, classes);
}

const head = (net: NetWriter, x: Tap, classes: number): Tap =>
  net.dense(net.flatten(net.globalPool(x, 'pool'), 'flat'), 'scores', classes);

interface Stage {
  readonly channels: number;
  readonly count: number;
  readonly stride: number;
  readonly expansion: number;
  readonly kernel?: number;
  readonly excite?: number;
}

function invertedStages(
  net: NetWriter,
  input: Tap,
  stages: readonly Stage[],
  width: number,
  act: 'relu' | 'relu6',
): Tap {
  let x = input;
  stages.forEach((s, i) => {
    for (let k = 1; k <= s.count; k++)
      x = invertedResidual(net, x, `stage${i + 1}.block${k}`, scaledBy8(s.channels, width), {
        stride: k === 1 ? s.stride : 1,
        expansion: s.expansion,
        kernel: s.kernel ?? 3,
        act,
        ...(s.excite === undefined ? {} : { excite: s.excite }),
      });
  });
  return x;
}

const v2Stages: readonly Stage[] = [
  { expansion: 1, channels: 16, count: 1, stride: 1 },
  { expansion: 6, channels: 24, count: 2, stride: 2 },
  { expansion: 6, channels: 32, count: 3, stride: 2 },
  { expansion: 6, channels: 64, count: 4, stride: 2 },
  { expansion: 6, channels: 96, count: 3, stride: 1 },
  { expansion: 6, channels: 160, count: 3, stride: 2 },
  { expansion: 6, channels: 320, count: 1, stride: 1 },
];

/** torchvision's mnasnet1_0 (MnasNet-B1). */
const mnasStages: readonly Stage[] = [
  { expansion: 3, channels: 24, count: 3, stride: 2, kernel: 3 },
  { expansion: 3, channels: 40, count: 3, stride: 2, kernel: 5 },
  { expansion: 6, channels: 80, count: 3, stride: 2, kernel: 5 },
  { expansion: 6, channels: 96, count: 2, stride: 1, kernel: 3 },
  { expansion: 6, channels: 192, count: 4, stride: 2, kernel: 5 },
  { expansion: 6, channels: 320, count: 1, stride: 1, kernel: 3 },
];

/** MnasNet-A1 (Tan et al. 2019, figure 7), squeeze-and-excitation at a quarter of the block's input. */
const a1Stages: readonly Stage[] = [
  { expansion: 6, channels: 24, count: 2, stride: 2, kernel: 3 },
  { expansion: 3, channels: 40, count: 3, stride: 2, kernel: 5, excite: 0.25 },
  { expansion: 6, channels: 80, count: 4, stride: 2, kernel: 3 },
  { expansion: 6, channels: 112, count: 2, stride: 1, kernel: 3, excite: 0.25 },
  { expansion: 6, channels: 160, count: 3, stride: 2, kernel: 5, excite: 0.25 },
  { expansion: 6, channels: 320, count: 1, stride: 1, kernel: 3 },
];

const picture = { input: [3, 224, 224], classes: 1000, scales: true } as const;
const mnasSource = 'Tan, Chen, Pang, Vasudevan, Sandler, Howard, Le 2019';

const mnasnet = (stages: readonly Stage[]): ZooEntry['write'] => {
  return (net, input, o) => {
    const w = (c: number): number => scaledBy8(c, o.width);
    const stem = net.convNorm(input, 'stem', w(32), 3, { stride: 2 });
    const first = depthwiseSeparable(net, stem, 'stem.separable', w(16), 1, { last: 'none' });
    return head(net, net.convNorm(invertedStages(net, first, stages, o.width, 'relu'), 'last', 1280, 1), o.classes);
  };
};

export const mobilenetEntries: readonly ZooEntry[] = [
  {
    id: 'mobilenet-v1',
    title: text('MobileNet v1', 'MobileNet v1'),
    summary: text(
      'Depthwise separable convolutions throughout; its width multiplier is the one that scale-width generalises.',
      '깊이별 분리 합성곱만 씁니다. scale-width가 일반화한 폭 배수가 여기서 나왔습니다.',
    ),
    source: 'Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam 2017',
    ...picture,
    // TF-slim truncates: max(8, int(channels * width)).
    write: (net, x, o) =>
      mobilenetV1(
        net,
        x,
        [32, ...v1Channels].map((c) => (o.width === 1 ? c : Math.max(8, Math.floor(c * o.width)))),
        o.classes,
      ),
  },
  {
    id: 'mobilenet-v2',
    title: text('MobileNet v2', 'MobileNet v2'),
    summary: text(
      'Inverted residuals: narrow outside, wide inside, no activation at the narrow end.',
      '역잔차 블록: 밖은 좁고 안은 넓으며, 좁은 쪽에는 활성화가 없습니다.',
    ),
    source: 'Sandler, Howard, Zhu, Zhmoginov, Chen 2018, as in torchvision',
    ...picture,
    write: (net, input, o) => {
      const stem = net.convNorm(input, 'stem', scaledBy8(32, o.width), 3, { stride: 2, act: 'relu6' });
      const x = invertedStages(net, stem, v2Stages, o.width, 'relu6');
      // The last layer never gets narrower than published.
      const last = net.convNorm(x, 'last', scaledBy8(1280, Math.max(1, o.width)), 1, { act: 'relu6' });
      return head(net, last, o.classes);
    },
  },
  {
    id: 'mnasnet-1.0',
    title: text('MnasNet 1.0', 'MnasNet 1.0'),
    summary: text(
      'Inverted residuals with kernels of 3 and 5 found by search; without squeeze-and-excitation (B1).',
      '탐색으로 찾은 3과 5 커널의 역잔차 블록. squeeze-and-excitation은 없습니다(B1).',
    ),
    source: `${mnasSource}, as in torchvision`,
    ...picture,
    write: mnasnet(mnasStages),
  },
  {
    id: 'mnasnet-a1',
    title: text('MnasNet-A1', 'MnasNet-A1'),
    summary: text(
      'The published net of the search, with squeeze-and-excitation in three stages.',
      '탐색 논문이 발표한 신경망. 세 단계에 squeeze-and-excitation이 있습니다.',
    ),
    source: `${mnasSource}, figure 7`,
    ...picture,
    write: mnasnet(a1Stages),
  },
];
