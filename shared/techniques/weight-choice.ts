/** Owns how much of each weight prune-weights removes and which elements: scores, shares, and what it asks of samples. */
import type { EvidenceRequest } from '../analysis/evidence.ts';
import { type Probe, sensitivityCurves, sensitivityTrials, sharesBySensitivity } from '../analysis/sensitivity.ts';
import { lazy } from '../base/lazy.ts';
import { rng } from '../base/random.ts';
import { elementCount } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import type { Model, Node } from '../ir/model.ts';
import { toFloat32 } from '../ir/values.ts';
import { evidenceOf, type StepContext, type Taken } from './declare.ts';
import { countsByScores, estimatedCounts } from './magnitude.ts';
import { meetGoal } from './meet-goal.ts';
import { placeWeights, type Thinned } from './place-weights.ts';
import { hasWeights, type Weight, weightsOf } from './prunable-weights.ts';
import { denseForm, prunedBy } from './sparse-storage.ts';
import { type Pattern, type Sparsity, sparsityOf } from './weight-pattern.ts';

type Params = StepContext['params'];

export const patternOf = (params: Params): Pattern => (params.pattern ?? 'free') as Pattern;

/** A weight with what it can lose. */
export interface Candidate {
  readonly weight: Weight;
  readonly sparsity: Sparsity;
}

export interface Candidates {
  readonly weights: readonly Candidate[];
  readonly byLayer: readonly { readonly node: Node; readonly own: readonly Candidate[] }[];
  readonly refused: readonly Taken[];
}

/** Every stored weight of the selection once, as `model` holds it. */
export function candidatesOf(c: StepContext, model: Model = c.model): Candidates {
  const found = new Map<string, Candidate>();
  const refused: Taken[] = [];
  const byLayer: { node: Node; own: readonly Candidate[] }[] = [];
  for (const node of c.selected) {
    if (!hasWeights(node)) continue;
    const { weights, reason } = weightsOf(model, node);
    let why = reason;
    const own = weights.flatMap((weight): readonly Candidate[] => {
      const known = found.get(weight.tensor.name);
      if (known !== undefined) return [known];
      const sparsity = sparsityOf(weight, patternOf(c.params));
      if (typeof sparsity === 'string') {
        why = sparsity;
        return [];
      }
      const candidate = { weight, sparsity };
      found.set(weight.tensor.name, candidate);
      return [candidate];
    });
    if (own.length === 0) refused.push({ id: node.id, taken: false, reason: why });
    else byLayer.push({ node, own });
  }
  return { weights: [...found.values()], byLayer, refused };
}

/** What is asked of samples, in this order. */
type Stage = 'gradients' | 'trials';
const stagesOf = (params: Params): readonly Stage[] => [
  ...(params.criterion === 'taylor' ? (['gradients'] as const) : []),
  ...(params.scope === 'sensitivity' ? (['trials'] as const) : []),
];

/** Not negative; higher is stronger. Read inside thunks only. */
function scoresOf(c: StepContext, { tensor }: Weight): Float32Array {
  const { criterion } = c.params;
  if (criterion === 'random') {
    const random = rng(c.seed).fork(tensor.name);
    return Float32Array.from({ length: elementCount(tensor.dims) }, () => random.next());
  }
  const values = toFloat32(tensor);
  if (criterion !== 'taylor') return values.map(Math.abs);
  const { meanAbs } = evidenceOf(c, stagesOf(c.params).indexOf('gradients')).gradient(tensor.name);
  return values.map((w, i) => Math.abs(w * (meanAbs[i] ?? 0)));
}

export const thinned = (c: StepContext, { weight, sparsity }: Candidate, removed: number): Thinned => ({
  weight,
  removed,
  mask: lazy(() => sparsity.mask(scoresOf(c, weight), removed)),
});

const amounts = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98];

/** One weight alone thinned out, stored dense: what it loses does not depend on the form. */
function probes(c: StepContext, weights: readonly Candidate[]): readonly Probe[] {
  return weights.map((one) => ({
    key: one.weight.tensor.name,
    amounts,
    at: (ratio) => {
      const t = thinned(c, one, one.sparsity.removed(ratio));
      const { constant, tensor } = one.weight;
      if (constant !== undefined) return placeWeights(c.model, [t], c.runtime).model;
      const edit = new GraphEdit(c.model.graph);
      const dense = denseForm(prunedBy(tensor, t.removed, t.mask)).dense;
      if (dense !== undefined) edit.setInitializer(dense);
      return { ...c.model, graph: edit.done() };
    },
  }));
}

export function weightEvidence(c: StepContext, round: number): EvidenceRequest | undefined {
  const stage = stagesOf(c.params)[round];
  const { weights } = candidatesOf(c);
  if (stage === undefined || weights.length === 0) return undefined;
  const samples = Number(c.params.samples ?? 256);
  return stage === 'gradients'
    ? { samples, taylor: { parameters: weights.map((w) => w.weight.tensor.name) } }
    : { samples, trials: sensitivityTrials(probes(c, weights)) };
}

/** Elements to remove per weight, in order: of each its share, the weakest of all together, or what each bears. */
export function removedOf(c: StepContext, weights: readonly Candidate[]): readonly number[] {
  const ratio = Number(c.params.ratio ?? 0);
  const each = weights.map((w) => w.sparsity.removed(ratio));
  const tensors = weights.map((w) => w.weight.tensor);
  const total = Math.round(tensors.reduce((n, t) => n + elementCount(t.dims), 0) * ratio);
  if (c.params.scope === 'sensitivity') {
    const found = c.evidence?.[stagesOf(c.params).indexOf('trials')];
    return found === undefined ? each : bySensitivity(c, weights, found, total);
  }
  // By chance every weight loses its share; so it does while the gradients are not known.
  if (c.params.scope !== 'global' || c.params.criterion === 'random') return each;
  if (c.params.criterion === 'taylor')
    return c.evidence === undefined
      ? each
      : countsByScores(
          weights.map((w) => scoresOf(c, w.weight)),
          total,
        );
  const { summaries } = c;
  const known = summaries === undefined ? [] : tensors.flatMap((t) => summaries[t.name] ?? []);
  if (known.length === tensors.length) return estimatedCounts(known, total);
  return countsByScores(
    weights.map((w) => scoresOf(c, w.weight)),
    total,
  );
}

function bySensitivity(
  c: StepContext,
  weights: readonly Candidate[],
  evidence: Parameters<typeof sensitivityCurves>[1],
  total: number,
): readonly number[] {
  const shareAt = sharesBySensitivity(sensitivityCurves(probes(c, weights), evidence));
  const at = (t: number): ReadonlyMap<Candidate, number> =>
    new Map(weights.map((w) => [w, w.sparsity.removed(shareAt(w.weight.tensor.name, t))]));
  const sum = (counts: ReadonlyMap<Candidate, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);
  const met =
    meetGoal({ items: weights, at, same: (a, b) => a === b, meets: (counts) => sum(counts) >= total }) ?? at(1);
  return weights.map((w) => met.get(w) ?? 0);
}
