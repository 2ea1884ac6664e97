/** Owns what prune-channels asks of samples, round by round, and how its choices read the answers. */
import type { ChannelGroup, ChannelGroups } from '../analysis/channel-groups.ts';
import type { ChannelAxis, EvidenceRequest } from '../analysis/evidence.ts';
import { type Probe, type SensitivityCurve, sensitivityCurves, sensitivityTrials } from '../analysis/sensitivity.ts';
import { lazy } from '../base/lazy.ts';
import { rng } from '../base/random.ts';
import { unitsToRemove } from './channel-count.ts';
import { lassoFrom } from './channel-lasso.ts';
import { ascending, ranking, type WeightCriterion } from './channel-rank.ts';
import { featuresOf, readersOf } from './channel-readers.ts';
import { rowsFor } from './channel-refit.ts';
import { evidenceOf, type StepContext } from './declare.ts';
import { type Removal, sliceChannels } from './slice-channels.ts';

export type Criterion = WeightCriterion | 'taylor' | 'activation' | 'lasso' | 'random';

export const criterionOf = (params: StepContext['params']): Criterion => (params.criterion ?? 'l1') as Criterion;

const fromSamples: ReadonlySet<Criterion> = new Set(['taylor', 'activation', 'lasso']);

/** Whether the criterion looks at samples. */
export const observes = (params: StepContext['params']): boolean => fromSamples.has(criterionOf(params));

/** The rounds before the refits, in order. */
export type Stage = 'scores' | 'trials';
export function stagesOf(params: StepContext['params']): readonly Stage[] {
  const scores = fromSamples.has(criterionOf(params)) || params.reconstruct === true;
  return [...(scores ? (['scores'] as const) : []), ...(params.spread === 'sensitivity' ? (['trials'] as const) : [])];
}
export const roundOf = (params: StepContext['params'], stage: Stage): number => stagesOf(params).indexOf(stage);

export const samplesOf = (params: StepContext['params']): number => Number(params.samples ?? 256);

/** Activations or rows that the criterion, and the refit later, need of the model as it is. */
export function scoresRequest(c: StepContext, groups: ChannelGroups, open: readonly ChannelGroup[]): EvidenceRequest {
  const criterion = criterionOf(c.params);
  const features: readonly ChannelAxis[] = open
    .flatMap((g) => featuresOf(c.model, groups, g))
    .map(({ value, axis }) => ({ value, axis }));
  const wantsRows = criterion === 'lasso' || c.params.reconstruct === true;
  const readers = wantsRows
    ? [...new Map(open.flatMap((g) => readersOf(c.model, c.facts, groups, g)).map((r) => [r.node.id, r])).values()]
    : [];
  return {
    samples: samplesOf(c.params),
    ...(criterion === 'activation' ? { channels: features } : {}),
    ...(criterion === 'taylor' ? { taylor: { channels: features } } : {}),
    ...(readers.length > 0 ? { rows: readers.map((r) => ({ node: r.node.id, rows: rowsFor(readers, r) })) } : {}),
  };
}

/** Per unit, the sum over the makers' features of a number per channel. */
function featureScores(
  c: StepContext,
  groups: ChannelGroups,
  group: ChannelGroup,
  of: (axis: ChannelAxis) => Float64Array,
): Float64Array {
  const scores = new Float64Array(group.units);
  for (const feature of featuresOf(c.model, groups, group)) {
    const channels = of({ value: feature.value, axis: feature.axis });
    const { indices, perUnit } = feature.units;
    for (let u = 0; u < group.units; u++)
      for (let k = 0; k < perUnit; k++) scores[u] = (scores[u] ?? 0) + (channels[indices[u * perUnit + k] ?? 0] ?? 0);
  }
  return scores;
}

/** Units of a group from the weakest on, when `count` of them are to go. Called from inside thunks only. */
export function weakest(c: StepContext, groups: ChannelGroups, group: ChannelGroup, count: number): ArrayLike<number> {
  const criterion = criterionOf(c.params);
  const evidence = lazy(() => evidenceOf(c, roundOf(c.params, 'scores')));
  switch (criterion) {
    case 'taylor':
      return ascending(featureScores(c, groups, group, (a) => evidence().taylor(a))).subarray(0, count);
    case 'activation':
      return ascending(featureScores(c, groups, group, (a) => evidence().channel(a).meanAbs)).subarray(0, count);
    case 'lasso': {
      const readers = readersOf(c.model, c.facts, groups, group);
      // Nothing linear reads these channels: the norm decides.
      if (readers.length === 0) return ranking(c.model, groups, group, 'l1').subarray(0, count);
      return ascending(lassoFrom(group, readers, evidence(), c.seed, group.units - count)).subarray(0, count);
    }
    case 'random':
      return rng(c.seed)
        .fork(group.id)
        .shuffle(Array.from({ length: group.units }, (_, u) => u))
        .slice(0, count);
    default:
      return ranking(c.model, groups, group, criterion).subarray(0, count);
  }
}

export const removalOf = (c: StepContext, groups: ChannelGroups, group: ChannelGroup, count: number): Removal => ({
  group,
  count,
  units: lazy(() => weakest(c, groups, group, count)),
});

const amounts = [0.25, 0.5, 0.75, 0.9];

/** One group alone pruned by some shares, for every group. */
function probes(c: StepContext, groups: ChannelGroups, open: readonly ChannelGroup[]): readonly Probe[] {
  return open.map((group) => ({
    key: group.id,
    amounts,
    at: (ratio) => {
      const { units } = unitsToRemove(group, { ratio, multipleOf: 1 });
      return sliceChannels(c.model, c.facts, groups, [removalOf(c, groups, group, units)]);
    },
  }));
}

export const trialsRequest = (
  c: StepContext,
  groups: ChannelGroups,
  open: readonly ChannelGroup[],
): EvidenceRequest => ({ samples: samplesOf(c.params), trials: sensitivityTrials(probes(c, groups, open)) });

/** What each group bears; undefined before the trials have run. */
export function curvesOf(
  c: StepContext,
  groups: ChannelGroups,
  open: readonly ChannelGroup[],
): readonly SensitivityCurve[] | undefined {
  const found = c.evidence?.[roundOf(c.params, 'trials')];
  return found === undefined ? undefined : sensitivityCurves(probes(c, groups, open), found);
}
