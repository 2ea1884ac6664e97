/** Owns walking back from a constant input to the stored tensors that make it (masks, codebooks, scales, casts ...). */
import { elementCount, elementTypes, rawByteLength } from '../ir/element-type.ts';
import type { Graph, Node } from '../ir/model.ts';
import { subgraphs } from '../ir/subgraphs.ts';
import type { Tensor } from '../ir/tensor.ts';
import { makerOf, type Wiring } from '../ir/wiring.ts';
import type { Facts } from '../ops/declare.ts';
import { sizeOf } from '../ops/fold.ts';

type FactsMap = ReadonlyMap<string, Facts>;

/** Nodes that take a piece of a tensor: two pieces of one tensor are two weights. */
const cuts: ReadonlySet<string> = new Set(['Slice', 'Split', 'Compress', 'SplitToSequence']);

/** A shared table read by index is not the weight: the indices are what this layer owns. */
const isCodebook = (node: Node, facts: FactsMap): boolean => {
  if (node.op !== 'Gather') return false;
  const table = facts.get(node.inputs[0] ?? '')?.shape;
  const indices = sizeOf(facts.get(node.inputs[1] ?? '')?.shape);
  return table?.length === 1 && indices !== null && indices > 1;
};

/**
 * The value that identifies a weight: the stored tensor it is decoded from, or the node output that makes it. Two inputs
 * with one root share one weight and count once.
 */
export function weightRoot(graph: Graph, facts: FactsMap, name: string): string {
  let at = name;
  for (let node = makerOf(graph, at); node !== undefined; node = makerOf(graph, at)) {
    if (cuts.has(node.op)) return at;
    const next = carrier(node, facts);
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

/** The input through which a weight's identity passes. */
function carrier(node: Node, facts: FactsMap): string | undefined {
  if (node.op === 'ConstantOfShape' || node.op === 'Range' || node.op === 'EyeLike') return undefined;
  if (isCodebook(node, facts)) return node.inputs[1];
  if (node.op === 'Reshape' || node.op === 'DequantizeLinear' || node.op === 'Expand') return node.inputs[0];
  let best: string | undefined;
  let most = -1;
  for (const name of node.inputs) {
    const size = name === '' ? null : sizeOf(facts.get(name)?.shape);
    if (size !== null && size > most) {
      best = name;
      most = size;
    }
  }
  return best;
}

/** Stored bytes of a tensor's values. */
const storedBytes = (tensor: Tensor): number => {
  switch (tensor.storage.kind) {
    case 'typed':
    case 'strings':
      return tensor.storage.fieldBytes;
    default:
      return rawByteLength(tensor.type, elementCount(tensor.dims));
  }
};

function constantNodeBytes(node: Node): number {
  let bytes = 0;
  for (const a of node.attributes) {
    if (a.kind === 'tensor') bytes += storedBytes(a.value);
    else if (a.kind === 'sparseTensor') bytes += storedBytes(a.value.values) + storedBytes(a.value.indices);
    else if (a.kind === 'floats') bytes += 4 * a.value.length;
  }
  return bytes;
}

/**
 * Bytes in the file of everything that makes a constant value, each stored tensor once. `seen` holds a 1 for each value
 * counted, by its number, and is filled.
 */
export function weightBytes(graph: Graph, wiring: Wiring, id: number, seen: Uint8Array): number {
  const stack = [id];
  let bytes = 0;
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at < 0 || seen[at] !== 0) continue;
    seen[at] = 1;
    const maker = wiring.producer[at] ?? -1;
    const node = graph.nodes[maker];
    if (node !== undefined) {
      bytes += constantNodeBytes(node);
      const start = wiring.inputStart[maker] ?? 0;
      for (let k = 0; k < node.inputs.length; k++) stack.push(wiring.inputs[start + k] ?? -1);
      continue;
    }
    const tensor = graph.initializers[wiring.initializerAt[at] ?? -1];
    const sparse = graph.sparseInitializers[wiring.sparseAt[at] ?? -1];
    if (tensor !== undefined) bytes += storedBytes(tensor);
    else if (sparse !== undefined) bytes += storedBytes(sparse.values) + storedBytes(sparse.indices);
  }
  return bytes;
}

/** Bytes of tensors stored inside a node's subgraphs. */
export function insideBytes(node: Node): number {
  const stack = [...subgraphs(node)];
  let bytes = 0;
  for (let graph = stack.pop(); graph !== undefined; graph = stack.pop()) {
    for (const t of graph.initializers) bytes += storedBytes(t);
    for (const n of graph.nodes) {
      bytes += constantNodeBytes(n);
      stack.push(...subgraphs(n));
    }
  }
  return bytes;
}

/** True for the types weights are made of; int64 and int32 are shapes and indices (int32 biases aside), bool is a mask. */
export const isWeightType = (facts: Facts, role: string): boolean => {
  if (facts.elem === null) return true;
  if (facts.elem === 'int32') return role === 'bias';
  if (facts.elem === 'int64' || facts.elem === 'uint64' || facts.elem === 'uint32') return false;
  const { family } = elementTypes[facts.elem];
  return family === 'float' || family === 'int' || family === 'uint';
};
