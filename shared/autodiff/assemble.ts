/** Owns putting models together around what is fed: nodes and stored tensors of the trained model without what is carried. */
import { readsOf } from '../ir/graph-index.ts';
import type { Graph, Model, Node, ValueInfo } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';

export const floatInfo = (name: string, shape: readonly number[]): ValueInfo => ({
  name,
  type: { kind: 'tensor', elem: 'float', shape },
});

/** Nodes and stored tensors without what is carried (it is fed instead). */
function without(
  model: Model,
  nodes: readonly Node[],
  fed: ReadonlySet<string>,
): Pick<Graph, 'nodes' | 'initializers' | 'sparseInitializers'> {
  const used = new Set(nodes.flatMap(readsOf));
  return {
    nodes: nodes.filter((n) => n.op !== 'Constant' || !fed.has(n.outputs[0] ?? '')),
    initializers: model.graph.initializers.filter((t) => used.has(t.name) && !fed.has(t.name)),
    sparseInitializers: model.graph.sparseInitializers.filter(
      (t) => used.has(t.values.name) && !fed.has(t.values.name),
    ),
  };
}

export interface Assembled {
  readonly nodes: readonly Node[];
  /** Constants beside those of the model. */
  readonly constants: readonly Tensor[];
  /** Every input: the data and what is fed in place of stored tensors. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** `model` with other nodes, inputs and outputs; what is fed is not stored. */
export function assemble(model: Model, a: Assembled): Model {
  const rest = without(model, a.nodes, new Set(a.inputs.map((i) => i.name)));
  const used = new Set(a.nodes.flatMap(readsOf));
  return {
    ...model,
    irVersion: Math.max(8, model.irVersion),
    graph: {
      ...model.graph,
      ...rest,
      initializers: [...rest.initializers, ...a.constants.filter((t) => used.has(t.name))],
      inputs: a.inputs,
      outputs: a.outputs,
      valueInfos: [],
    },
  };
}

/** A node that names a value anew. */
export const named = (from: string, to: string): Node => ({
  id: to,
  name: to,
  op: 'Identity',
  domain: '',
  inputs: [from],
  outputs: [to],
  attributes: [],
});
