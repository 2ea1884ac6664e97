/**
 * Owns copyChannels: a model whose channel groups got wider by copies of their own channels, computing what it did before
 * (Net2WiderNet, Chen et al. 2016): makers' filters are copied, readers' weights divided among the copies.
 */
import { type ChannelGroup, type ChannelGroups, channelGroups } from '../analysis/channel-groups.ts';
import type { Frozen } from '../analysis/channel-slots.ts';
import { rng } from '../base/random.ts';
import type { Model } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import { channelReaders } from './channel-sums.ts';
import { type Growth, grownOrders, type Order } from './grow-order.ts';
import { shareReaders } from './share-readers.ts';
import { type Cut, gatherChannels } from './slice-channels.ts';

type FactsMap = ReadonlyMap<string, Facts>;

/** Why a group cannot get copies; undefined where it can. */
export function growthBarrier(
  model: Model,
  facts: FactsMap,
  groups: ChannelGroups,
  group: ChannelGroup,
): Frozen | undefined {
  if (group.frozen !== undefined) return group.frozen;
  const { mixed } = channelReaders(model, facts, groups);
  return group.axes.map((a) => mixed.get(a.axisClass)).find((why) => why !== undefined);
}

/** Which units are copied: all once before any twice, in an order drawn from the seed. */
export function drawSources(group: ChannelGroup, count: number, seed: number): readonly number[] {
  const random = rng(seed).fork(`widen ${group.id}`);
  const units = Array.from({ length: group.units }, (_, u) => u);
  const out: number[] = [];
  while (out.length < count) out.push(...random.shuffle(units).slice(0, count - out.length));
  return out;
}

/**
 * What each copy of a unit counts for, summing to 1. `uneven` 0: all alike. Above, unequal parts, so that copies learn different
 * things: the gradient of a filter goes through the weights that read it.
 */
function partsOf(
  group: ChannelGroup,
  sources: readonly number[],
  uneven: number,
  seed: number,
): readonly (readonly number[])[] {
  const random = rng(seed).fork(`shares ${group.id}`);
  const times = new Array<number>(group.units).fill(1);
  for (const u of sources) times[u] = (times[u] ?? 1) + 1;
  return times.map((m) => {
    const raw = Array.from({ length: m }, () => 1 + (m === 1 ? 0 : uneven * (2 * random.next() - 1)));
    const sum = raw.reduce((a, b) => a + b, 0);
    return raw.map((x) => x / sum);
  });
}

const memo = new WeakMap<ChannelGroup, Int32Array[]>();

/** Unit of each index, by axis of the group; -1 where an index is of another group. */
function unitsAlong(group: ChannelGroup, axis: number, size: number): Int32Array {
  const all = memo.get(group) ?? [];
  memo.set(group, all);
  let units = all[axis];
  if (units === undefined) {
    units = new Int32Array(size).fill(-1);
    const a = group.axes[axis];
    for (let k = 0; a !== undefined && k < a.indices.length; k++) units[a.indices[k] ?? 0] = Math.floor(k / a.perUnit);
    all[axis] = units;
  }
  return units;
}

export interface Copied {
  readonly model: Model;
  /** Groups that had to stay as they were, because copies could not stand where the graph needs them. */
  readonly torn: ReadonlySet<ChannelGroup>;
}

/** Copies channels. Growths must be of groups without a barrier. */
export function copyChannels(
  model: Model,
  facts: FactsMap,
  growths: readonly Growth[],
  options: { readonly uneven: number; readonly seed: number },
): Copied {
  const groups = channelGroups(model, facts);
  const torn = new Set<ChannelGroup>();
  let taken = growths.filter((g) => g.sources.length > 0);
  let grown = grownOrders(groups.table, taken);
  while (grown.torn.size > 0) {
    const out = taken.filter((g) => g.group.axes.some((a) => grown.torn.has(a.axisClass)));
    if (out.length === 0) break;
    for (const g of out) torn.add(g.group);
    taken = taken.filter((g) => !out.includes(g));
    grown = grownOrders(groups.table, taken);
  }
  if (taken.length === 0) return { model, torn };
  const cut = new Map<number, Cut>();
  for (const [c, order] of grown.orders)
    cut.set(c, { size: order.indices.length, indices: () => order.indices, stand: () => order.indices });
  const shares = sharesByClass(groups, taken, grown.orders, options);
  const { readers } = channelReaders(model, facts, groups);
  const wide = gatherChannels(model, facts, groups, cut);
  return { model: shareReaders(model, facts, wide, readers, (c) => shares.get(c)), torn };
}

function sharesByClass(
  groups: ChannelGroups,
  growths: readonly Growth[],
  orders: ReadonlyMap<number, Order>,
  { uneven, seed }: { readonly uneven: number; readonly seed: number },
): ReadonlyMap<number, readonly number[]> {
  const shares = new Map<number, number[]>();
  for (const [c, order] of orders) shares.set(c, new Array<number>(order.indices.length).fill(1));
  for (const { group, sources } of growths) {
    const parts = partsOf(group, sources, uneven, seed);
    group.axes.forEach((a, axis) => {
      const order = orders.get(a.axisClass);
      const mine = shares.get(a.axisClass);
      if (order === undefined || mine === undefined) return;
      const units = unitsAlong(group, axis, groups.table.sizes[a.axisClass] ?? 0);
      order.indices.forEach((i, k) => {
        const unit = units[i] ?? -1;
        if (unit >= 0) mine[k] = parts[unit]?.[order.copies[k] ?? 0] ?? 1;
      });
    });
  }
  return shares;
}
