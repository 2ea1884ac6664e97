/**
 * Owns the constant behind a value: an initializer, a Constant or ConstantOfShape node, or one of these through Reshape, Transpose,
 * Unsqueeze, Squeeze, Flatten, Cast or Identity. Shape and type at once, values when asked.
 */
import { attributeOf, intAttr, intsAttr } from '../ir/attribute.ts';
import { type ElementType, elementCount, elementTypeOfCode } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Graph, Node } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { packNumbers, toBigInts, toNumbers } from '../ir/values.ts';

export interface ConstantValue {
  readonly tensor: Tensor;
  /** All elements are this one scalar tensor's value (ConstantOfShape): it need not be written out. */
  readonly uniform?: Tensor;
}

/** Nodes that only carry a constant on; the first input is what they carry. */
const carriers = new Set(['Reshape', 'Transpose', 'Unsqueeze', 'Squeeze', 'Flatten', 'Cast', 'Identity']);

const isDefault = (n: Node): boolean => n.domain === '' || n.domain === 'ai.onnx';

/** The `value` tensor of a Constant node; undefined for any other node, or another of its attributes. */
export function heldBy(node: Node | undefined): Tensor | undefined {
  if (node?.op !== 'Constant' || !isDefault(node)) return undefined;
  const value = node.attributes.find((a) => a.name === 'value');
  return value?.kind === 'tensor' ? value.value : undefined;
}

/** An initializer or the tensor of a Constant node. */
export function plainConstant(graph: Graph, name: string): Tensor | undefined {
  const index = graphIndex(graph);
  const found = index.initializer.get(name);
  if (found !== undefined) return found;
  const maker = index.producer.get(name);
  const held = heldBy(maker);
  return held === undefined ? undefined : { ...held, name };
}

/** Small integers of a constant (shapes, axes), INT64_MAX rounded. */
export const integersOf = (tensor: Tensor): readonly number[] => toBigInts(tensor).map(Number);

function constantOfShape(graph: Graph, node: Node): ConstantValue | undefined {
  const shape = plainConstant(graph, node.inputs[0] ?? '');
  if (shape === undefined) return undefined;
  const dims = integersOf(shape);
  const given = attributeOf(node, 'value', 'tensor');
  const uniform = given ?? lazyTensor('', 'float', [1], () => packNumbers('float', [0]));
  const name = node.outputs[0] ?? '';
  return { tensor: filled(name, dims, uniform), uniform };
}

/** A tensor of one value. */
export const filled = (name: string, dims: readonly number[], value: Tensor): Tensor =>
  lazyTensor(name, value.type, dims, () => {
    const bytes = packNumbers(value.type, new Float64Array(elementCount(dims)).fill(toNumbers(value)[0] ?? 0));
    return bytes;
  });

/** Dims with `perm` applied and a lazy copy of the values. */
export function transposed(tensor: Tensor, perm: readonly number[], name = tensor.name): Tensor {
  const dims = perm.map((p) => tensor.dims[p] ?? 1);
  return lazyTensor(name, tensor.type, dims, () => {
    const from = toNumbers(tensor);
    const strides = tensor.dims.map((_, i) => elementCount(tensor.dims.slice(i + 1)));
    const steps = perm.map((p) => strides[p] ?? 1);
    const out = new Float64Array(from.length);
    const at = dims.map(() => 0);
    let source = 0;
    for (let k = 0; k < out.length; k++) {
      out[k] = from[source] ?? 0;
      for (let d = dims.length - 1; d >= 0; d--) {
        at[d] = (at[d] ?? 0) + 1;
        source += steps[d] ?? 0;
        if ((at[d] ?? 0) < (dims[d] ?? 1)) break;
        source -= (steps[d] ?? 0) * (dims[d] ?? 1);
        at[d] = 0;
      }
    }
    return packNumbers(tensor.type, out);
  });
}

function axesOf(graph: Graph, node: Node): readonly number[] | undefined {
  const given = intsAttr(node, 'axes');
  if (given !== undefined) return given;
  const held = plainConstant(graph, node.inputs[1] ?? '');
  return held === undefined ? undefined : integersOf(held);
}

function newDims(graph: Graph, node: Node, dims: readonly number[]): readonly number[] | undefined {
  switch (node.op) {
    case 'Identity':
    case 'Cast':
      return dims;
    case 'Flatten': {
      const axis = intAttr(node, 'axis', 1);
      const at = axis < 0 ? axis + dims.length : axis;
      return [elementCount(dims.slice(0, at)), elementCount(dims.slice(at))];
    }
    case 'Squeeze': {
      const axes = axesOf(graph, node);
      if (axes === undefined && (node.inputs[1] ?? '') !== '') return undefined;
      const gone = axes?.map((a) => (a < 0 ? a + dims.length : a));
      return dims.filter((d, i) => (gone === undefined ? d !== 1 : !gone.includes(i)));
    }
    case 'Unsqueeze': {
      const axes = axesOf(graph, node);
      if (axes === undefined) return undefined;
      const rank = dims.length + axes.length;
      const added = new Set(axes.map((a) => (a < 0 ? a + rank : a)));
      let next = 0;
      return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (dims[next++] ?? 1)));
    }
    case 'Reshape': {
      const held = plainConstant(graph, node.inputs[1] ?? '');
      const target = intsAttr(node, 'shape') ?? (held === undefined ? undefined : integersOf(held));
      if (target === undefined || intAttr(node, 'allowzero', 0) !== 0) return undefined;
      const out = target.map((t, i) => (t === 0 ? (dims[i] ?? 1) : t));
      const hole = out.indexOf(-1);
      const rest = elementCount(out.filter((d) => d !== -1));
      return hole < 0 ? out : out.map((d, i) => (i === hole ? elementCount(dims) / rest : d));
    }
    default:
      return undefined;
  }
}

function carried(graph: Graph, node: Node, from: ConstantValue): ConstantValue | undefined {
  const { tensor } = from;
  const name = node.outputs[0] ?? '';
  if (node.op === 'Transpose') {
    const perm = intsAttr(node, 'perm') ?? tensor.dims.map((_, i) => tensor.dims.length - 1 - i);
    return { ...from, tensor: transposed(tensor, perm, name) };
  }
  const dims = newDims(graph, node, tensor.dims);
  if (dims === undefined) return undefined;
  if (node.op !== 'Cast') return { ...from, tensor: lazyTensor(name, tensor.type, dims, () => tensor.bytes()) };
  const to = elementTypeOfCode(intAttr(node, 'to', 0));
  if (to === undefined || !castable(tensor.type) || !castable(to)) return undefined;
  const cast = (t: Tensor): Tensor => lazyTensor(name, to, t.dims, () => packNumbers(to, toNumbers(t)));
  return { tensor: cast(tensor), ...(from.uniform === undefined ? {} : { uniform: cast(from.uniform) }) };
}

/** Types whose cast into each other is a rounding of plain numbers. */
const castable = (type: ElementType): boolean => ['float', 'double', 'float16', 'bfloat16'].includes(type);

/** The constant behind `name`, or undefined where it depends on an input, on a sparse or overridable one, or on other nodes. */
export function constantValue(graph: Graph, name: string): ConstantValue | undefined {
  const index = graphIndex(graph);
  const chain: Node[] = [];
  let at = name;
  for (;;) {
    const held = plainConstant(graph, at);
    let value: ConstantValue | undefined = held === undefined ? undefined : { tensor: held };
    if (value === undefined) {
      const maker = index.producer.get(at);
      if (maker === undefined || !isDefault(maker)) return undefined;
      if (maker.op === 'ConstantOfShape') value = constantOfShape(graph, maker);
      else if (carriers.has(maker.op)) {
        chain.push(maker);
        at = maker.inputs[0] ?? '';
        continue;
      }
      if (value === undefined) return undefined;
    }
    for (const node of chain.reverse()) {
      value = carried(graph, node, value);
      if (value === undefined) return undefined;
    }
    return { ...value, tensor: { ...value.tensor, name } };
  }
}
