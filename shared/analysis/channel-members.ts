/** Owns groupMembers: every node that touches a channel group, with the reason a person reads. */
import type { Model, Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import type { Maker, SlotTable } from './channel-slots.ts';

export interface Member {
  readonly node: string;
  readonly role: 'makes' | 'joins' | 'concatenates' | 'passes' | 'reads';
  /** "the Add that joins two branches", "Concat at 64", "reads these channels" */
  readonly reason: string;
}

/** Members in graph order. `classes`: the classes that the group touches. */
export function groupMembers(
  model: Model,
  facts: ReadonlyMap<string, Facts>,
  table: SlotTable,
  classes: ReadonlySet<number>,
  makers: readonly Maker[],
): readonly Member[] {
  const makes = new Set(makers.map((m) => m.node));
  const out: Member[] = [];
  for (const node of model.graph.nodes) {
    const touched = (table.mentions.get(node) ?? []).filter((s) => {
      const c = table.classOf(s);
      return c !== undefined && classes.has(c);
    });
    if (touched.length === 0) continue;
    const values = new Set(touched.map((s) => s.value));
    if (makes.has(node)) out.push({ node: node.id, role: 'makes', reason: 'makes these channels' });
    else if (!node.outputs.some((o) => values.has(o)))
      out.push({ node: node.id, role: 'reads', reason: 'reads these channels' });
    else out.push(passing(node, facts, table, values, classes));
  }
  return out;
}

function passing(
  node: Node,
  facts: ReadonlyMap<string, Facts>,
  table: SlotTable,
  values: ReadonlySet<string>,
  classes: ReadonlySet<number>,
): Member {
  const branches = new Set(node.inputs.filter((i) => values.has(i) && facts.get(i)?.constant !== true));
  if (node.op === 'Concat') {
    let offset = 0;
    for (const input of node.inputs) {
      const shape = facts.get(input)?.shape ?? [];
      const axis = shape.findIndex((_, a) => {
        const c = table.classOf({ value: input, axis: a });
        return c !== undefined && classes.has(c);
      });
      if (axis >= 0) return { node: node.id, role: 'concatenates', reason: `${node.op} at ${offset}` };
      offset += concatLength(node, table, classes, facts, input);
    }
  }
  if (branches.size > 1)
    return { node: node.id, role: 'joins', reason: `the ${node.op} that joins ${branches.size} branches` };
  return { node: node.id, role: 'passes', reason: 'passes them through' };
}

/** Length of one input along the axis that the Concat joins: the axis of its output that the group touches. */
function concatLength(
  node: Node,
  table: SlotTable,
  classes: ReadonlySet<number>,
  facts: ReadonlyMap<string, Facts>,
  input: string,
): number {
  const out = node.outputs[0] ?? '';
  const axis = (facts.get(out)?.shape ?? []).findIndex((_, a) => {
    const c = table.classOf({ value: out, axis: a });
    return c !== undefined && classes.has(c);
  });
  const dim = facts.get(input)?.shape?.[axis];
  return typeof dim === 'number' ? dim : 0;
}
