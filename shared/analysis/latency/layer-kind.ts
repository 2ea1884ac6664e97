/** Owns which class, numeric type and shape a kernel has, by its node and the facts of what it reads. */
import type { LayerClass, LayerShape, LayerType } from '../../devices/layer-work.ts';
import { intAttr, intsAttr } from '../../ir/attribute.ts';
import type { ElementType } from '../../ir/element-type.ts';
import { fixedDims, type Node } from '../../ir/model.ts';
import type { Facts, KernelClass } from '../../ops/declare.ts';
import { windowOf } from '../../ops/window.ts';

/** Products whose kernel multiplies integers, and those of them that quantize activations while running. */
const integerProducts = new Set([
  'ConvInteger',
  'MatMulInteger',
  'QGemm',
  'DynamicQuantizeMatMul',
  'MatMulIntegerToFloat',
]);
export const dynamicOps: ReadonlySet<string> = new Set([
  ...['ConvInteger', 'MatMulInteger', 'DynamicQuantizeMatMul', 'MatMulIntegerToFloat', 'DynamicQuantizeLSTM'],
]);
/** Input of the weight where it is not the second. */
const weightSlots: Readonly<Record<string, number>> = { QLinearConv: 3, QLinearMatMul: 3, QGemm: 3 };
export const weightSlot = (node: Node): number => weightSlots[node.op] ?? 1;

/** `weighted`: one operand of a product is a constant. */
export function classOf(kernel: KernelClass | undefined, node: Node, weighted: boolean): LayerClass {
  switch (kernel) {
    case 'conv':
      return intAttr(node, 'group', 1) > 1 ? 'grouped-conv' : 'conv';
    case 'matmul':
      return weighted ? 'gemm' : 'matmul';
    case 'view':
      return 'data-movement';
    case undefined:
      return 'other';
    default:
      return /Softmax$/.test(node.op) ? 'softmax' : kernel;
  }
}

/** `elem`: of the data. `integer`: the node stands in a quantize-dequantize group. */
export function typeOf(node: Node, elem: ElementType | null | undefined, integer: boolean): LayerType {
  if (integer || integerProducts.has(node.op) || node.op.startsWith('QLinear')) return 'int8';
  if (node.op === 'MatMulNBits') return intAttr(node, 'bits', 4) <= 4 ? 'int4' : 'int8';
  if (elem === 'float') return 'fp32';
  if (elem === 'float16' || elem === 'bfloat16') return 'fp16';
  return elem === 'int8' || elem === 'uint8' ? 'int8' : 'other';
}

const known = (facts: Facts | undefined): readonly number[] | undefined => fixedDims(facts?.shape);
const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

function windowShape(
  node: Node,
  kernel: LayerClass,
  taps: readonly number[],
  from: readonly number[],
  to: readonly number[],
): LayerShape {
  const { strides, dilations } = windowOf(node, taps.length);
  return {
    kind: 'window',
    batch: from[0] ?? 1,
    inChannels: from[1] ?? 1,
    outChannels: to[1] ?? 1,
    groups: kernel === 'pool' ? (from[1] ?? 1) : intAttr(node, 'group', 1),
    kernel: taps,
    strides,
    dilations,
    inSpatial: from.slice(2),
    outSpatial: to.slice(2),
  };
}

/** x, w, y: facts of the data, the weight (or second operand) and the output. null where a size that matters is unknown. */
export function shapeOf(
  node: Node,
  kernel: LayerClass,
  x: Facts | undefined,
  w: Facts | undefined,
  y: Facts | undefined,
): LayerShape | null {
  const [from, to, weight] = [known(x), known(y), known(w)];
  if (to === undefined || from === undefined) return null;
  const convolves = kernel.includes('conv');
  if (convolves || kernel === 'pool') {
    const taps = convolves ? weight?.slice(2) : (intsAttr(node, 'kernel_shape') ?? from.slice(2));
    if (taps === undefined) return null;
    if (to.length === from.length) return windowShape(node, kernel, taps, from, to);
  }
  if ((kernel === 'gemm' || kernel === 'matmul') && from.length > 0) {
    const inner = (node.op === 'Gemm' && intAttr(node, 'transA', 0) === 1 ? from[0] : from.at(-1)) ?? 1;
    const columns = to.at(-1) ?? 1;
    const all = product(to) / Math.max(1, columns);
    // All rows together meet a constant matrix of rank 2 in one product.
    const rows = kernel === 'gemm' && (weight?.length ?? 2) <= 2 ? all : (to.at(-2) ?? 1);
    return { kind: 'product', count: all / Math.max(1, rows), rows, inner, columns };
  }
  return { kind: 'elements', elements: product(to), channels: to[1] ?? 1, lastAxis: from.at(-1) ?? 1 };
}
