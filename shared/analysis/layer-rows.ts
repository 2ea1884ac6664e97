/**
 * Owns rows of a linear layer: which nodes have them, and drawing them from the tensors of one run. A row is what enters one
 * output position (an input patch) and what leaves it.
 */
import type { Rng } from '../base/random.ts';
import { intAttr } from '../ir/attribute.ts';
import type { Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import { type Window, windowOf } from '../ops/window.ts';

type FactsMap = ReadonlyMap<string, Facts>;

/** Inputs of one row and outputs of one row; null where the node has no rows. */
export interface RowSizes {
  readonly columns: number;
  readonly width: number;
}

const isKnown = (shape: Facts['shape'] | undefined): shape is readonly number[] =>
  shape?.every((d) => typeof d === 'number') === true;

/** Sizes of a row of a Conv, Gemm or MatMul whose second input is a constant of known shape; undefined for other nodes. */
export function rowSizes(facts: FactsMap, node: Node): RowSizes | undefined {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return undefined;
  const weight = facts.get(node.inputs[1] ?? '');
  const data = facts.get(node.inputs[0] ?? '')?.shape;
  if (weight?.constant !== true || !isKnown(weight.shape) || !data) return undefined;
  const [a = 1, b = 1, ...kernel] = weight.shape;
  switch (node.op) {
    case 'Conv':
      return { columns: b * intAttr(node, 'group', 1) * kernel.reduce((p, q) => p * q, 1), width: a };
    case 'Gemm':
      return intAttr(node, 'transB', 0) === 1 ? { columns: b, width: a } : { columns: a, width: b };
    case 'MatMul':
      return weight.shape.length === 2 && data.length >= 2 ? { columns: a, width: b } : undefined;
    default:
      return undefined;
  }
}

export interface Dense {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}

/** Rows as they are collected; `at` counts those written. */
export interface RowSink {
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
  readonly sizes: RowSizes;
  readonly rows: number;
  at: number;
}

export const rowSink = (sizes: RowSizes, rows: number): RowSink => ({
  inputs: new Float32Array(rows * sizes.columns),
  outputs: new Float32Array(rows * sizes.width),
  sizes,
  rows,
  at: 0,
});

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Where the window of output 0 begins along spatial axis i. */
function begin(w: Window, i: number, x: number, k: number): number {
  if (w.autoPad === 'VALID') return 0;
  if (w.autoPad !== 'SAME_UPPER' && w.autoPad !== 'SAME_LOWER') return w.pads[i] ?? 0;
  const stride = w.strides[i] ?? 1;
  const reach = (w.dilations[i] ?? 1) * (k - 1) + 1;
  const total = Math.max((Math.ceil(x / stride) - 1) * stride + reach - x, 0);
  return w.autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
}

/** x: [N, C, spatial...], y: [N, O, spatial...]; one row per (n, position). */
function convRow(node: Node, x: Dense, y: Dense, kernel: readonly number[], row: number, sink: RowSink): void {
  const rank = kernel.length;
  const w = windowOf(node, rank);
  const spatial = y.dims.slice(2);
  const positions = product(spatial);
  const n = Math.floor(row / positions);
  const place = row % positions;
  const size = x.dims.slice(2);
  const [channels = 1, area] = [x.dims[1], product(size)];
  const cells = product(kernel);
  // Offset into a channel of each kernel cell; -1 in the padding.
  const offsets = new Int32Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    let [restCell, restPlace, stride, offset] = [cell, place, 1, 0];
    for (let i = rank - 1; i >= 0; i--) {
      const [k = 1, o = 1, s = 1] = [kernel[i], spatial[i], size[i]];
      const from = (restPlace % o) * (w.strides[i] ?? 1) - begin(w, i, s, k);
      const at = from + (restCell % k) * (w.dilations[i] ?? 1);
      offset = offset < 0 || at < 0 || at >= s ? -1 : offset + at * stride;
      stride *= s;
      restCell = Math.floor(restCell / k);
      restPlace = Math.floor(restPlace / o);
    }
    offsets[cell] = offset;
  }
  let to = sink.at * sink.sizes.columns;
  for (let c = 0; c < channels; c++)
    for (let cell = 0; cell < cells; cell++) {
      const o = offsets[cell] ?? -1;
      sink.inputs[to++] = o < 0 ? 0 : (x.data[(n * channels + c) * area + o] ?? 0);
    }
  const width = sink.sizes.width;
  for (let o = 0; o < width; o++) sink.outputs[sink.at * width + o] = y.data[(n * width + o) * positions + place] ?? 0;
}

function flatRow(node: Node, x: Dense, y: Dense, row: number, sink: RowSink): void {
  const { columns, width } = sink.sizes;
  const turned = node.op === 'Gemm' && intAttr(node, 'transA', 0) === 1;
  const rows = x.dims[1] ?? 1;
  for (let k = 0; k < columns; k++)
    sink.inputs[sink.at * columns + k] = x.data[turned ? k * rows + row : row * columns + k] ?? 0;
  for (let o = 0; o < width; o++) sink.outputs[sink.at * width + o] = y.data[row * width + o] ?? 0;
}

/**
 * Draws up to `wanted` rows, all different, of a node from the tensors that entered and left it. `kernel`: spatial sizes of
 * a Conv's weight.
 */
export function drawRows(
  node: Node,
  x: Dense,
  y: Dense,
  kernel: readonly number[],
  wanted: number,
  random: Rng,
  sink: RowSink,
): void {
  const all = Math.floor(product(y.dims) / Math.max(1, sink.sizes.width));
  const count = Math.min(wanted, all, sink.rows - sink.at);
  const drawn = new Set<number>();
  // Nearly all of them: a draw without replacement would look for the last ones long.
  if (count * 2 >= all)
    for (const r of random.shuffle(Array.from({ length: all }, (_, i) => i)).slice(0, count)) drawn.add(r);
  while (drawn.size < count) drawn.add(random.below(all));
  for (const row of drawn) {
    if (node.op === 'Conv') convRow(node, x, y, kernel, row, sink);
    else flatRow(node, x, y, row, sink);
    sink.at++;
  }
}
