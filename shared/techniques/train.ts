/** Owns the technique train: fine-tunes the model as it stands, masks kept; what recovers accuracy after a compression. */

import { trainableBehind } from '../autodiff/parameters.ts';
import { text } from '../base/text.ts';
import { type ElementType, isFloat } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Node } from '../ir/model.ts';
import { isNone } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { augmentFields, augmentOf } from '../training/augment.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique, TrainRequest } from './declare.ts';

/** Layers with float weights and a gradient rule. */
function fits(node: Node, c: Pick<StepContext, 'facts'>): Fit {
  const op = opOf(node);
  const roles = Object.keys(op?.parameters ?? {}).map(Number);
  const weights = roles.filter((k) => {
    const facts = c.facts.get(node.inputs[k] ?? '');
    return facts?.constant === true && facts.elem !== null && isFloat(facts.elem);
  });
  if (op === undefined || weights.length === 0)
    return { fits: false, reason: text(`${node.op} has no float weights`, `${node.op}에는 실수 가중치가 없습니다`) };
  if (isNone(op.gradient))
    return { fits: false, reason: text(`${node.op}: ${op.gradient.none}`, `${node.op}: 기울기 규칙이 없습니다`) };
  return { fits: true };
}

/** What becomes of a node with stored parameters; undefined where it has none to train. */
function takes(node: Node, c: Pick<StepContext, 'model' | 'facts'>): Taken | undefined {
  const op = opOf(node);
  const facts = Object.keys(op?.parameters ?? {}).flatMap((k) => c.facts.get(node.inputs[Number(k)] ?? '') ?? []);
  const decodes = node.outputs.every((o) => c.facts.get(o)?.constant === true);
  if (op === undefined || decodes || !facts.some((f) => f.constant)) return undefined;
  const { id } = node;
  const roles = [...trainableBehind(c.model.graph, c.facts, node).values()];
  const behind = integerBehind(node, c);
  if (roles.length === 0)
    return behind === undefined ? undefined : { id, taken: false, reason: `frozen: ${behind} weights` };
  if (isNone(op.gradient)) return { id, taken: false, reason: `frozen: ${op.gradient.none}` };
  const half = behind !== undefined && !roles.includes('weight');
  return { id, taken: true, what: half ? `bias trained; ${behind} weights frozen` : 'trained' };
}

const stores = new Set<ElementType | null>(['int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2', 'int16', 'uint16']);

/** Element type of integer weights, plain or behind the nodes that decode them. */
function integerBehind(node: Node, c: Pick<StepContext, 'model' | 'facts'>): string | undefined {
  const index = graphIndex(c.model.graph);
  for (const [k, role] of Object.entries(opOf(node)?.parameters ?? {})) {
    if (role !== 'weight') continue;
    const stack = [node.inputs[Number(k)] ?? ''];
    const seen = new Set<string>();
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const facts = c.facts.get(at);
      if (seen.has(at) || facts?.constant !== true) continue;
      seen.add(at);
      if (facts.elem !== null && stores.has(facts.elem)) return facts.elem;
      stack.push(...(index.producer.get(at)?.inputs ?? []));
    }
  }
  return undefined;
}

const layersOf = (c: StepContext): readonly Taken[] => c.selected.flatMap((n) => takes(n, c) ?? []);

function rewrite(c: StepContext): Rewrite {
  const layers = layersOf(c);
  const learns = layers.filter((l) => l.taken).length;
  const frozen = layers.length - learns;
  const notes =
    frozen === 0
      ? []
      : [
          text(
            `${learns} layers train; ${frozen} stay frozen (integer weights, or no gradient).`,
            `${learns}개 레이어를 학습합니다. ${frozen}개는 고정됩니다(정수 가중치이거나 기울기가 없음).`,
          ),
        ];
  return { model: c.model, layers, notes };
}

const request = (c: StepContext, params = c.params): TrainRequest => ({
  layers: layersOf(c).flatMap((l) => (l.taken ? [l.id] : [])),
  epochs: Number(params.epochs ?? 5),
  batch: Number(params.batch ?? 64),
  optimizer: params.optimizer === 'adam' ? 'adam' : 'sgd',
  learningRate: Number(params.learningRate ?? 0.01),
  momentum: Number(params.momentum ?? 0.9),
  weightDecay: Number(params.weightDecay ?? 0),
  schedule: params.schedule === 'constant' ? 'constant' : 'cosine',
  augment: augmentOf(params) ?? false,
});

export const train: Technique = {
  id: 'train',
  version: 1,
  title: text('Train', '학습'),
  summary: text(
    'Fine-tunes the weights of the selected layers on the training samples; zeros of pruned weights stay zeros. The best epoch on validation is kept.',
    '학습 샘플로 선택한 레이어의 가중치를 미세 조정합니다. 가지치기로 0이 된 가중치는 0으로 남고, 검증에서 가장 좋은 에폭을 남깁니다.',
  ),
  cites: [
    {
      title: 'Learning both Weights and Connections for Efficient Neural Networks',
      authors: 'Han, Pool, Tran, Dally',
      year: 2015,
      where: 'NIPS, section 3',
    },
  ],
  params: {
    epochs: {
      kind: 'number',
      label: text('Epochs', '에폭'),
      min: 1,
      max: 1000,
      step: 1,
      default: 5,
      integer: true,
      unit: 'epochs',
    },
    batch: {
      kind: 'number',
      label: text('Batch', '배치'),
      min: 1,
      max: 4096,
      step: 1,
      default: 64,
      integer: true,
      unit: 'count',
    },
    optimizer: {
      kind: 'choice',
      label: text('Optimizer', '최적화 방법'),
      options: [
        { value: 'sgd', label: text('SGD with momentum', '모멘텀 SGD') },
        { value: 'adam', label: text('Adam', 'Adam') },
      ],
      default: 'sgd',
    },
    learningRate: {
      kind: 'number',
      label: text('Learning rate', '학습률'),
      min: 0,
      max: 10,
      step: 0.001,
      default: 0.01,
      unit: 'none',
    },
    momentum: {
      kind: 'number',
      label: text('Momentum', '모멘텀'),
      min: 0,
      max: 0.999,
      step: 0.01,
      default: 0.9,
      unit: 'none',
      when: { field: 'optimizer', is: ['sgd'] },
    },
    weightDecay: {
      kind: 'number',
      label: text('Weight decay', '가중치 감쇠'),
      min: 0,
      max: 1,
      step: 0.0001,
      default: 0.0001,
      unit: 'none',
    },
    schedule: {
      kind: 'choice',
      label: text('Schedule', '학습률 일정'),
      options: [
        { value: 'cosine', label: text('Cosine', '코사인') },
        { value: 'constant', label: text('Constant', '일정') },
      ],
      default: 'cosine',
    },
    ...augmentFields,
  },
  exactness: () => 'shape',
  needs: { training: true },
  fits,
  rewrite,
  train: (c) => request(c),
  knobs: ['epochs'],
  promises: ['same-io', 'same-parameters', 'same-macs'],
  cases: [{ params: { epochs: 1 } }],
  explain: () =>
    text(
      'Changes the values of weights, never their number: size and speed stay as they are.',
      '가중치의 값만 바꾸고 개수는 바꾸지 않습니다. 크기와 속도는 그대로입니다.',
    ),
  migrations: [],
};
