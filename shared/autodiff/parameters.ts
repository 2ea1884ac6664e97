/** Owns which stored tensors a model trains, their values as floats, and putting new values back where they stood. */

import { inferFacts } from '../analysis/infer-facts.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { type GraphIndex, graphIndex } from '../ir/graph-index.ts';
import type { Graph, Model, Node } from '../ir/model.ts';
import { sparsePositions } from '../ir/sparse-positions.ts';
import { lazyTensor, type SparseTensor, type Tensor } from '../ir/tensor.ts';
import { packNumbers, toFloat32 } from '../ir/values.ts';
import type { Facts, ParameterRole } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { heldBy } from '../transforms/constant-values.ts';

export interface Parameter {
  /** Name of the value: an initializer, a sparse initializer, or the output of a Constant node. */
  readonly name: string;
  readonly role: ParameterRole;
  readonly dims: readonly number[];
  /** A copy of the values, dense. */
  readonly values: Float32Array;
  /** 1 where the value is not an exact zero; undefined where none is zero. Only weights: zero biases are no mask. */
  readonly mask?: Float32Array;
}

function dense(s: SparseTensor): Float32Array {
  const out = new Float32Array(s.dims.reduce((a, b) => a * b, 1));
  const values = toFloat32(s.values);
  for (const [k, at] of sparsePositions(s).entries()) out[at] = values[k] ?? 0;
  return out;
}

interface Stored {
  readonly dims: readonly number[];
  readonly values: () => Float32Array;
}

function storedFloat(index: GraphIndex, name: string): Stored | undefined {
  const tensor = index.initializer.get(name) ?? heldBy(index.producer.get(name));
  if (tensor !== undefined)
    return tensor.type === 'float' ? { dims: tensor.dims, values: () => toFloat32(tensor).slice() } : undefined;
  const sparse = index.sparseInitializer.get(name);
  return sparse?.values.type === 'float' ? { dims: sparse.dims, values: () => dense(sparse) } : undefined;
}

/** A float tensor of zeros and ones alone chooses among others; it is not learnt. Biases may begin as zeros. */
const isMask = (values: Float32Array): boolean =>
  values.length > 1 && values.includes(0) && values.every((v) => v === 0 || v === 1);

/** Their scales are no parameters: only the numbers themselves are learnt, and integers are not. */
const steps = new Set(['QuantizeLinear', 'DequantizeLinear']);

const countOf = (facts: Facts | undefined): number =>
  (facts?.shape ?? []).reduce<number>((n, d) => n * (typeof d === 'number' ? d : 1), 1);

/** Inputs of a decoding node behind which its numbers stand: scales are left out, those of integers cast and scaled too. */
function numbersOf(node: Node, index: GraphIndex, facts: ReadonlyMap<string, Facts>): readonly string[] {
  if (steps.has(node.op)) return node.inputs.slice(0, 1);
  if (node.op !== 'Mul') return node.inputs;
  const cast = node.inputs.find((i) => index.producer.get(i)?.op === 'Cast');
  // A factor as large as the numbers is no scale: a mask beside its weights.
  return cast === undefined
    ? node.inputs
    : node.inputs.filter((i) => i === cast || countOf(facts.get(i)) >= countOf(facts.get(cast)));
}

/**
 * Names of the stored float tensors behind the parameter inputs of a node, with their roles; also through the nodes that decode
 * them (masks, codebooks, kept values). Empty where its weights are integers. Reads no values.
 */
export function trainableBehind(
  graph: Graph,
  facts: ReadonlyMap<string, Facts>,
  node: Node,
): ReadonlyMap<string, ParameterRole> {
  const index = graphIndex(graph);
  const roles = new Map<string, ParameterRole>();
  for (const [k, role] of Object.entries(opOf(node)?.parameters ?? {})) {
    const input = node.inputs[Number(k)] ?? '';
    if (input === '' || facts.get(input)?.constant !== true) continue;
    const stack = [input];
    const seen = new Set<string>();
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (at === '' || seen.has(at)) continue;
      seen.add(at);
      const stored = storedFloat(index, at);
      // A single number beside Add and Mul is a constant of the net.
      const single = (node.op === 'Add' || node.op === 'Mul') && stored?.dims.every((d) => d === 1);
      if (stored !== undefined && single !== true && !roles.has(at)) roles.set(at, role);
      const made = index.producer.get(at);
      if (made !== undefined) stack.push(...numbersOf(made, index, facts));
    }
  }
  return roles;
}

/** Every parameter of a model, or those of some nodes (ids) alone. */
export function parametersOf(model: Model, only?: ReadonlySet<string>): readonly Parameter[] {
  const index = graphIndex(model.graph);
  const facts = inferFacts(model);
  const roles = new Map<string, ParameterRole>();
  for (const node of index.order) {
    if (only !== undefined && !only.has(node.id)) continue;
    for (const [name, role] of trainableBehind(model.graph, facts, node)) if (!roles.has(name)) roles.set(name, role);
  }
  return [...roles].flatMap(([name, role]): readonly Parameter[] => {
    const stored = storedFloat(index, name);
    if (stored === undefined) return [];
    const values = stored.values();
    if (role !== 'bias' && isMask(values)) return [];
    const zeros = role === 'weight' && values.includes(0);
    const mask = zeros ? Float32Array.from(values, (v) => (v === 0 ? 0 : 1)) : undefined;
    return [{ name, role, dims: stored.dims, values, ...(mask === undefined ? {} : { mask }) }];
  });
}

const floatTensor = (name: string, dims: readonly number[], values: Float32Array): Tensor =>
  lazyTensor(name, 'float', dims, () => packNumbers('float', values));

/** The model with new values for some stored tensors, each in the form in which it stands (dense, sparse, Constant). */
export function withValues(model: Model, values: ReadonlyMap<string, Float32Array>): Model {
  const index = graphIndex(model.graph);
  const edit = new GraphEdit(model.graph);
  const nodes = new Map<string, Node>();
  for (const [name, now] of values) {
    const tensor = index.initializer.get(name);
    const sparse = index.sparseInitializer.get(name);
    const constant = index.producer.get(name);
    const held = heldBy(constant);
    if (tensor !== undefined) edit.setInitializer(floatTensor(name, tensor.dims, now));
    else if (sparse !== undefined) {
      const kept = Float32Array.from(sparsePositions(sparse), (at) => now[at] ?? 0);
      edit.setSparseInitializer({ ...sparse, values: floatTensor(name, sparse.values.dims, kept) });
    } else if (constant !== undefined && held !== undefined)
      nodes.set(constant.id, {
        ...constant,
        attributes: [{ name: 'value', kind: 'tensor', value: floatTensor('', held.dims, now) }],
      });
  }
  edit.updateNodes(nodes);
  return { ...model, graph: edit.done() };
}
