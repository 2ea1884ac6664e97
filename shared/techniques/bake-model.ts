/** Owns bakeModel: every tensor that is still a thunk computed once and held, so that nothing before it is kept alive. */
import { type Cancel, checkCancel } from '../base/cancel.ts';
import { subgraphs } from '../ir/graph-index.ts';
import type { Attribute, Graph, Model, Node } from '../ir/model.ts';
import type { SparseTensor, Tensor } from '../ir/tensor.ts';
import { standsInFile } from '../onnx/proto.ts';

/** Tensors computed by Bantam are raw; those of a file are left as they are (external data stays on disk). */
const asRead = new WeakSet<Tensor>();

function baked(tensor: Tensor): Tensor {
  // What the file holds is no thunk; a copy would be written anew, in another form where the file's was odd.
  if (standsInFile(tensor)) return tensor;
  if (tensor.storage.kind !== 'raw' || asRead.has(tensor) || tensor.type === 'string') return tensor;
  const bytes = tensor.bytes();
  const held: Tensor = { ...tensor, bytes: () => bytes };
  asRead.add(held);
  return held;
}

const bakedSparse = (s: SparseTensor): SparseTensor => ({ ...s, values: baked(s.values), indices: baked(s.indices) });

function bakedAttribute(a: Attribute): Attribute {
  if (a.kind === 'tensor') {
    const value = baked(a.value);
    return value === a.value ? a : { ...a, value };
  }
  return a;
}

function bakedNode(node: Node): Node {
  if (!node.attributes.some((a) => a.kind === 'tensor')) return node;
  const attributes = node.attributes.map(bakedAttribute);
  return attributes.every((a, i) => a === node.attributes[i]) ? node : { ...node, attributes };
}

/**
 * The model with all thunks of its main graph resolved. Reads cancellation and reports between tensors, and gives the
 * event loop a turn every few megabytes.
 */
export async function bakeModel(model: Model, cancel: Cancel, report: (share: number) => void): Promise<Model> {
  const { graph } = model;
  const total = graph.initializers.length + graph.nodes.length;
  let since = 0;
  const initializers: Tensor[] = [];
  for (const t of graph.initializers) {
    const held = baked(t);
    initializers.push(held);
    since += held.storage.kind === 'raw' ? held.dims.reduce((a, b) => a * b, 4) : 0;
    if (since > 4_000_000) {
      since = 0;
      report(initializers.length / total);
      await Promise.resolve();
      checkCancel(cancel);
    }
  }
  const done: Graph = {
    ...graph,
    initializers,
    sparseInitializers: graph.sparseInitializers.map(bakedSparse),
    nodes: graph.nodes.map((n) => (subgraphs(n).length > 0 ? n : bakedNode(n))),
  };
  return { ...model, graph: done };
}
