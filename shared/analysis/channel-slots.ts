/**
 * Owns the first half of the channel solver: asks every operator how its axes relate and merges the axes whose indices
 * correspond one to one into classes. What is left between classes are `part` and `repeat` relations.
 */
import { graphIndex } from '../ir/graph-index.ts';
import { type Graph, type Model, type Node, opsetVersion } from '../ir/model.ts';
import {
  type ChannelContext,
  type ChannelRelation,
  type Facts,
  isNone,
  type Op,
  type Slot,
  unknownFacts,
} from '../ops/declare.ts';

/** Why nothing may go from an axis: the sentence, and the node or value it is about. */
export interface Frozen {
  readonly reason: string;
  readonly where: string;
}

/** A node that makes channels out of a constant weight. */
export interface Maker {
  readonly node: Node;
  readonly weight: Slot;
  readonly output: Slot;
  readonly bias?: Slot;
}

/** A relation between two classes, seen from one node. */
export type ClassRelation =
  | { readonly kind: 'part'; part: number; whole: number; readonly offset: number; readonly stride: number }
  | { readonly kind: 'repeat'; of: number; big: number; readonly outer: number; readonly inner: number };

export interface SlotTable {
  /** Class of a slot; undefined where no operator speaks of that axis. */
  classOf(slot: Slot): number | undefined;
  /** Per class: length of the axis (0 where unknown; such a class is frozen). */
  readonly sizes: readonly number[];
  readonly frozen: readonly (Frozen | undefined)[];
  /** Per class: the axes in it. */
  readonly slots: readonly (readonly Slot[])[];
  readonly relations: readonly ClassRelation[];
  readonly makers: readonly Maker[];
  /** Per node: the slots that its rule speaks of. */
  readonly mentions: ReadonlyMap<Node, readonly Slot[]>;
}

export type OpLookup = (node: Node) => Op | undefined;

/** What a channel rule sees of a node. */
export function channelContext(model: Model, facts: ReadonlyMap<string, Facts>, node: Node): ChannelContext {
  const slot = (value: string | undefined, axis: number): Slot => ({ value: value ?? '', axis });
  return {
    node,
    version: opsetVersion(model, node.domain) ?? 0,
    inputs: node.inputs.map((i) => (i === '' ? undefined : (facts.get(i) ?? unknownFacts))),
    outputs: node.outputs.map((o) => facts.get(o) ?? unknownFacts),
    in: (k, axis) => slot(node.inputs[k], axis),
    out: (k, axis) => slot(node.outputs[k], axis),
  };
}

/** Operators whose output is a constant made from nothing that a rule could relate: sliced where they stand. */
export const isLeaf = (node: Node): boolean =>
  node.domain === '' && (node.op === 'Constant' || node.op === 'ConstantOfShape');

const sliceable = (node: Node): boolean =>
  node.op === 'ConstantOfShape' ||
  node.attributes.some((a) => a.kind === 'tensor' && a.name === 'value' && a.value.type !== 'string');

class Interner {
  readonly slots: Slot[] = [];
  readonly parent: number[] = [];
  readonly #byValue = new Map<string, number[]>();

  axesOf(value: string): readonly (number | undefined)[] {
    return this.#byValue.get(value) ?? [];
  }

  idOf(slot: Slot): number {
    let axes = this.#byValue.get(slot.value);
    if (axes === undefined) {
      axes = [];
      this.#byValue.set(slot.value, axes);
    }
    let id = axes[slot.axis];
    if (id === undefined) {
      id = this.slots.length;
      this.slots.push(slot);
      this.parent.push(id);
      axes[slot.axis] = id;
    }
    return id;
  }

  root(id: number): number {
    let at = id;
    for (let up = this.parent[at]; up !== undefined && up !== at; up = this.parent[at]) {
      this.parent[at] = this.parent[up] ?? up;
      at = up;
    }
    return at;
  }

  merge(a: number, b: number): void {
    const [x, y] = [this.root(a), this.root(b)];
    if (x !== y) this.parent[Math.max(x, y)] = Math.min(x, y);
  }
}

const slotsOf = (r: ChannelRelation): readonly Slot[] => {
  switch (r.kind) {
    case 'same':
      return [r.a, r.b];
    case 'part':
      return [r.part, r.whole];
    case 'repeat':
      return [r.of, r.big];
    case 'freeze':
      return [r.slot];
  }
};

const labelOf = (node: Node): string => (node.domain === '' ? node.op : `${node.domain}::${node.op}`);

/** Asks every operator of the main graph. Pure; iterative. */
export function slotTable(model: Model, facts: ReadonlyMap<string, Facts>, lookup: OpLookup): SlotTable {
  const graph = model.graph;
  const interner = new Interner();
  const freezes: { slot: number; why: Frozen }[] = [];
  const raw: { relation: ChannelRelation; node: Node }[] = [];
  const makers: Maker[] = [];
  const mentions = new Map<Node, readonly Slot[]>();
  const spoken = new Map<Node, ReadonlySet<number>>();
  const silent = new Map<Node, string>();

  for (const node of graph.nodes) {
    if (isLeaf(node)) {
      if (!sliceable(node)) silent.set(node, `${labelOf(node)} in a form that cannot be sliced`);
      continue;
    }
    const op = lookup(node);
    if (op === undefined || isNone(op.channels)) {
      silent.set(
        node,
        op !== undefined && isNone(op.channels)
          ? `${labelOf(node)}: ${op.channels.none}`
          : `${labelOf(node)} has no channel rule`,
      );
      continue;
    }
    const c = channelContext(model, facts, node);
    const said = new Map<number, Slot>();
    const mention = (slot: Slot): number => {
      const id = interner.idOf(slot);
      said.set(id, slot);
      return id;
    };
    for (const relation of op.channels.relate(c)) {
      if (slotsOf(relation).some((s) => s.value === '')) continue; // an omitted input
      switch (relation.kind) {
        case 'same':
          interner.merge(mention(relation.a), mention(relation.b));
          break;
        case 'freeze':
          freezes.push({
            slot: mention(relation.slot),
            why: { reason: `${labelOf(node)}: ${relation.reason}`, where: node.id },
          });
          break;
        case 'part':
          mention(relation.part);
          mention(relation.whole);
          raw.push({ relation, node });
          break;
        case 'repeat':
          mention(relation.of);
          mention(relation.big);
          raw.push({ relation, node });
      }
    }
    mentions.set(node, [...said.values()]);
    spoken.set(node, new Set(said.keys()));
    const made = op.channels.makes?.(c);
    if (made !== undefined && facts.get(made.weight.value)?.constant === true) makers.push({ node, ...made });
  }
  freezeUnspoken(graph, interner, spoken, silent, freezes);
  return joined(interner, raw, freezes, makers, mentions, facts);
}

/** Freezes every related axis that somebody reads or makes without speaking of it, and all that leaves the graph. */
function freezeUnspoken(
  graph: Graph,
  interner: Interner,
  spoken: ReadonlyMap<Node, ReadonlySet<number>>,
  silent: ReadonlyMap<Node, string>,
  freezes: { slot: number; why: Frozen }[],
): void {
  const all = (value: string, why: Frozen): void => {
    for (const id of interner.axesOf(value)) if (id !== undefined) freezes.push({ slot: id, why });
  };
  const index = graphIndex(graph);
  for (const o of graph.outputs) all(o.name, { reason: 'graph output', where: o.name });
  for (const i of index.requiredInputs) all(i.name, { reason: 'graph input', where: i.name });
  for (const name of index.sparseInitializer.keys())
    all(name, { reason: 'stored as a sparse tensor; turn it into a dense one first', where: name });
  for (const node of graph.nodes) {
    const mine = spoken.get(node);
    const reason = silent.get(node) ?? `${labelOf(node)} does not say what this axis means to it`;
    for (const value of [...node.inputs, ...node.outputs]) {
      if (value === '' || (mine === undefined && !silent.has(node))) continue;
      for (const id of interner.axesOf(value))
        if (id !== undefined && mine?.has(id) !== true) freezes.push({ slot: id, why: { reason, where: node.id } });
    }
  }
  for (const [value, uses] of index.uses)
    for (const use of uses)
      if (use.input === -1) all(value, { reason: `read inside a branch of ${labelOf(use.node)}`, where: use.node.id });
}

function joined(
  interner: Interner,
  raw: readonly { relation: ChannelRelation; node: Node }[],
  freezes: readonly { slot: number; why: Frozen }[],
  makers: readonly Maker[],
  mentions: ReadonlyMap<Node, readonly Slot[]>,
  facts: ReadonlyMap<string, Facts>,
): SlotTable {
  const classOfRoot = new Map<number, number>();
  const slots: Slot[][] = [];
  const classes = interner.slots.map((slot, id) => {
    const root = interner.root(id);
    let c = classOfRoot.get(root);
    if (c === undefined) {
      c = slots.length;
      classOfRoot.set(root, c);
      slots.push([]);
    }
    slots[c]?.push(slot);
    return c;
  });
  const idOf = (slot: Slot): number | undefined => interner.axesOf(slot.value)[slot.axis];
  const classOf = (slot: Slot): number | undefined => {
    const id = idOf(slot);
    return id === undefined ? undefined : classes[id];
  };
  const frozen: (Frozen | undefined)[] = slots.map(() => undefined);
  const freeze = (c: number, why: Frozen): void => {
    frozen[c] ??= why;
  };
  for (const f of freezes) {
    const c = classes[f.slot];
    if (c !== undefined) freeze(c, f.why);
  }
  const sizes: (number | undefined)[] = slots.map((members, c) => knownSize(members, facts, (why) => freeze(c, why)));
  const relations: ClassRelation[] = [];
  const asked: { at: ClassRelation; node: Node }[] = [];
  for (const { relation, node } of raw) {
    const at = classRelation(relation, classOf);
    if (at === undefined) continue;
    relations.push(at);
    asked.push({ at, node });
  }
  spreadSizes(sizes, relations);
  for (const { at, node } of asked) checkRelation(at, node, sizes, freeze);
  sizes.forEach((size, c) => {
    if (size === undefined)
      freeze(c, { reason: 'the size of this axis is unknown', where: slots[c]?.[0]?.value ?? '' });
  });
  return { classOf, sizes: sizes.map((s) => s ?? 0), frozen, slots, relations, makers, mentions };
}

function classRelation(r: ChannelRelation, classOf: (s: Slot) => number | undefined): ClassRelation | undefined {
  if (r.kind === 'part') {
    const [part, whole] = [classOf(r.part), classOf(r.whole)];
    if (part === undefined || whole === undefined) return undefined;
    return { kind: 'part', part, whole, offset: r.offset, stride: r.stride ?? 1 };
  }
  if (r.kind === 'repeat') {
    const [of, big] = [classOf(r.of), classOf(r.big)];
    if (of === undefined || big === undefined) return undefined;
    return { kind: 'repeat', of, big, outer: r.outer, inner: r.inner };
  }
  return undefined;
}

/** The length that the facts give; a class whose axes disagree is frozen, because some rule speaks nonsense. */
function knownSize(
  slots: readonly Slot[],
  facts: ReadonlyMap<string, Facts>,
  freeze: (why: Frozen) => void,
): number | undefined {
  let size: number | undefined;
  for (const slot of slots) {
    if (slot.value.startsWith('#') && !facts.has(slot.value)) continue;
    const dim = facts.get(slot.value)?.shape?.[slot.axis];
    if (typeof dim !== 'number') freeze({ reason: 'the size of this axis is unknown', where: slot.value });
    else if (size !== undefined && size !== dim) freeze({ reason: 'joined axes differ in length', where: slot.value });
    else size = dim;
  }
  return size;
}

/** Lengths of axes that only a rule knows (`#...`) follow from `repeat`. */
function spreadSizes(sizes: (number | undefined)[], relations: readonly ClassRelation[]): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const r of relations) {
      if (r.kind !== 'repeat') continue;
      const [of, big, times] = [sizes[r.of], sizes[r.big], r.outer * r.inner];
      if (of === undefined && big !== undefined && big % times === 0) {
        sizes[r.of] = big / times;
        changed = true;
      } else if (of !== undefined && big === undefined) {
        sizes[r.big] = of * times;
        changed = true;
      }
    }
  }
}

function checkRelation(
  r: ClassRelation,
  node: Node,
  sizes: readonly (number | undefined)[],
  freeze: (c: number, why: Frozen) => void,
): void {
  const [small, large] = r.kind === 'part' ? [r.part, r.whole] : [r.of, r.big];
  const [n, m] = [sizes[small], sizes[large]];
  if (n === undefined || m === undefined) return;
  const fits =
    r.kind === 'repeat'
      ? n * r.outer * r.inner === m
      : n === 0 || (r.offset >= 0 && r.offset + (n - 1) * r.stride < m && r.offset + (n - 1) * r.stride >= 0);
  if (fits) return;
  const why: Frozen = {
    reason: `${labelOf(node)}: axes of ${n} and ${m} do not relate as its rule says`,
    where: node.id,
  };
  freeze(small, why);
  freeze(large, why);
}
