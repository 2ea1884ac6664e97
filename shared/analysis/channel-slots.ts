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
import { type ClassRelation, joined } from './channel-table.ts';
import { SlotInterner } from './slot-interner.ts';

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

export const labelOf = (node: Node): string => (node.domain === '' ? node.op : `${node.domain}::${node.op}`);

/** Asks every operator of the main graph. Pure; iterative. */
export function slotTable(model: Model, facts: ReadonlyMap<string, Facts>, lookup: OpLookup): SlotTable {
  const graph = model.graph;
  const interner = new SlotInterner();
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
  interner: SlotInterner,
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
