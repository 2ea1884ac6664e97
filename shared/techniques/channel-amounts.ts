/**
 * Owns how much goes from each channel group: the same share of each, or what each bears, up to a share of channels, of MACs or of
 * parameters of the whole model, solved over all groups on the figures of the candidate model itself.
 */
import type { ChannelGroup, ChannelGroups } from '../analysis/channel-groups.ts';
import type { ShapeChoice } from '../analysis/figures.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { type SensitivityCurve, sharesBySensitivity } from '../analysis/sensitivity.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { fixedDims, type Model } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import { type Amount, type Decision, unitsToRemove } from './channel-count.ts';
import { meetGoal } from './meet-goal.ts';
import { sliceChannels } from './slice-channels.ts';

export type Goal = 'channels' | 'macs' | 'parameters';

export interface AmountContext {
  readonly model: Model;
  readonly facts: ReadonlyMap<string, Facts>;
  readonly groups: ChannelGroups;
  /** Those that may lose something, in graph order. */
  readonly open: readonly ChannelGroup[];
}

export interface Amounts {
  readonly decisions: ReadonlyMap<ChannelGroup, Decision>;
  /** Set where the goal could not be reached, or not be counted. */
  readonly short?: 'unreachable' | 'unknown';
}

type Decisions = ReadonlyMap<ChannelGroup, Decision>;

/** Share of a group at effort t in 0..1; rises with t. */
export type ShareAt = (group: ChannelGroup, t: number) => number;

export const uniform: ShareAt = (_, t) => t;

/** Every group to where its output noise reaches one level. */
export function bySensitivity(curves: readonly SensitivityCurve[]): ShareAt {
  const shareAt = sharesBySensitivity(curves);
  return (group, t) => shareAt(group.id, t);
}

/** Sizes as they were chosen, so that a candidate is counted under the same ones. */
export function chosenShapes({ model, facts }: Pick<AmountContext, 'model' | 'facts'>): ShapeChoice {
  const inputs: Record<string, readonly number[]> = {};
  for (const { name } of graphIndex(model.graph).requiredInputs) {
    const shape = fixedDims(facts.get(name)?.shape);
    if (shape !== undefined) inputs[name] = shape;
  }
  return { inputs };
}

function figureOf(c: AmountContext, goal: Goal, decisions: Decisions): number | null {
  if (goal === 'channels')
    return c.open.reduce((n, g) => n + (g.units - (decisions.get(g)?.units ?? 0)) * g.channelsPerUnit, 0);
  // Which ones is all the same to the figures.
  const removals = [...decisions].map(([group, { units }]) => ({
    group,
    count: units,
    units: () => Array.from({ length: units }, (_, k) => group.units - 1 - k),
  }));
  const figures = measureFigures(sliceChannels(c.model, c.facts, c.groups, removals), chosenShapes(c));
  return goal === 'macs' ? figures.macs : figures.parameters;
}

const at = (c: AmountContext, t: number, shareAt: ShareAt, multipleOf: number): Decisions =>
  new Map(c.open.map((g) => [g, unitsToRemove(g, { ratio: shareAt(g, t), multipleOf })]));

/**
 * The least that brings the figure down to (1 - share) of what it is. The figure of the result is at most the goal, and above it
 * with one step of one group less.
 */
export function amountsFor(c: AmountContext, goal: Goal, share: number, multipleOf: number, shareAt: ShareAt): Amounts {
  const none = new Map(c.open.map((g) => [g, { units: 0 }] as const));
  const whole = figureOf(c, goal, none);
  if (whole === null) return { decisions: none, short: 'unknown' };
  // Channels are whole: the nearest number of them.
  const limit = goal === 'channels' ? whole - Math.round(whole * share) : whole * (1 - share);
  const decisions = meetGoal<ChannelGroup, Decision>({
    items: c.open,
    at: (t) => at(c, t, shareAt, multipleOf),
    same: (a, b) => a?.units === b?.units,
    meets: (d) => (figureOf(c, goal, d) ?? Number.POSITIVE_INFINITY) <= limit,
  });
  return decisions === undefined ? { decisions: at(c, 1, shareAt, multipleOf), short: 'unreachable' } : { decisions };
}

/** A share or a number of each group, as ever. */
export const amountsEach = (c: AmountContext, amount: Amount): Amounts => ({
  decisions: new Map(c.open.map((g) => [g, unitsToRemove(g, amount)])),
});
