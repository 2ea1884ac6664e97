/** Owns the technique replace-block: a convolution, or a run of layers, by an efficient block of the literature, started as near as it can be. */
import type { EvidenceRequest } from '../analysis/evidence.ts';
import { text } from '../base/text.ts';
import { fitBlocks, fitRequest } from './blocks/activation-fit.ts';
import { convLayer } from './blocks/conv-layer.ts';
import { blockKinds } from './blocks/index.ts';
import { onActivations, placeBlocks } from './blocks/place-blocks.ts';
import type { Fit, Rewrite, StepContext, Technique, TrainRequest } from './declare.ts';
import { samplesSeen } from './field-parts.ts';

function fits(node: StepContext['selected'][number], c: Pick<StepContext, 'model' | 'facts'>): Fit {
  const layer = convLayer(c, node);
  return typeof layer === 'string'
    ? {
        fits: false,
        reason: text(
          `${node.name || node.id}: ${layer}`,
          `${node.name || node.id}: 블록으로 바꿀 수 없습니다 (${layer})`,
        ),
      }
    : { fits: true };
}

function rewrite(c: StepContext): Rewrite {
  const placed = placeBlocks(c);
  if (!onActivations(c)) return placed;
  const fitted = fitBlocks(c, placed.model, placed.ends);
  return {
    ...placed,
    model: fitted.model,
    notes: [...placed.notes, ...fitted.notes],
    findings: () => [...(placed.findings?.() ?? []), ...fitted.findings()],
  };
}

function evidence(c: StepContext, round: number): EvidenceRequest | undefined {
  if (!onActivations(c)) return undefined;
  const { model, ends, runs } = placeBlocks(c);
  return fitRequest(c, model, ends, runs, round);
}

/** Each block drawn to what the layer gave in the original, on the samples alone: no labels (He et al. 2017b, section 3.2). */
function reconstruction(c: StepContext): TrainRequest | undefined {
  const epochs = Number(c.params.reconstruct ?? 0);
  if (epochs === 0) return undefined;
  const done = placeBlocks(c);
  const before = new Set(c.model.graph.nodes.map((n) => n.id));
  return {
    layers: done.model.graph.nodes.flatMap((n) => (before.has(n.id) ? [] : [n.id])),
    epochs,
    batch: 64,
    optimizer: 'adam',
    learningRate: 0.003,
    momentum: 0.9,
    weightDecay: 0,
    schedule: 'cosine',
    augment: false,
    keep: 'last',
    loss: { kind: 'none' },
    distill: {
      teachers: [{ kind: 'original' }],
      temperature: 1,
      softShare: 0,
      hints: done.made.map((v) => ({ from: v, to: v, weight: 1 })),
    },
  };
}

export const replaceBlock: Technique = {
  id: 'replace-block',
  group: 'blocks',
  formula: 'MACs(depthwise separable) / MACs(conv) = 1/N + 1/k²',
  version: 1,
  title: text('Replace by a block', '블록으로 교체'),
  summary: text(
    'Puts an efficient block in the place of a convolution or of a run of layers. Its weights start as near to the old kernel as the block can come; training does the rest.',
    '합성곱이나 여러 층의 자리에 효율적인 블록을 넣습니다. 가중치는 블록이 낼 수 있는 가장 가까운 값에서 시작하고, 나머지는 학습으로 맞춥니다.',
  ),
  cites: [
    {
      title: 'MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications',
      authors: 'Howard et al.',
      year: 2017,
      where: 'arXiv 1704.04861, section 3.1',
    },
    {
      title: 'MobileNetV2: Inverted Residuals and Linear Bottlenecks',
      authors: 'Sandler et al.',
      year: 2018,
      where: 'CVPR, section 3',
    },
    {
      title: 'SqueezeNet: AlexNet-level accuracy with 50x fewer parameters',
      authors: 'Iandola et al.',
      year: 2016,
      where: 'arXiv 1602.07360, section 3',
    },
    { title: 'ShuffleNet', authors: 'Zhang, Zhou, Lin, Sun', year: 2018, where: 'CVPR, section 3' },
    { title: 'ShuffleNet V2', authors: 'Ma, Zhang, Zheng, Sun', year: 2018, where: 'ECCV, section 3' },
    {
      title: 'Deep Residual Learning for Image Recognition',
      authors: 'He, Zhang, Ren, Sun',
      year: 2016,
      where: 'CVPR, section 3',
    },
    {
      title: 'Densely Connected Convolutional Networks',
      authors: 'Huang, Liu, van der Maaten, Weinberger',
      year: 2017,
      where: 'CVPR, section 3',
    },
  ],
  params: {
    block: {
      kind: 'choice',
      label: text('Block', '블록'),
      options: blockKinds.map((k) => ({ value: k.id, label: k.label })),
      default: 'depthwise-separable',
    },
    span: {
      kind: 'choice',
      label: text('In place of', '바꿀 대상'),
      help: text(
        'A run is what is selected between two pictures: a chain of layers, or a residual block with its shortcut. Its last activation stays.',
        '구간은 두 특징맵 사이에서 선택한 층 전체입니다. 이어진 층들이나 지름길을 포함한 잔차 블록이며, 마지막 활성화는 남습니다.',
      ),
      options: [
        { value: 'layer', label: text('each convolution', '합성곱 하나씩') },
        { value: 'run', label: text('the selected run of layers', '선택한 구간 전체') },
      ],
      default: 'layer',
    },
    ratio: {
      kind: 'number',
      label: text('Width inside', '내부 폭'),
      help: text(
        'Channels inside the block, as a share of the smaller of its sides.',
        '블록 내부 채널 수를 입력과 출력 중 작은 쪽에 대한 비율로 정합니다.',
      ),
      min: 0.05,
      max: 1,
      step: 0.05,
      default: 0.5,
      unit: 'share',
      when: {
        field: 'block',
        is: ['bottleneck', 'fire', 'residual', 'pre-activation', 'dense', 'shuffle', 'factorised'],
      },
    },
    expansion: {
      kind: 'number',
      label: text('Expansion', '확장 배수'),
      min: 1,
      max: 12,
      step: 1,
      default: 4,
      integer: true,
      unit: 'count',
      when: { field: 'block', is: ['inverted-residual'] },
    },
    multiplier: {
      kind: 'number',
      label: text('Filters per channel', '채널당 필터 수'),
      help: text(
        'Depth multiplier: with 1 the block costs 1/N + 1/k² of the convolution; a layer of few input channels needs more.',
        '깊이 배수. 1이면 비용이 원래의 1/N + 1/k²이며, 입력 채널이 적은 층에는 더 필요합니다.',
      ),
      min: 1,
      max: 32,
      step: 1,
      default: 1,
      integer: true,
      unit: 'count',
      when: { field: 'block', is: ['depthwise-separable'] },
    },
    groups: {
      kind: 'number',
      label: text('Groups', '그룹 수'),
      min: 2,
      max: 16,
      step: 1,
      default: 2,
      integer: true,
      unit: 'count',
      when: { field: 'block', is: ['shuffle'] },
    },
    activation: {
      kind: 'choice',
      label: text('Activation inside', '내부 활성화'),
      help: text(
        'None keeps the block near the old layer; the papers have one, and train.',
        '없음이면 원래 레이어와 가깝게 시작합니다. 논문의 블록은 활성화를 두고 학습합니다.',
      ),
      options: [
        { value: 'none', label: text('None', '없음') },
        { value: 'relu', label: text('ReLU', 'ReLU') },
        { value: 'relu6', label: text('ReLU6', 'ReLU6') },
      ],
      default: 'none',
    },
    fit: {
      kind: 'choice',
      label: text('Nearest by', '맞춤 기준'),
      help: text(
        'On activations, the last layer of each block is solved so that samples give what they gave, block after block.',
        '활성값 기준이면 블록마다 마지막 층을 풀어, 샘플의 출력이 이전과 같아지도록 앞에서부터 차례로 맞춥니다.',
      ),
      options: [
        { value: 'weights', label: text('the kernel', '커널') },
        { value: 'activations', label: text('activations (data)', '활성값 (데이터)') },
      ],
      default: 'weights',
    },
    samples: { ...samplesSeen, when: { field: 'fit', is: ['activations'] } },
    reconstruct: {
      kind: 'number',
      label: text('Reconstruction', '재구성'),
      help: text(
        'Epochs in which each block learns what its layer gave, from samples without labels. 0: the fit alone.',
        '레이블 없는 샘플로 각 블록이 원래 레이어의 출력을 배우는 에폭 수. 0이면 맞춤만 합니다.',
      ),
      min: 0,
      max: 100,
      step: 1,
      default: 0,
      integer: true,
      unit: 'epochs',
    },
  },
  exactness: () => 'shape',
  train: reconstruction,
  // Split takes its sizes as an input from 13 on.
  needs: { opset: () => 13, evidence },
  fits,
  rewrite,
  knobs: ['ratio', 'expansion'],
  promises: ['same-io'],
  cases: [
    ...blockKinds.map((k) => ({ params: { block: k.id } })),
    { params: { block: 'depthwise-separable', multiplier: 3 } },
    { params: { block: 'bottleneck', fit: 'activations', samples: 2 } },
    { params: { block: 'inverted-residual', span: 'run', fit: 'activations', samples: 2, activation: 'relu6' } },
  ],
  explain: () =>
    text(
      'Fewer multiplications, but in more and thinner kernels: time falls by less than MACs do, most of all for depthwise ones. Measure it.',
      '곱셈은 줄지만 얇은 커널이 여러 개로 늘어납니다. 특히 깊이별 합성곱은 MACs가 준 만큼 빨라지지 않을 수 있으니 측정해 보세요.',
    ),
  migrations: [],
};
