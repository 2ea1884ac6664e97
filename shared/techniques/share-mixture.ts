/**
 * Owns soft weight sharing inside share-weights (`method: "mixture"`): the network is trained on under a mixture prior, and each weight
 * then takes the mean of the component it belongs to; indices and codebook store exactly that.
 */

import { withValues } from '../autodiff/parameters.ts';
import type { Penalty, PenaltyTerms } from '../autodiff/penalty.ts';
import type { Fields } from '../base/fields.ts';
import { text } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import type { Model } from '../ir/model.ts';
import { toFloat32 } from '../ir/values.ts';
import type { Rewrite, StepContext, TrainRequest } from './declare.ts';
import { epochs, learningRate } from './field-parts.ts';
import { storedFloats } from './stored-floats.ts';
import { trainedLayers } from './trainable-layers.ts';
import { assigned, componentsOf, emitMixture, mergedComponents, ownCount } from './weight-mixture.ts';

const when = { field: 'method', is: ['mixture'] };

export const methodField: Fields = {
  method: {
    kind: 'choice',
    label: text('Values found by', '값을 찾는 방법'),
    help: text(
      'K-means clusters the weights as they are. A mixture of Gaussians is trained with the network and draws weights together, most of them to zero.',
      'K-평균은 있는 그대로의 가중치를 묶습니다. 가우스 혼합은 네트워크와 함께 학습하며 가중치를 한데 모으고, 대부분을 0으로 끌어당깁니다.',
    ),
    options: [
      { value: 'kmeans', label: text('k-means', 'K-평균') },
      { value: 'mixture', label: text('a mixture learnt in training', '학습하는 혼합 분포') },
    ],
    default: 'kmeans',
  },
};

export const mixtureFields: Fields = {
  scope: {
    kind: 'choice',
    label: text('One mixture for', '혼합 분포 단위'),
    options: [
      { value: 'model', label: text('all selected layers', '선택한 모든 층') },
      { value: 'layer', label: text('each layer', '층마다') },
    ],
    default: 'model',
    when,
  },
  zeroShare: {
    kind: 'number',
    label: text('Share expected at zero', '0으로 예상하는 비율'),
    min: 0.5,
    max: 0.999,
    step: 0.001,
    default: 0.95,
    unit: 'share',
    when,
  },
  strength: {
    kind: 'number',
    label: text('Strength of the prior', '사전 분포의 세기'),
    help: text(
      'Weight of the mean negative log prior beside the loss. More draws weights closer together and costs accuracy.',
      '손실에 더하는 평균 음의 로그 사전 확률의 무게입니다. 클수록 가중치가 더 모이고 정확도를 잃습니다.',
    ),
    min: 0.01,
    max: 100,
    step: 0.01,
    default: 4,
    unit: 'none',
    when,
  },
  epochs: { ...epochs, default: 40, when },
  learningRate: { ...learningRate, max: 1, step: 0.001, default: 0.02, when },
};

export const learnsMixture = (p: StepContext['params']): boolean => p.method === 'mixture';

/** Names of the plain float weights of the selected layers: what a mixture draws together. */
function weightNames(c: StepContext): ReadonlySet<string> {
  const found = c.selected.flatMap((n) => storedFloats(c.model.graph, c.facts, n)?.found ?? []);
  return new Set(found.flatMap((s) => (s.role === 'plain' && !s.listed && s.tensor.type === 'float' ? [s.name] : [])));
}

/** Which weights each mixture of a training holds, as the penalty met them. */
const groups = new WeakMap<StepContext, readonly (readonly string[])[]>();

function penaltyOf(c: StepContext): Penalty {
  const names = weightNames(c);
  const { params } = c;
  return (e, parameters, share) => {
    const own = parameters.filter((p) => names.has(p.name));
    const parts = params.scope === 'layer' ? own.map((p) => [p]) : own.length === 0 ? [] : [own];
    groups.set(
      c,
      parts.map((part) => part.map((p) => p.name)),
    );
    const settings = {
      components: 2 ** Number(params.bits ?? 4),
      strength: Number(params.strength ?? 4),
      zeroShare: Number(params.zeroShare ?? 0.95),
      total: own.reduce((n, p) => n + elementCount(p.dims), 0),
    };
    const terms = parts.map((part) => emitMixture(e, part, share, settings));
    const zero = e.one('ReduceSum', [e.floats([0], [1])], [attr.int('keepdims', 0)]);
    const losses = terms.map((t) => t.loss);
    return {
      loss: losses.length === 0 ? zero : losses.length === 1 ? (losses[0] ?? zero) : e.one('Sum', losses),
      gradients: new Map(terms.flatMap((t) => [...t.gradients])),
      own: terms.flatMap((t) => t.own ?? []),
    } satisfies PenaltyTerms;
  };
}

export function trainMixture(c: StepContext): TrainRequest | undefined {
  if (!learnsMixture(c.params)) return undefined;
  const layers = trainedLayers({ ...c, selected: c.model.graph.nodes }).flatMap((l) => (l.taken ? [l.id] : []));
  return {
    layers,
    epochs: Number(c.params.epochs ?? 40),
    batch: 128,
    optimizer: 'sgd',
    learningRate: Number(c.params.learningRate ?? 0.02),
    momentum: 0.9,
    weightDecay: 0,
    schedule: 'cosine',
    augment: true,
    // An earlier epoch may validate better, but its weights are not yet together.
    keep: 'last',
    penalty: penaltyOf(c),
  };
}

/** Each weight at the mean of its component; weights of no mixture as they were trained. */
export function hardened(trained: Model, c: StepContext, own: readonly Float32Array[]): Model {
  const tensors = new Map(trained.graph.initializers.map((t) => [t.name, t]));
  const values = new Map<string, Float32Array>();
  for (const [k, names] of (groups.get(c) ?? []).entries()) {
    const components = mergedComponents(componentsOf(own.slice(k * ownCount, (k + 1) * ownCount)));
    if (components.length === 0) continue;
    for (const name of names) {
      const tensor = tensors.get(name);
      if (tensor === undefined) continue;
      const at = assigned(toFloat32(tensor), components);
      values.set(
        name,
        Float32Array.from(at, (j) => components[j]?.mean ?? 0),
      );
    }
  }
  return withValues(trained, values);
}

/** `rewrite`: share-weights' own, which stores few distinct values exactly. */
export const bakeMixture =
  (rewrite: (c: StepContext) => Rewrite) =>
  (trained: Model, c: StepContext, own: readonly Float32Array[]): Model =>
    learnsMixture(c.params) ? rewrite({ ...c, model: hardened(trained, c, own) }).model : trained;
