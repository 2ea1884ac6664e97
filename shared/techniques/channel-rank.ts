/**
 * Owns how channel units are ranked: the L1 or L2 norm of the weights that make a unit, summed over all its makers
 * (Li et al. 2017, section 3.1). Reads weights, so it is only called from inside thunks.
 */
import type { ChannelGroup, ChannelGroups } from '../analysis/channel-groups.ts';
import { intAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { toNumbers } from '../ir/values.ts';

export type Criterion = 'l1' | 'l2';

interface Leaf {
  readonly value: string;
  readonly tensor: Tensor;
  /** The DequantizeLinear between the leaf and its reader, if any. */
  readonly dequantize?: Node;
}

/** A constant tensor by the name of its value: an initializer, or the `value` of a Constant node. */
export function constantTensor(model: Model, value: string): Tensor | undefined {
  const index = graphIndex(model.graph);
  const initializer = index.initializer.get(value);
  if (initializer !== undefined) return initializer;
  const node = index.producer.get(value);
  const attribute = node?.op === 'Constant' ? node.attributes.find((a) => a.name === 'value') : undefined;
  return attribute?.kind === 'tensor' ? attribute.value : undefined;
}

/** The tensors behind a weight, through whatever nodes form it. */
function leavesOf(model: Model, weight: string): readonly Leaf[] {
  const index = graphIndex(model.graph);
  const out: Leaf[] = [];
  const seen = new Set<string>();
  const stack: { value: string; reader?: Node }[] = [{ value: weight }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (seen.has(top.value)) continue;
    seen.add(top.value);
    const tensor = constantTensor(model, top.value);
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

function leafNumbers(model: Model, leaf: Leaf): Float64Array {
  const numbers = toNumbers(leaf.tensor);
  const node = leaf.dequantize;
  if (node === undefined) return numbers;
  const scale = constantTensor(model, node.inputs[1] ?? '');
  if (scale === undefined) return numbers;
  const zero = constantTensor(model, node.inputs[2] ?? '');
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

/** Sum of |w| or w^2 at each index of one axis. */
function sumsAlong(numbers: Float64Array, dims: readonly number[], axis: number, criterion: Criterion): Float64Array {
  const n = dims[axis] ?? 0;
  const inner = elementCount(dims.slice(axis + 1));
  const sums = new Float64Array(n);
  let at = 0;
  for (let i = 0; at < numbers.length; i = (i + 1) % n) {
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const w = numbers[at++] ?? 0;
      sum += criterion === 'l1' ? Math.abs(w) : w * w;
    }
    sums[i] = (sums[i] ?? 0) + sum;
  }
  return sums;
}

function scores(model: Model, groups: ChannelGroups, group: ChannelGroup, criterion: Criterion): Float64Array {
  const total = new Float64Array(group.units);
  const seen = new Set<string>();
  for (const maker of group.makers) {
    const weightClass = groups.table.classOf(maker.weight);
    for (const leaf of leavesOf(model, maker.weight.value)) {
      const classes = leaf.tensor.dims.map((_, axis) => groups.table.classOf({ value: leaf.value, axis }));
      const direct = leaf.value === maker.weight.value ? maker.weight.axis : classes.indexOf(weightClass);
      const mine = new Set<number | undefined>(group.axes.map((a) => a.axisClass));
      const axis = direct >= 0 ? direct : classes.findIndex((c) => mine.has(c));
      const along = group.axes.find((a) => a.axisClass === classes[axis]);
      const key = `${leaf.value} ${axis}`;
      if (along === undefined || seen.has(key)) continue;
      seen.add(key);
      const sums = sumsAlong(leafNumbers(model, leaf), leaf.tensor.dims, axis, criterion);
      for (let u = 0; u < group.units; u++) {
        let sum = 0;
        for (let k = 0; k < along.perUnit; k++) sum += sums[along.indices[u * along.perUnit + k] ?? 0] ?? 0;
        total[u] = (total[u] ?? 0) + (criterion === 'l1' ? sum : Math.sqrt(sum));
      }
    }
  }
  return total;
}

const memo = new WeakMap<ChannelGroup, Map<Criterion, Int32Array>>();

/** Units of a group from the weakest to the strongest, ties by index; NaN counts as strongest. Computed once. */
export function ranking(model: Model, groups: ChannelGroups, group: ChannelGroup, criterion: Criterion): Int32Array {
  let byCriterion = memo.get(group);
  if (byCriterion === undefined) {
    byCriterion = new Map();
    memo.set(group, byCriterion);
  }
  const known = byCriterion.get(criterion);
  if (known !== undefined) return known;
  const score = scores(model, groups, group, criterion).map((s) => (Number.isNaN(s) ? Number.POSITIVE_INFINITY : s));
  const order = Int32Array.from({ length: group.units }, (_, u) => u).sort((a, b) => {
    const [x, y] = [score[a] ?? 0, score[b] ?? 0];
    return x === y ? a - b : x - y;
  });
  byCriterion.set(criterion, order);
  return order;
}
