/** Owns finding the stored tensors behind a weight, through whatever nodes form it, and their numbers. */
import { intAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { toNumbers } from '../ir/values.ts';
import { plainConstant } from '../transforms/constant-values.ts';

export interface Leaf {
  readonly value: string;
  readonly tensor: Tensor;
  /** The DequantizeLinear between the leaf and its reader, if any. */
  readonly dequantize?: Node;
}

/** The tensors behind a weight, through whatever nodes form it. */
export function leavesOf(model: Model, weight: string): readonly Leaf[] {
  const index = graphIndex(model.graph);
  const out: Leaf[] = [];
  const seen = new Set<string>();
  const stack: { value: string; reader?: Node }[] = [{ value: weight }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (seen.has(top.value)) continue;
    seen.add(top.value);
    const tensor = plainConstant(model.graph, top.value);
    const node = index.producer.get(top.value);
    if (tensor !== undefined) {
      const dq = top.reader?.op === 'DequantizeLinear' ? top.reader : undefined;
      out.push({ value: top.value, tensor, ...(dq === undefined ? {} : { dequantize: dq }) });
    } else if (node !== undefined) {
      const inputs = node.op === 'DequantizeLinear' ? node.inputs.slice(0, 1) : node.inputs;
      for (const value of inputs) if (value !== '') stack.push({ value, reader: node });
    }
  }
  return out;
}

export function leafNumbers(model: Model, leaf: Leaf): Float64Array {
  const numbers = toNumbers(leaf.tensor);
  const node = leaf.dequantize;
  if (node === undefined) return numbers;
  const scale = plainConstant(model.graph, node.inputs[1] ?? '');
  if (scale === undefined) return numbers;
  const zero = plainConstant(model.graph, node.inputs[2] ?? '');
  const scales = toNumbers(scale);
  const zeros = zero === undefined ? undefined : toNumbers(zero);
  const rank = leaf.tensor.dims.length;
  const axis = (intAttr(node, 'axis', 1) + rank) % Math.max(rank, 1);
  const n = leaf.tensor.dims[axis] ?? 1;
  const inner = elementCount(leaf.tensor.dims.slice(axis + 1));
  return numbers.map((q, i) => {
    const k = scales.length === 1 ? 0 : Math.floor(i / inner) % n;
    return (q - (zeros?.[zeros.length === 1 ? 0 : k] ?? 0)) * (scales[k] ?? 1);
  });
}
