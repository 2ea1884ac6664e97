/**
 * Owns channelGroups: which channels go together. A unit is the smallest set of indices, along all the axes it touches,
 * that can only be removed as a whole; a group is all units that touch the same axes in the same way.
 */
import { lazy } from '../base/lazy.ts';
import type { Graph, Model, Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { groupMembers, type Member } from './channel-members.ts';
import { type Frozen, type Maker, type OpLookup, type SlotTable, slotTable } from './channel-slots.ts';
import { UnionFind } from './union-find.ts';

/** The indices of a group along one class of axes. */
export interface GroupAxis {
  readonly axisClass: number;
  /** How many indices of this class each unit holds. */
  readonly perUnit: number;
  /** [units, perUnit], row by unit. */
  readonly indices: Int32Array;
}

export interface ChannelGroup {
  /** Id of its first maker; `id/2` ... where one node makes several groups. */
  readonly id: string;
  /** How many units there are, each removable on its own. */
  readonly units: number;
  /** Output channels of the first maker that one unit takes (1, or more where groups or shuffles couple them). */
  readonly channelsPerUnit: number;
  readonly makers: readonly Maker[];
  readonly axes: readonly GroupAxis[];
  /** Set where nothing may be removed. */
  readonly frozen?: Frozen;
  /** Every node that touches these channels, with the reason. */
  readonly members: () => readonly Member[];
}

export interface ChannelGroups {
  readonly groups: readonly ChannelGroup[];
  /** Groups of the channels that a node makes, by node id. */
  readonly madeBy: ReadonlyMap<string, readonly ChannelGroup[]>;
  readonly table: SlotTable;
}

interface Component {
  readonly classes: readonly number[];
}

/** Classes that relations connect to the output of a maker; all others can never be pruned and are left out. */
function components(table: SlotTable): readonly Component[] {
  const uf = new UnionFind(table.sizes.length);
  for (const r of table.relations) {
    if (r.kind === 'part') uf.merge(r.part, r.whole);
    else uf.merge(r.of, r.big);
  }
  const wanted = new Set<number>();
  for (const m of table.makers) {
    const c = table.classOf(m.output);
    if (c !== undefined) wanted.add(uf.root(c));
  }
  const byRoot = new Map<number, number[]>();
  for (let c = 0; c < table.sizes.length; c++) {
    const root = uf.root(c);
    if (!wanted.has(root)) continue;
    const list = byRoot.get(root);
    if (list === undefined) byRoot.set(root, [c]);
    else list.push(c);
  }
  return [...byRoot.values()].map((classes) => ({ classes }));
}

/**
 * Where a part begins or ends inside a class. Units are told apart by the stretches they touch, so that how many of
 * them are removed fixes every offset, whichever of them they are.
 */
function boundaries(table: SlotTable): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, Set<number>>();
  for (const r of table.relations) {
    if (r.kind !== 'part') continue;
    const set = found.get(r.whole) ?? new Set();
    found.set(r.whole, set);
    const last = r.offset + ((table.sizes[r.part] ?? 0) - 1) * r.stride;
    set.add(Math.min(r.offset, last));
    set.add(Math.max(r.offset, last) + 1);
  }
  return new Map([...found].map(([c, set]) => [c, [...set].sort((a, b) => a - b)]));
}

function joinIndices(table: SlotTable, base: readonly number[], total: number): UnionFind {
  const uf = new UnionFind(total);
  for (const r of table.relations) {
    const [small, large] = r.kind === 'part' ? [r.part, r.whole] : [r.of, r.big];
    const [from, to, n] = [base[small], base[large], table.sizes[small] ?? 0];
    if (from === undefined || to === undefined) continue;
    // Relations that contradict the sizes were frozen by the table; their indices stay within the class.
    const limit = table.sizes[large] ?? 0;
    if (r.kind === 'part') {
      for (let i = 0; i < n; i++) {
        const at = r.offset + i * r.stride;
        if (at >= 0 && at < limit) uf.merge(from + i, to + at);
      }
    } else {
      for (let o = 0; o < r.outer; o++)
        for (let i = 0; i < n; i++)
          for (let k = 0; k < r.inner; k++) {
            const at = (o * n + i) * r.inner + k;
            if (at < limit) uf.merge(from + i, to + at);
          }
    }
  }
  return uf;
}

/** One unit while it is collected: its indices per class, ascending, and the stretches they lie in. */
interface Unit {
  readonly parts: { readonly axisClass: number; readonly at: number[] }[];
  signature: string;
  stretch: string;
  count: number;
}

function collectUnits(
  table: SlotTable,
  component: Component,
  uf: UnionFind,
  base: readonly number[],
  cuts: ReadonlyMap<number, readonly number[]>,
): readonly Unit[] {
  const units = new Map<number, Unit>();
  const close = (unit: Unit): void => {
    if (unit.count > 0) unit.signature += `${unit.stretch}*${unit.count} `;
    unit.count = 0;
  };
  for (const axisClass of component.classes) {
    const start = base[axisClass] ?? 0;
    const edges = cuts.get(axisClass) ?? [];
    let region = 0;
    for (let i = 0; i < (table.sizes[axisClass] ?? 0); i++) {
      while (region < edges.length && i >= (edges[region] ?? 0)) region++;
      const root = uf.root(start + i);
      let unit = units.get(root);
      if (unit === undefined) {
        unit = { parts: [], signature: '', stretch: '', count: 0 };
        units.set(root, unit);
      }
      const stretch = `${axisClass}.${region}`;
      if (unit.stretch !== stretch) close(unit);
      unit.stretch = stretch;
      unit.count++;
      const last = unit.parts.at(-1);
      if (last?.axisClass === axisClass) last.at.push(i);
      else unit.parts.push({ axisClass, at: [i] });
    }
  }
  for (const unit of units.values()) close(unit);
  return [...units.values()];
}

function solve(model: Model, facts: ReadonlyMap<string, Facts>, lookup: OpLookup): ChannelGroups {
  const table = slotTable(model, facts, lookup);
  const found = components(table);
  const base: number[] = [];
  let total = 0;
  for (const { classes } of found)
    for (const c of classes) {
      base[c] = total;
      total += table.sizes[c] ?? 0;
    }
  const uf = joinIndices(table, base, total);
  const cuts = boundaries(table);
  const makersOf = new Map<number, Maker[]>();
  for (const m of table.makers) {
    const c = table.classOf(m.output);
    if (c !== undefined) makersOf.set(c, [...(makersOf.get(c) ?? []), m]);
  }
  const position = new Map(model.graph.nodes.map((n, i) => [n, i]));
  const groups: ChannelGroup[] = [];
  for (const component of found) {
    const bySignature = new Map<string, Unit[]>();
    for (const unit of collectUnits(table, component, uf, base, cuts)) {
      const list = bySignature.get(unit.signature);
      if (list === undefined) bySignature.set(unit.signature, [unit]);
      else list.push(unit);
    }
    for (const units of bySignature.values()) {
      const group = groupOf(model, facts, table, units, makersOf, position);
      if (group !== undefined) groups.push(group);
    }
  }
  const at = (g: ChannelGroup): number => position.get(g.makers[0]?.node as Node) ?? 0;
  groups.sort((a, b) => at(a) - at(b) || (a.axes[0]?.indices[0] ?? 0) - (b.axes[0]?.indices[0] ?? 0));
  return named(groups, table);
}

function groupOf(
  model: Model,
  facts: ReadonlyMap<string, Facts>,
  table: SlotTable,
  units: readonly Unit[],
  makersOf: ReadonlyMap<number, readonly Maker[]>,
  position: ReadonlyMap<Node, number>,
): ChannelGroup | undefined {
  const parts = units[0]?.parts ?? [];
  const makers = parts
    .flatMap((p) => makersOf.get(p.axisClass) ?? [])
    .sort((a, b) => (position.get(a.node) ?? 0) - (position.get(b.node) ?? 0));
  const first = makers[0];
  if (first === undefined) return undefined;
  const axes = parts.map((p, k): GroupAxis => {
    const indices = new Int32Array(units.length * p.at.length);
    units.forEach((u, row) => {
      indices.set(u.parts[k]?.at ?? [], row * p.at.length);
    });
    return { axisClass: p.axisClass, perUnit: p.at.length, indices };
  });
  const outputClass = table.classOf(first.output);
  const frozen = parts.map((p) => table.frozen[p.axisClass]).find((f) => f !== undefined);
  const classes = new Set(parts.map((p) => p.axisClass));
  return {
    id: first.node.id,
    units: units.length,
    channelsPerUnit: axes.find((a) => a.axisClass === outputClass)?.perUnit ?? 1,
    makers,
    axes,
    ...(frozen === undefined ? {} : { frozen }),
    members: lazy(() => groupMembers(model, facts, table, classes, makers)),
  };
}

/** Ids made unique, and the groups by the nodes that make them. */
function named(groups: readonly ChannelGroup[], table: SlotTable): ChannelGroups {
  const times = new Map<string, number>();
  const madeBy = new Map<string, ChannelGroup[]>();
  const out = groups.map((g) => {
    const n = (times.get(g.id) ?? 0) + 1;
    times.set(g.id, n);
    const group = n === 1 ? g : { ...g, id: `${g.id}/${n}` };
    for (const id of new Set(g.makers.map((m) => m.node.id))) {
      const list = madeBy.get(id);
      if (list === undefined) madeBy.set(id, [group]);
      else list.push(group);
    }
    return group;
  });
  return { groups: out, madeBy, table };
}

interface Solved {
  readonly facts: ReadonlyMap<string, Facts>;
  readonly groups: ChannelGroups;
}
const cache = new WeakMap<Graph, Map<OpLookup, Solved>>();

/**
 * The channel groups of a model's main graph, computed once per graph version, facts and rules. Frozen groups are listed with
 * the reason. `lookup` is for those that read an operator's axes otherwise, and for tests that bring their own operators.
 */
export function channelGroups(model: Model, facts: ReadonlyMap<string, Facts>, lookup: OpLookup = opOf): ChannelGroups {
  const solved = cache.get(model.graph) ?? new Map<OpLookup, Solved>();
  cache.set(model.graph, solved);
  const known = solved.get(lookup);
  if (known !== undefined && known.facts === facts) return known.groups;
  const groups = solve(model, facts, lookup);
  solved.set(lookup, { facts, groups });
  return groups;
}
