/** Owns DenseNet-BC 121, 169 and 201. */
import { text } from '../../base/text.ts';
import { denseBlock, transition } from '../blocks/dense.ts';
import type { ZooEntry } from '../declare.ts';

const stages = { 121: [6, 12, 24, 16], 169: [6, 12, 32, 32], 201: [6, 12, 48, 32] } as const;

const densenet = (layers: keyof typeof stages): ZooEntry => ({
  id: `densenet-${layers}`,
  title: text(`DenseNet-${layers}`, `DenseNet-${layers}`),
  summary: text(
    'Each layer reads all that came before it in its block; the width multiplier scales the growth of 32.',
    '각 레이어가 블록 안의 앞선 출력을 모두 읽습니다. 폭 배수는 증가 폭 32에 적용됩니다.',
  ),
  source: 'Huang, Liu, van der Maaten, Weinberger 2017, as in torchvision',
  input: [3, 224, 224],
  classes: 1000,
  scales: true,
  write: (net, input, o, w) => {
    const growth = w(32);
    const stem = net.convNorm(input, 'stem', 2 * growth, 7, { stride: 2 });
    let x = net.maxPool(stem, 'stem.pool', 3, { stride: 2, pad: 1 });
    stages[layers].forEach((count, s) => {
      x = denseBlock(net, x, `stage${s + 1}`, count, growth);
      if (s < 3) x = transition(net, x, `transition${s + 1}`, Math.floor(x.channels / 2));
    });
    const last = net.relu(net.norm(x, 'last.norm'), 'last.relu');
    return net.dense(net.flatten(net.globalPool(last, 'pool'), 'flat'), 'scores', o.classes);
  },
});

export const densenetEntries: readonly ZooEntry[] = [densenet(121), densenet(169), densenet(201)];
