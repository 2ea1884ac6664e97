/** Owns plainNodes: a runtime's fused nodes written as the standard nodes they stand for, and a Sum of two as the Add it is. */

import { attr, attributeOf, stringAttr } from '../ir/attribute.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { type Attribute, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import type { Transformed } from './transform.ts';

const isSumOfTwo = (n: Node): boolean => n.op === 'Sum' && n.domain === '' && n.inputs.length === 2;
const isFusedConv = (n: Node): boolean => n.op === 'FusedConv' && n.domain === 'com.microsoft';

/** The activation of a FusedConv as a node: its parameters stand in one list, in the order of the operator's attributes. */
function activation(edit: GraphEdit, model: Model, node: Node, input: string): Node | undefined {
  const op = stringAttr(node, 'activation', '');
  const [first, second] = attributeOf(node, 'activation_params', 'floats') ?? [];
  const make = (attributes: readonly Attribute[] = [], more: readonly string[] = []): Node =>
    edit.make({ op, inputs: [input, ...more], outputs: node.outputs, attributes });
  switch (op) {
    case 'Relu':
      return make();
    case 'Clip': {
      if (first === undefined || second === undefined) return undefined;
      if ((opsetVersion(model) ?? 0) < 11) return make([attr.float('min', first), attr.float('max', second)]);
      const bounds = [first, second].map((v, i) => {
        const name = edit.unique(`${node.outputs[0]}_${i === 0 ? 'min' : 'max'}`);
        edit.setInitializer(numbersTensor(name, 'float', [], [v]));
        return name;
      });
      return make([], bounds);
    }
    default:
      return undefined;
  }
}

/**
 * FusedConv(x, w, b) = activation(Conv(x, w, b)). Only Relu and Clip, and no shortcut z: the values between get new names, whose
 * ranges nobody could measure on the model as it was.
 */
function unfused(edit: GraphEdit, model: Model, node: Node): readonly Node[] | undefined {
  const [x = '', w = '', b = '', z = ''] = node.inputs;
  if (z !== '') return undefined;
  const result = edit.unique(`${node.outputs[0]}_conv`);
  const last = activation(edit, model, node, result);
  if (last === undefined) return undefined;
  const attributes = node.attributes.filter((a) => !a.name.startsWith('activation'));
  const inputs = b === '' ? [x, w] : [x, w, b];
  return [{ ...node, op: 'Conv', domain: '', inputs, outputs: [result], attributes }, last];
}

/** The chosen nodes in their plain form; a Conv keeps the id of its FusedConv. What has no plain form stays. */
export function plainNodes(model: Model, chosen: (node: Node) => boolean): Transformed {
  const { graph } = model;
  const edit = new GraphEdit(graph);
  const changes: string[] = [];
  const nodes = graph.nodes.flatMap((n): readonly Node[] => {
    if (!chosen(n)) return [n];
    const plain = isSumOfTwo(n) ? [{ ...n, op: 'Add' }] : isFusedConv(n) ? unfused(edit, model, n) : undefined;
    if (plain === undefined) return [n];
    changes.push(n.id);
    return plain;
  });
  return changes.length === 0 ? { model, changes } : { model: { ...model, graph: { ...edit.done(), nodes } }, changes };
}
