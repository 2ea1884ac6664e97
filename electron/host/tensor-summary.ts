/** Owns what the screen is told of a weight: range, moments, histogram, and the order statistics of its magnitudes. */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { TensorSummary } from '#shared/contract/calls.ts';
import { elementCount, elementTypes } from '#shared/ir/element-type.ts';
import type { Graph, Model } from '#shared/ir/model.ts';
import type { Tensor } from '#shared/ir/tensor.ts';
import { toNumbers, toTyped } from '#shared/ir/values.ts';

/** Shares 0, 1/n ... 1 at which magnitudes are told. */
export const quantileSteps = 256;
/** Up to this many elements the order statistics are exact; beyond, bins of 2^-7 relative width (under 0.8 % off). */
const exactUpTo = 2 ** 20;

/** Operators that hand their first input's values on in another shape or order: the values are the same. */
const carriers = new Set(['Reshape', 'Transpose', 'Unsqueeze', 'Squeeze', 'Flatten', 'Identity']);

/** The tensor that feeds a value, looking through Constant and reshaping nodes. */
function sourceOf(graph: Graph, value: string): Tensor | undefined {
  let name = value;
  for (let hops = 0; hops <= graph.nodes.length; hops++) {
    const wanted = name;
    const initializer = graph.initializers.find((t) => t.name === wanted);
    if (initializer !== undefined) return initializer;
    const maker = graph.nodes.find((n) => n.outputs.includes(wanted));
    if (maker === undefined) return undefined;
    if (maker.op === 'Constant') {
      const attribute = maker.attributes.find((a) => a.name === 'value');
      return attribute?.kind === 'tensor' ? attribute.value : undefined;
    }
    const next = maker.inputs[0];
    if (!carriers.has(maker.op) || next === undefined) return undefined;
    name = next;
  }
  return undefined;
}

/** The weight at input `input` of a node. Faults: `not-found` where the node, the input or a constant is missing. */
export function weightOf(model: Model, nodeId: string, input: number): Tensor {
  const node = model.graph.nodes.find((n) => n.id === nodeId);
  if (node === undefined)
    throw new Fault('not-found', text('there is no such node', '그런 노드가 없습니다'), { where: nodeId });
  const value = node.inputs[input];
  if (value === undefined || value === '')
    throw new Fault('not-found', text(`the node has no input ${input}`, `노드에 입력 ${input}이(가) 없습니다`), {
      where: nodeId,
    });
  const tensor = sourceOf(model.graph, value);
  if (tensor === undefined)
    throw new Fault(
      'not-found',
      text(
        'this input is computed while the model runs, it is no weight',
        '이 입력은 가중치가 아니라 실행 중에 계산되는 값입니다',
      ),
      { where: value },
    );
  return tensor;
}

const numbersOf = (tensor: Tensor): Float32Array | Float64Array =>
  tensor.type === 'float' ? (toTyped(tensor) as Float32Array) : toNumbers(tensor);

/** |w| at shares 0, 1/n ... 1; non-finite values left out. Empty for an empty tensor. */
export function magnitudeQuantiles(values: ArrayLike<number>, steps = quantileSteps): number[] {
  const n = values.length;
  if (n > exactUpTo) return binnedQuantiles(values, steps);
  const sorted = Float64Array.from(values as ArrayLike<number>, Math.abs)
    .filter(Number.isFinite)
    .sort();
  if (sorted.length === 0) return [];
  return Array.from({ length: steps + 1 }, (_, i) => {
    const at = (i / steps) * (sorted.length - 1);
    const low = sorted[Math.floor(at)] ?? 0;
    const high = sorted[Math.ceil(at)] ?? low;
    return low + (high - low) * (at - Math.floor(at));
  });
}

/** One pass: counts by the upper 16 bits of the float32 magnitude (exponent and 7 bits), linear inside a bin. */
function binnedQuantiles(values: ArrayLike<number>, steps: number): number[] {
  const bins = new Float64Array(0x7f80);
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  const edge = (bin: number): number => {
    bits[0] = bin << 16;
    return float[0] ?? 0;
  };
  let total = 0;
  let max = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i] ?? 0);
    if (!Number.isFinite(magnitude)) continue;
    float[0] = magnitude;
    const bin = Math.min((bits[0] ?? 0) >>> 16, bins.length - 1);
    bins[bin] = (bins[bin] ?? 0) + 1;
    total++;
    if (magnitude > max) max = magnitude;
  }
  if (total === 0) return [];
  const out: number[] = [];
  let bin = 0;
  let below = 0;
  for (let i = 0; i <= steps; i++) {
    const rank = (i / steps) * (total - 1);
    while (bin < bins.length - 1 && below + (bins[bin] ?? 0) <= rank) below += bins[bin++] ?? 0;
    const inside = (rank - below) / Math.max(1, bins[bin] ?? 1);
    out.push(bin === 0 ? 0 : Math.min(max, edge(bin) + (edge(bin + 1) - edge(bin)) * inside));
  }
  out[steps] = max;
  return out;
}

/** Summary of any tensor of numbers. An empty one has zeros throughout. Faults: `unsupported` for strings and complex. */
export function summarize(tensor: Tensor, bins: number): TensorSummary {
  const values = numbersOf(tensor);
  let [min, max, sum, squares, zeros, finite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0, 0];
  for (const v of values) {
    if (!Number.isFinite(v)) continue;
    finite++;
    if (v < min) min = v;
    if (v > max) max = v;
    if (v === 0) zeros++;
    sum += v;
  }
  const mean = finite === 0 ? 0 : sum / finite;
  const histogram = new Array<number>(bins).fill(0);
  const width = max > min ? (max - min) / bins : 1;
  for (const v of values) {
    if (!Number.isFinite(v)) continue;
    squares += (v - mean) ** 2;
    const bin = Math.min(bins - 1, Math.floor((v - min) / width));
    histogram[bin] = (histogram[bin] ?? 0) + 1;
  }
  return {
    count: values.length,
    zeros,
    nonFinite: values.length - finite,
    min: finite === 0 ? 0 : min,
    max: finite === 0 ? 0 : max,
    mean,
    std: finite === 0 ? 0 : Math.sqrt(squares / finite),
    histogram,
    magnitudeQuantiles: magnitudeQuantiles(values),
  };
}

export interface Magnitudes {
  readonly count: number;
  readonly zeros: number;
  readonly quantiles: number[];
}

/** Magnitudes of every floating-point initializer of rank 2 or more (what pruning takes), by name. */
export function magnitudeSummaries(model: Model): Record<string, Magnitudes> {
  const out: Record<string, Magnitudes> = {};
  for (const tensor of model.graph.initializers) {
    if (tensor.dims.length < 2 || elementTypes[tensor.type].family !== 'float' || elementCount(tensor.dims) === 0)
      continue;
    const values = numbersOf(tensor);
    let zeros = 0;
    for (const v of values) if (v === 0) zeros++;
    out[tensor.name] = { count: values.length, zeros, quantiles: magnitudeQuantiles(values) };
  }
  return out;
}
