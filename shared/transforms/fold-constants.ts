/**
 * Owns foldConstants: nodes whose result is known without running the graph become initializers, where that makes the file no
 * larger: shape arithmetic, Constant nodes, and Reshape, Transpose, Cast and their like on a weight that nobody else reads.
 * What decodes a compressed weight (Gather of a codebook, a widening Cast, DequantizeLinear) stays.
 */
import { inferFacts } from '../analysis/infer-facts.ts';
import { elementCount, rawByteLength } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { type GraphIndex, graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';
import { constantValue, plainConstant } from './constant-values.ts';
import type { Transformed } from './transform.ts';

/** Shape arithmetic of up to this many numbers is written out. */
const smallContent = 64;

const isKnown = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n);

/** The integers that a value is known to hold. */
function knownIntegers(name: string, facts: Facts | undefined): Tensor | undefined {
  const { elem, shape, content } = facts ?? {};
  if ((elem !== 'int64' && elem !== 'int32' && elem !== 'bool') || content === undefined || !shape) return undefined;
  if (!content.every(isKnown) || content.length > smallContent) return undefined;
  return numbersTensor(name, elem, shape as readonly number[], content);
}

/** The stored tensor that a chain of carriers starts from, by name. */
function rootOf(index: GraphIndex, name: string): string {
  let at = name;
  for (let node = index.producer.get(at); node !== undefined && node.op !== 'Constant'; node = index.producer.get(at))
    at = node.inputs[0] ?? '';
  return at;
}

/** Every value on the way from `name` back to its root is read once. */
function readOnce(index: GraphIndex, name: string): boolean {
  let at = index.producer.get(name)?.inputs[0] ?? '';
  for (;;) {
    if ((index.uses.get(at)?.length ?? 0) !== 1 || index.outputNames.has(at)) return false;
    const node = index.producer.get(at);
    if (node === undefined || node.op === 'Constant') return true;
    at = node.inputs[0] ?? '';
  }
}

const bytesOf = (t: Tensor): number => rawByteLength(t.type, elementCount(t.dims));

function folded(model: Model, index: GraphIndex, node: Node, facts: ReadonlyMap<string, Facts>): Tensor | undefined {
  const name = node.outputs[0] ?? '';
  if (node.op === 'Constant') return plainConstant(model.graph, name);
  const known = knownIntegers(name, facts.get(name));
  if (known !== undefined) return known;
  if (facts.get(name)?.constant !== true) return undefined;
  const value = constantValue(model.graph, name);
  if (value === undefined || value.uniform !== undefined || !readOnce(index, name)) return undefined;
  const root = plainConstant(model.graph, rootOf(index, name));
  if (root === undefined || bytesOf(value.tensor) > bytesOf(root)) return undefined;
  return value.tensor.type === 'string' ? undefined : value.tensor;
}

/** One pass; call again for what only then is seen. Facts are those of the file alone: no size is assumed. */
export function foldConstants(model: Model): Transformed {
  const { graph } = model;
  const index = graphIndex(graph);
  const facts = inferFacts(model);
  const gone = new Set<string>();
  const made: Tensor[] = [];
  for (const node of index.order) {
    if (node.domain !== '' && node.domain !== 'ai.onnx') continue;
    const name = node.outputs[0] ?? '';
    if (node.outputs.length !== 1 || index.outputNames.has(name)) continue;
    const tensor = folded(model, index, node, facts);
    if (tensor === undefined || tensor.type === 'string') continue;
    gone.add(node.id);
    made.push({ ...lazyTensor(name, tensor.type, tensor.dims, () => tensor.bytes().slice()) });
  }
  if (gone.size === 0) return { model, changes: [] };
  const edit = new GraphEdit({ ...graph, nodes: graph.nodes.filter((n) => !gone.has(n.id)) });
  for (const t of made) edit.setInitializer(t);
  // Before IR 4 every initializer is listed as an input too.
  if (model.irVersion < 4)
    edit.setInputs([
      ...graph.inputs,
      ...made.map((t) => ({ name: t.name, type: { kind: 'tensor', elem: t.type, shape: t.dims } as const })),
    ]);
  edit.dropValueInfos((v) => made.some((t) => t.name === v));
  edit.removeUnused();
  return { model: { ...model, graph: edit.done() }, changes: [...gone] };
}
