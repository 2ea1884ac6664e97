/**
 * Owns sliceChannels: the model without some units of its channel groups. Shapes are final at once; which units go is
 * asked only when a tensor's bytes are. Objects that nothing touches stay the same, so caches downstream hit.
 */
import type { ChannelGroup, ChannelGroups } from '../analysis/channel-groups.ts';
import { channelContext, isLeaf } from '../analysis/channel-slots.ts';
import { factsId } from '../analysis/interned-facts.ts';
import { lazy } from '../base/lazy.ts';
import type { Dim, Graph, Model, Node, ValueInfo } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import {
  type AdaptContext,
  type ChannelContext,
  type Facts,
  isNone,
  type NodeAdaptation,
  type Slot,
} from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { type ConstantChange, setConstants } from './shape-constants.ts';
import { type Kept, sliceTensor } from './slice-tensor.ts';

/** How many units of a group go, and (when asked) which: unit numbers, any order. */
export interface Removal {
  readonly group: ChannelGroup;
  readonly count: number;
  readonly units: () => ArrayLike<number>;
}

/** Axis and class of everything in a graph that may need slicing; computed once per graph version. */
interface Touch {
  readonly initializers: ReadonlyMap<Tensor, ReadonlyMap<number, number>>;
  readonly constants: ReadonlyMap<Node, ReadonlyMap<number, number>>;
  readonly fills: readonly Fill[];
  readonly infos: ReadonlyMap<ValueInfo, ReadonlyMap<number, number>>;
  readonly adapting: readonly Adapting[];
}

/** ConstantOfShape nodes that read equal shapes and make axes of the same classes. */
interface Fill {
  readonly nodes: readonly Node[];
  readonly shape: readonly Dim[];
  readonly axes: ReadonlyMap<number, number>;
}

/** A node whose attributes or constants follow its axes. */
interface Adapting {
  readonly node: Node;
  readonly adapt: (c: AdaptContext) => NodeAdaptation;
  readonly context: ChannelContext;
  readonly classes: readonly number[];
}

const touches = new WeakMap<ChannelGroups, Touch>();

function touchOf(model: Model, facts: ReadonlyMap<string, Facts>, groups: ChannelGroups): Touch {
  const known = touches.get(groups);
  if (known !== undefined) return known;
  const { table } = groups;
  const live = new Set(groups.groups.flatMap((g) => (g.frozen === undefined ? g.axes.map((a) => a.axisClass) : [])));
  const axes = (value: string, rank: number): ReadonlyMap<number, number> | undefined => {
    const found = new Map<number, number>();
    for (let axis = 0; axis < rank; axis++) {
      const c = table.classOf({ value, axis });
      if (c !== undefined && live.has(c)) found.set(axis, c);
    }
    return found.size === 0 ? undefined : found;
  };
  const present = <K>(pairs: readonly (readonly [K, ReadonlyMap<number, number> | undefined])[]) =>
    new Map(pairs.flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const])));
  const rankOf = (v: ValueInfo): number => (v.type.kind === 'tensor' ? (v.type.shape?.length ?? 0) : 0);
  const graph = model.graph;
  const touch: Touch = {
    initializers: present(graph.initializers.map((t) => [t, axes(t.name, t.dims.length)])),
    constants: present(
      graph.nodes.filter((n) => isLeaf(n) && n.op === 'Constant').map((n) => [n, axes(n.outputs[0] ?? '', 8)]),
    ),
    fills: fillsOf(graph, facts, (n) => axes(n.outputs[0] ?? '', 8)),
    infos: present([...graph.valueInfos, ...graph.inputs].map((v) => [v, axes(v.name, rankOf(v))])),
    adapting: graph.nodes.flatMap((node) => {
      const rule = opOf(node)?.channels;
      if (rule === undefined || isNone(rule) || rule.adapt === undefined) return [];
      const classes = (table.mentions.get(node) ?? [])
        .flatMap((s) => table.classOf(s) ?? [])
        .filter((c) => live.has(c));
      return classes.length === 0
        ? []
        : [{ node, adapt: rule.adapt, context: channelContext(model, facts, node), classes }];
    }),
  };
  touches.set(groups, touch);
  return touch;
}

function fillsOf(
  graph: Graph,
  facts: ReadonlyMap<string, Facts>,
  axesOf: (node: Node) => ReadonlyMap<number, number> | undefined,
): readonly Fill[] {
  const alike = new Map<string, { nodes: Node[]; shape: readonly Dim[]; axes: ReadonlyMap<number, number> }>();
  for (const node of graph.nodes) {
    const axes = isLeaf(node) && node.op !== 'Constant' ? axesOf(node) : undefined;
    if (axes === undefined) continue;
    const key = `${factsId(facts.get(node.inputs[0] ?? ''))} ${[...axes].join(' ')}`;
    const fill = alike.get(key);
    if (fill !== undefined) fill.nodes.push(node);
    else alike.set(key, { nodes: [node], shape: facts.get(node.outputs[0] ?? '')?.shape ?? [], axes });
  }
  return [...alike.values()];
}

/** What stands along a class of axes afterwards: what stays of it, or (indices repeated) what is copied. */
export interface Cut extends Kept {
  /** As many indices as stay, as if the last units went: good for sizes and offsets, not for values. */
  readonly stand: () => readonly number[];
}

function cuts(groups: ChannelGroups, removals: readonly Removal[]): ReadonlyMap<number, Cut> {
  const byClass = new Map<number, { group: ChannelGroup; removal: Removal; axis: number }[]>();
  for (const removal of removals) {
    if (removal.count === 0) continue;
    removal.group.axes.forEach((a, axis) => {
      const list = byClass.get(a.axisClass);
      const entry = { group: removal.group, removal, axis };
      if (list === undefined) byClass.set(a.axisClass, [entry]);
      else list.push(entry);
    });
  }
  const out = new Map<number, Cut>();
  for (const [axisClass, entries] of byClass) {
    const size = groups.table.sizes[axisClass] ?? 0;
    const without = (unitsOf: (r: Removal) => ArrayLike<number>): number[] => {
      const gone = new Uint8Array(size);
      for (const { group, removal, axis } of entries) {
        const a = group.axes[axis];
        if (a === undefined) continue;
        const units = unitsOf(removal);
        for (let k = 0; k < units.length; k++)
          for (let j = 0; j < a.perUnit; j++) gone[a.indices[(units[k] ?? 0) * a.perUnit + j] ?? 0] = 1;
      }
      const kept: number[] = [];
      for (let i = 0; i < size; i++) if (gone[i] === 0) kept.push(i);
      return kept;
    };
    const lost = entries.reduce((n, e) => n + e.removal.count * (e.group.axes[e.axis]?.perUnit ?? 0), 0);
    out.set(axisClass, {
      size: size - lost,
      indices: lazy(() => without((r) => r.units())),
      stand: lazy(() => without((r) => Array.from({ length: r.count }, (_, k) => r.group.units - 1 - k))),
    });
  }
  return out;
}

const isCut = (axes: ReadonlyMap<number, number>, cut: ReadonlyMap<number, Cut>): boolean => {
  for (const c of axes.values()) if (cut.has(c)) return true;
  return false;
};

function keptAxes(
  axes: ReadonlyMap<number, number> | undefined,
  cut: ReadonlyMap<number, Cut>,
): Map<number, Kept> | undefined {
  if (axes === undefined) return undefined;
  let found: Map<number, Kept> | undefined;
  for (const [axis, c] of axes) {
    const kept = cut.get(c);
    if (kept === undefined) continue;
    found ??= new Map();
    found.set(axis, kept);
  }
  return found;
}

function slicedLeaf(node: Node, kept: ReadonlyMap<number, Kept>): Node {
  return {
    ...node,
    attributes: node.attributes.map((a) =>
      a.kind === 'tensor' && a.name === 'value' ? { ...a, value: sliceTensor(a.value, kept) } : a,
    ),
  };
}

function slicedInfo(info: ValueInfo, kept: ReadonlyMap<number, Kept> | undefined): ValueInfo {
  if (kept === undefined || info.type.kind !== 'tensor' || info.type.shape === null) return info;
  return { ...info, type: { ...info.type, shape: info.type.shape.map((d, axis) => kept.get(axis)?.size ?? d) } };
}

const replaced = <T>(items: readonly T[], change: (item: T) => T): readonly T[] => {
  let same = true;
  const out = items.map((item) => {
    const next = change(item);
    if (next !== item) same = false;
    return next;
  });
  return same ? items : out;
};

/** The model without the given units. Groups must be of this very model and not frozen. */
export const sliceChannels = (
  model: Model,
  facts: ReadonlyMap<string, Facts>,
  groups: ChannelGroups,
  removals: readonly Removal[],
): Model => gatherChannels(model, facts, groups, cuts(groups, removals));

/** The model with other indices along its axes, by class. Classes must be of groups of this very model that are not frozen. */
export function gatherChannels(
  model: Model,
  facts: ReadonlyMap<string, Facts>,
  groups: ChannelGroups,
  cut: ReadonlyMap<number, Cut>,
): Model {
  if (cut.size === 0) return model;
  const touch = touchOf(model, facts, groups);
  const changed = new Map<Node, Node>();
  const constants: ConstantChange[] = [];
  for (const [node, axes] of touch.constants) {
    const kept = keptAxes(axes, cut);
    if (kept !== undefined) changed.set(node, slicedLeaf(node, kept));
  }
  for (const { nodes, shape, axes } of touch.fills) {
    if (!isCut(axes, cut)) continue;
    const values = shape.map((d, axis) => cut.get(axes.get(axis) ?? -1)?.size ?? (typeof d === 'number' ? d : 0));
    constants.push({ nodes, input: 0, values });
  }
  const keptOf = (slot: Slot): readonly number[] | undefined => {
    const c = groups.table.classOf(slot);
    return c === undefined ? undefined : cut.get(c)?.stand();
  };
  for (const { node, adapt, context, classes } of touch.adapting) {
    if (!classes.some((c) => cut.has(c))) continue;
    const adaptation = adapt({ ...context, kept: keptOf });
    if (adaptation.attributes !== undefined || adaptation.drop !== undefined) {
      const set = adaptation.attributes ?? [];
      const names = new Set([...set.map((a) => a.name), ...(adaptation.drop ?? [])]);
      changed.set(node, {
        ...node,
        attributes: [...node.attributes.filter((a) => !names.has(a.name)), ...set],
      });
    }
    for (const [input, values] of Object.entries(adaptation.constants ?? {}))
      constants.push({ nodes: [node], input: Number(input), values });
  }
  const info = (v: ValueInfo): ValueInfo => slicedInfo(v, keptAxes(touch.infos.get(v), cut));
  const initializers = replaced(model.graph.initializers, (t) => {
    const kept = keptAxes(touch.initializers.get(t), cut);
    return kept === undefined ? t : sliceTensor(t, kept);
  });
  const graph: Graph = {
    ...model.graph,
    nodes: replaced(model.graph.nodes, (n) => changed.get(n) ?? n),
    initializers,
    inputs: replaced(model.graph.inputs, info),
    valueInfos: replaced(model.graph.valueInfos, info),
  };
  return { ...model, graph: setConstants(model, graph, facts, constants) };
}

/** The indices that stay along one axis, once `removals` are gone; undefined: all. */
export function keptAlong(
  groups: ChannelGroups,
  removals: readonly Removal[],
  slot: Slot,
): (() => ArrayLike<number>) | undefined {
  const c = groups.table.classOf(slot);
  return c === undefined ? undefined : cuts(groups, removals).get(c)?.indices;
}
