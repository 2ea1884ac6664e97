/**
 * Owns the technique prune-weights: zeroes the weakest weights, anywhere or in a pattern, at once or while training, and stores what
 * stays in the smallest of three forms. The file shrinks; a dense kernel runs no faster.
 */
import { text } from '../base/text.ts';
import { elementCount } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique, TrainRequest } from './declare.ts';
import { type Placed, placeWeights } from './place-weights.ts';
import { weightsOf } from './prunable-weights.ts';
import { pruneWeightsCites, pruneWeightsParams } from './prune-weights-params.ts';
import { trainSettingsOf } from './train-fields.ts';
import { trainedLayers } from './trainable-layers.ts';
import { type Candidate, candidatesOf, patternOf, removedOf, thinned, weightEvidence } from './weight-choice.ts';

const isGradual = (c: Pick<StepContext, 'params'>): boolean => c.params.timing === 'gradual';

function fits(node: Node, c: Pick<StepContext, 'model'>): Fit {
  const { weights, reason } = weightsOf(c.model, node);
  return weights.length > 0 ? { fits: true } : { fits: false, reason: text(reason, `가중치 없음: ${reason}`) };
}

const formNames = { dense: 'kept dense', coo: 'stored sparse', bits: 'stored as bit mask' } as const;

function taken(
  node: Node,
  own: readonly Candidate[],
  removed: ReadonlyMap<string, number>,
  forms: Placed['forms'],
): Taken {
  let total = 0;
  let gone = 0;
  const kinds = new Set<string>();
  for (const { weight } of own) {
    const { name, dims } = weight.tensor;
    const form = forms.get(name);
    total += elementCount(dims);
    gone += removed.get(name) ?? 0;
    if (form !== undefined) kinds.add(formNames[form.kind]);
  }
  return { id: node.id, taken: true, what: `${gone} of ${total} weights to zero, ${[...kinds].join(', ')}` };
}

function rewrite(c: StepContext): Rewrite {
  const { weights, byLayer, refused } = candidatesOf(c);
  const counts = removedOf(c, weights);
  const { model, forms } = placeWeights(
    c.model,
    weights.map((w, i) => thinned(c, w, counts[i] ?? 0)),
    c.runtime,
  );
  const removed = new Map(weights.map((w, i) => [w.weight.tensor.name, counts[i] ?? 0]));
  const layers = [...refused, ...byLayer.map(({ node, own }) => taken(node, own, removed, forms))];
  const order = new Map(c.selected.map((n, i) => [n.id, i]));
  layers.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
  return {
    model,
    layers,
    notes: [
      text(
        'The file gets smaller; zeros in dense kernels still cost time, so do not expect a speed-up.',
        '파일은 작아지지만, 밀집 커널은 0도 계산하므로 속도는 빨라지지 않습니다.',
      ),
    ],
  };
}

/** Inside a node nothing is observed or trained: the magnitude decides, layer by layer. */
function rewriteInside(c: StepContext): Rewrite {
  if (!isGradual(c)) {
    const { criterion, scope } = c.params;
    return rewrite({
      ...c,
      params: {
        ...c.params,
        criterion: criterion === 'taylor' ? 'magnitude' : criterion,
        scope: scope === 'sensitivity' || criterion === 'taylor' ? 'layer' : scope,
      },
    });
  }
  const reason = 'inside another node nothing is trained';
  return { model: c.model, layers: c.selected.map((n) => ({ id: n.id, taken: false, reason })), notes: [] };
}

/** Share of the final zeros at a share of the training: 1 - (1 - t / until)^3 (Zhu and Gupta 2017, eq. 1, from none). */
export const cubicShare = (t: number, until: number): number => 1 - (1 - Math.min(1, t / until)) ** 3;

/** The weights learn in full, with masks that tighten; the zeros are stored away when they have. */
function train(c: StepContext): TrainRequest | undefined {
  if (!isGradual(c)) return undefined;
  const { weights } = candidatesOf(c);
  const counts = removedOf(c, weights);
  const until = Number(c.params.until ?? 0.6);
  const nodes = graphIndex(c.model.graph).order;
  const pattern = patternOf(c.params);
  const area = pattern === '4x4' ? 16 : pattern === '1x4' ? 4 : 1;
  return {
    ...trainSettingsOf(c.params, { epochs: 10, learningRate: 0.01 }),
    layers: trainedLayers({ ...c, selected: nodes }).flatMap((l) => (l.taken ? [l.id] : [])),
    ...(c.params.taught === true
      ? { distill: { teachers: [{ kind: 'original' }], temperature: 3, softShare: 0.9 } }
      : {}),
    remask: {
      parameters: weights.flatMap((w) => (w.weight.tensor.type === 'float' ? [w.weight.tensor.name] : [])),
      everySteps: 20,
      until,
      masks: (share, values) =>
        new Map(
          weights.flatMap((w, i) => {
            const { name } = w.weight.tensor;
            const now = values.get(name);
            if (now === undefined) return [];
            const count = Math.floor(((counts[i] ?? 0) * cubicShare(share, until)) / area) * area;
            return [[name, Float32Array.from(w.sparsity.mask(now.map(Math.abs), count))] as const];
          }),
        ),
    },
  };
}

/** What was learnt, its zeros stored away: the smallest magnitudes, among them all that the masks held at zero. */
function bake(trained: Model, c: StepContext): Model {
  const counts = removedOf(c, candidatesOf(c).weights);
  const magnitude = { ...c, params: { ...c.params, criterion: 'magnitude' } };
  return placeWeights(
    trained,
    candidatesOf(c, trained).weights.map((w, i) => thinned(magnitude, w, counts[i] ?? 0)),
    c.runtime,
  ).model;
}

export const pruneWeights: Technique = {
  id: 'prune-weights',
  group: 'prune',
  formula: 'w ← 0  if |w| < t;  t = quantile_r(|W|)',
  version: 1,
  title: text('Prune weights', '가중치 가지치기'),
  summary: text(
    'Sets the weakest weights to zero and stores only the rest, where that is smaller.',
    '가장 약한 가중치를 0으로 만들고, 더 작아질 때는 나머지만 저장합니다.',
  ),
  cites: pruneWeightsCites,
  params: pruneWeightsParams,
  validate: ({ pattern, scope, timing, criterion }) => {
    if (pattern !== 'free' && scope === 'global')
      return text(
        'a pattern is chosen within each layer: scope layer or sensitivity',
        '패턴은 레이어 안에서 정합니다: 범위를 레이어나 민감도로 하세요',
      );
    const fixed = pattern === '2:4' || pattern === '1:4';
    if (fixed && scope !== 'layer')
      return text('N of M is the same share in every layer', 'N:M은 모든 레이어에서 비율이 같습니다');
    if (timing === 'gradual' && fixed)
      return text(
        'gradual pruning goes with zeros anywhere or in blocks',
        '점진적 가지치기는 자유로운 0이나 블록 단위의 0에만 쓸 수 있습니다',
      );
    if (timing === 'gradual' && criterion !== 'magnitude')
      return text('gradual pruning goes by magnitude', '점진적 가지치기는 크기를 기준으로 합니다');
    return undefined;
  },
  exactness: ({ scope, criterion }) => {
    if (scope === 'sensitivity' || (scope === 'global' && criterion === 'taylor')) return 'training';
    return scope === 'global' && criterion !== 'random' ? 'statistics' : 'shape';
  },
  // CumSum and BitShift came with opset 11.
  needs: { opset: () => 11, evidence: weightEvidence, training: (p) => p.timing === 'gradual' },
  fits,
  rewrite,
  rewriteInside,
  train,
  latent: (c) => c.model,
  bake: (trained, c) => bake(trained, c),
  knobs: ['ratio'],
  promises: ['same-io', 'same-parameters', 'same-macs', 'smaller-file'],
  cases: [
    { params: { ratio: 0.7 } },
    { params: { ratio: 0.95, scope: 'global' } },
    { params: { ratio: 0.8, scope: 'sensitivity', criterion: 'taylor', samples: 2 } },
    { params: { ratio: 0.8, scope: 'global', criterion: 'taylor', samples: 2 } },
    { params: { ratio: 0.5, criterion: 'random' } },
    { params: { pattern: '2:4' } },
    { params: { pattern: '1:4', criterion: 'taylor', samples: 2 } },
    { params: { ratio: 0.6, pattern: '4x4' } },
    { params: { ratio: 0.6, pattern: '1x4', timing: 'gradual' } },
    { params: { ratio: 0.9, timing: 'gradual' } },
  ],
  explain: () =>
    text(
      'Saves bytes, not time: dense kernels multiply zeros as well. The mask is unpacked once, when the model loads.',
      '시간이 아니라 용량을 줄입니다. 밀집 커널은 0도 곱합니다. 마스크는 모델을 불러올 때 한 번만 풀립니다.',
    ),
  onPaper: ({ pattern }) =>
    pattern === '2:4' || pattern === '1:4' || pattern === '1x4' || pattern === '4x4'
      ? text(
          'A sparsity pattern: only kernels made for it would gain time, and ONNX Runtime’s multiply every zero.',
          '희소 패턴: 전용 커널에서만 빨라지며, ONNX Runtime의 커널은 0도 모두 곱합니다.',
        )
      : text(
          'Zero weights: a dense kernel multiplies them all the same. Prune channels to save time.',
          '0인 가중치: 밀집 커널은 0도 그대로 곱합니다. 시간을 줄이려면 채널을 가지치기하세요.',
        ),
  migrations: [],
};
