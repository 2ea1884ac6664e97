/** Owns the technique replace-block: a convolution by an efficient block of the literature, started as near to it as the block can be. */
import type { EvidenceRequest } from '../analysis/evidence.ts';
import { relativeError } from '../base/low-rank.ts';
import { type Text, text } from '../base/text.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import type { Tensor } from '../ir/tensor.ts';
import { type BlockEnd, fitBlocks, fitRequest } from './blocks/activation-fit.ts';
import { type Activation, BlockWriter } from './blocks/block-writer.ts';
import { type ConvLayer, convLayer } from './blocks/conv-layer.ts';
import type { BlockOptions } from './blocks/declare.ts';
import { blockKind, blockKinds } from './blocks/index.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique, TrainRequest } from './declare.ts';
import { samplesSeen } from './field-parts.ts';
import { withInitializers } from './with-initializers.ts';

const optionsOf = (p: StepContext['params']): BlockOptions => ({
  ratio: Number(p.ratio ?? 0.5),
  expansion: Number(p.expansion ?? 4),
  groups: Number(p.groups ?? 2),
});

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

/** How near the block's kernel is to the old one; only where nothing bends inside is there a kernel to compare. */
function fitNote(layer: ConvLayer, composite: () => Float64Array): () => Text {
  const name = layer.node.name || layer.node.id;
  return () => {
    const error = relativeError(layer.weight(), composite());
    const share = (error * 100).toFixed(error < 0.001 ? 3 : 1);
    return text(
      `${name}: the block starts ${share} % away from the old kernel (relative Frobenius norm).`,
      `${name}: 블록의 시작 커널은 원래 커널과 ${share} % 다릅니다(상대 프로베니우스 노름).`,
    );
  };
}

interface Written extends Rewrite {
  readonly ends: readonly BlockEnd[];
}

/** The blocks in place, their weights from the kernels alone. */
function written(c: StepContext): Written {
  const kind = blockKind(String(c.params.block ?? ''));
  const options = optionsOf(c.params);
  const activation = (c.params.activation ?? 'none') as Activation;
  const edit = new GraphEdit(c.model.graph);
  const layers: Taken[] = [];
  const findings: (() => Text)[] = [];
  const added: Tensor[] = [];
  const ends: BlockEnd[] = [];
  for (const node of c.selected) {
    const layer = convLayer(c, node);
    if (typeof layer === 'string') {
      if (node.op === 'Conv') layers.push({ id: node.id, taken: false, reason: layer });
      continue;
    }
    const refusal = kind.refuses(layer, options);
    if (refusal !== undefined) {
      layers.push({ id: node.id, taken: false, reason: refusal });
      continue;
    }
    const block = new BlockWriter(edit, layer, activation);
    const composite = kind.write(block, options);
    for (const t of block.tensors) edit.setInitializer(t);
    added.push(...block.tensors);
    edit.replace(node.id, block.nodes);
    ends.push({ layer: node.id, last: block.nodes.at(-1) ?? node });
    if (composite !== undefined && activation === 'none') findings.push(fitNote(layer, composite));
    layers.push({ id: node.id, taken: true, what: `${kind.id}, ${block.nodes.length} nodes` });
  }
  edit.removeUnused();
  const kept = new Map(edit.done().initializers.map((t) => [t.name, t]));
  const model = withInitializers(
    c.model,
    edit.done(),
    added.filter((t) => kept.has(t.name)),
  );
  const bent =
    activation === 'none'
      ? []
      : [
          text(
            'With an activation inside, the block is no longer near the old layer: train it afterwards.',
            '블록 안에 활성화가 있으면 원래 레이어와 가깝지 않습니다. 이후에 학습하세요.',
          ),
        ];
  return { model, layers, notes: bent, findings: () => findings.map((found) => found()), ends };
}

const onActivations = (c: StepContext): boolean => c.params.fit === 'activations';

function rewrite(c: StepContext): Rewrite {
  const { ends, ...done } = written(c);
  if (!onActivations(c)) return done;
  const fitted = fitBlocks(c, done.model, ends);
  return {
    ...done,
    model: fitted.model,
    notes: [...done.notes, ...fitted.notes],
    findings: () => [...(done.findings?.() ?? []), ...fitted.findings()],
  };
}

function evidence(c: StepContext, round: number): EvidenceRequest | undefined {
  if (!onActivations(c)) return undefined;
  const { model, ends } = written(c);
  return fitRequest(c, model, ends, round);
}

/** Each block drawn to what the layer gave in the original, on the samples alone: no labels (He et al. 2017b, section 3.2). */
function reconstruction(c: StepContext): TrainRequest | undefined {
  const epochs = Number(c.params.reconstruct ?? 0);
  if (epochs === 0) return undefined;
  const done = rewrite(c);
  const before = new Set(c.model.graph.nodes.map((n) => n.id));
  const taken = new Set(done.layers.flatMap((l) => (l.taken ? [l.id] : [])));
  const values = c.selected.filter((n) => taken.has(n.id)).flatMap((n) => n.outputs.slice(0, 1));
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
      hints: values.map((v) => ({ from: v, to: v, weight: 1 })),
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
    'Puts an efficient block in the place of a convolution. Its weights start as near to the old kernel as the block can come; training does the rest.',
    '합성곱 자리에 효율적인 블록을 넣습니다. 가중치는 블록이 낼 수 있는 가장 가까운 값에서 시작하고, 나머지는 학습으로 맞춥니다.',
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
    { params: { block: 'bottleneck', fit: 'activations', samples: 2 } },
  ],
  explain: () =>
    text(
      'Fewer multiplications, but in more and thinner kernels: time falls by less than MACs do, most of all for depthwise ones. Measure it.',
      '곱셈은 줄지만 얇은 커널이 여러 개로 늘어납니다. 특히 깊이별 합성곱은 MACs가 준 만큼 빨라지지 않을 수 있으니 측정해 보세요.',
    ),
  migrations: [],
};
