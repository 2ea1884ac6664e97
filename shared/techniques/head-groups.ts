/**
 * Owns which channel groups are the heads of an attention: those that run along a leading axis of softmax(Q K') where it is
 * multiplied with V. A projection split as [.., H * D] -> [.., H, D] is read along H here, not along D.
 */
import { type ChannelGroup, type ChannelGroups, channelGroups } from '../analysis/channel-groups.ts';
import type { OpLookup } from '../analysis/channel-slots.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { type ChannelRelation, type Facts, isNone, type Op } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { reshapeRelations } from '../ops/reshape-match.ts';

/** [H * D] -> [H, D]: the heads come first; [3 * H * D] -> [3, H, D]: behind the count of Q, K and V. */
const headsFirst = (parts: number): number => (parts === 3 ? 1 : 0);

/** Keeps what Reshape refuses: only a relation that splits is read otherwise. */
function byHeads(op: Op): Op {
  const { channels } = op;
  if (isNone(channels)) return op;
  const refuses = (r: ChannelRelation): boolean => r.kind === 'freeze';
  return {
    ...op,
    channels: {
      ...channels,
      relate: (c) => {
        const usual = channels.relate(c);
        return usual.length > 0 && usual.every(refuses) ? usual : reshapeRelations(c, headsFirst);
      },
    },
  };
}

const rewritten = new Map<Op, Op>();
const lookup: OpLookup = (node) => {
  const op = opOf(node);
  if (op === undefined || node.domain !== '' || node.op !== 'Reshape') return op;
  const known = rewritten.get(op) ?? byHeads(op);
  rewritten.set(op, known);
  return known;
};

/** Between the softmax and its product with V. */
const passing: ReadonlySet<string> = new Set(['Dropout', 'Identity', 'Cast', 'Where', 'Mul']);

/** Softmax nodes whose output weighs a MatMul's other factor. */
function attentions(model: Model): readonly Node[] {
  const index = graphIndex(model.graph);
  return model.graph.nodes.filter((softmax) => {
    if (softmax.op !== 'Softmax' || softmax.domain !== '') return false;
    let value = softmax.outputs[0] ?? '';
    for (let hop = 0; hop < 4; hop++) {
      const uses = index.uses.get(value) ?? [];
      if (uses.some((u) => u.node.op === 'MatMul' && u.input === 0)) return true;
      const next = uses.find((u) => passing.has(u.node.op));
      if (next === undefined) return false;
      value = next.node.outputs[0] ?? '';
    }
    return false;
  });
}

export interface HeadGroups extends ChannelGroups {
  /** The groups that are heads, frozen ones too; a unit is a head (or the query heads that share a key head). */
  readonly heads: readonly ChannelGroup[];
  /** Softmax nodes of the attentions met. */
  readonly attentions: readonly Node[];
}

const solved = new WeakMap<ChannelGroups, HeadGroups>();

/** The heads of a model's main graph, computed once per graph version and facts. */
export function headGroups(model: Model, facts: ReadonlyMap<string, Facts>): HeadGroups {
  const groups = channelGroups(model, facts, lookup);
  const known = solved.get(groups);
  if (known !== undefined) return known;
  const found = attentions(model);
  const classes = new Set<number>();
  for (const { outputs } of found) {
    const value = outputs[0] ?? '';
    const rank = facts.get(value)?.shape?.length ?? 0;
    for (let axis = 0; axis < rank - 2; axis++) {
      const axisClass = groups.table.classOf({ value, axis });
      if (axisClass !== undefined) classes.add(axisClass);
    }
  }
  const heads = groups.groups.filter((g) => g.axes.some((a) => classes.has(a.axisClass)));
  const made: HeadGroups = { ...groups, heads, attentions: found };
  solved.set(groups, made);
  return made;
}
