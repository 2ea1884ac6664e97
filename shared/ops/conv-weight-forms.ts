/**
 * Owns the ways to compute the gradient of a convolution's weight with standard operators: sum over samples n and positions of
 * dy[n, o] x[n, c, position * stride + tap * dilation]. `conv-form-choice.ts` says which is fastest for a shape.
 */
import { attr, intsAttr } from '../ir/attribute.ts';
import type { Attribute } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import { chooseWeightForm, type WeightForm } from './conv-form-choice.ts';
import type { GradientContext } from './declare.ts';
import { product, reshapeTo, sumOver, transposeBy } from './gradient-rule.ts';
import { windowOf } from './window.ts';

/** A window with its pads in numbers, per spatial axis. */
export interface Sliding {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begins: readonly number[];
  readonly ends: readonly number[];
}

/**
 * The window that leads from `large` to `small` (sizes of the spatial axes), its end pads as they fall out: what the
 * forward never read is a negative end, given as output padding of a transposed convolution.
 */
export function slidingOf(
  c: GradientContext,
  kernel: readonly number[],
  large: readonly number[],
  small: readonly number[],
): Sliding {
  const rank = kernel.length;
  const w = windowOf(c.node, rank);
  const extra = intsAttr(c.node, 'output_padding');
  const said = intsAttr(c.node, 'output_shape');
  const begins = kernel.map((k, i) => {
    const reach = (w.dilations[i] ?? 1) * (k - 1) + 1;
    const total = Math.max(
      0,
      ((small[i] ?? 1) - 1) * (w.strides[i] ?? 1) + (extra?.[i] ?? 0) + reach - (large[i] ?? 1),
    );
    if (w.autoPad === 'SAME_UPPER') return Math.floor(total / 2);
    if (w.autoPad === 'SAME_LOWER' || (said !== undefined && w.autoPad === 'NOTSET')) return Math.ceil(total / 2);
    return w.autoPad === 'VALID' ? 0 : (w.pads[i] ?? 0);
  });
  const ends = kernel.map((k, i) => {
    const reach = (w.dilations[i] ?? 1) * (k - 1) + 1;
    return ((small[i] ?? 1) - 1) * (w.strides[i] ?? 1) + reach - (large[i] ?? 1) - (begins[i] ?? 0);
  });
  return { kernel, strides: w.strides, dilations: w.dilations, begins, ends };
}

export const windowAttrs = (s: Sliding, group: number): readonly Attribute[] => [
  attr.ints('kernel_shape', s.kernel),
  attr.ints('strides', s.strides),
  attr.ints('dilations', s.dilations),
  attr.int('group', group),
];

/** The input without the end that no window reaches (negative end pads). */
function withoutUnread(c: GradientContext, x: string, s: Sliding): string {
  const axes = s.ends.flatMap((e, i) => (e < 0 ? [i] : []));
  if (axes.length === 0) return x;
  const bounds = [axes.map(() => 0), axes.map((i) => s.ends[i] ?? 0), axes.map((i) => i + 2)];
  return c.one('Slice', [x, ...bounds.map((b) => c.ints(b))]);
}

/** Convolves each channel with a kernel for each tap that picks it: [N, C, ...] -> [N, C * taps, ...]. `mirrored`: last tap first. */
function picked(c: GradientContext, x: string, channels: number, s: Sliding, mirrored = false): string {
  const taps = product(s.kernel);
  const hot = new Float32Array(channels * taps * taps);
  for (let i = 0; i < channels * taps; i++) hot[i * taps + (mirrored ? taps - 1 - (i % taps) : i % taps)] = 1;
  const kernels = c.constant(numbersTensor('columns', 'float', [channels * taps, 1, ...s.kernel], hot));
  const pads = attr.ints('pads', [...s.begins, ...s.ends.map((e) => Math.max(0, e))]);
  return c.one('Conv', [x, kernels], [...windowAttrs(s, channels), pads]);
}

/** [N, C, large...] -> [N, C * taps, small...]: each tap of each channel as a channel of its own. */
function columns(c: GradientContext, x: string, channels: number, s: Sliding): string {
  const plain = s.strides.every((v) => v === 1) && [...s.begins, ...s.ends].every((p) => p === 0);
  if (product(s.kernel) === 1 && plain) return x;
  return picked(c, withoutUnread(c, x, s), channels, s);
}

/** The columns of an image [N, C, large...] under the node's window: [N, C * taps, small...]. */
export const unfold = (
  c: GradientContext,
  x: string,
  channels: number,
  kernel: readonly number[],
  large: readonly number[],
  small: readonly number[],
): string => columns(c, x, channels, slidingOf(c, kernel, large, small));

/** A tensor of the backward pass. */
export interface Named {
  readonly name: string;
  readonly dims: readonly number[];
}

type Form = (c: GradientContext, x: Named, dy: Named, s: Sliding, group: number) => string;

/** Samples and channels change places: x [C, N, large...] convolved with dy [O, N, small...] gives [C, O, kernel...]. One group. */
const exchange: Form = (c, x, dy, s) => {
  const swap = [1, 0, ...s.kernel.map((_, i) => i + 2)];
  const data = transposeBy(c, withoutUnread(c, x.name, s), swap);
  const found = c.one(
    'Conv',
    [data, transposeBy(c, dy.name, swap)],
    [
      // Steps of the kernel's taps are the forward's dilations, and the other way about.
      attr.ints('strides', s.dilations),
      attr.ints('dilations', s.strides),
      attr.ints('pads', [...s.begins, ...s.ends.map((e) => Math.max(0, e))]),
    ],
  );
  return transposeBy(c, found, swap);
};

/** Columns times dy for each sample, summed. The smaller side stands on the right, where the product packs it. */
const columnsEach: Form = (c, x, dy, s, group) => {
  const [n = 1, channels = 1] = x.dims;
  const [, o = 1, ...small] = dy.dims;
  const positions = product(small);
  const inner = (channels / group) * product(s.kernel);
  const outer = o / group;
  const cols = reshapeTo(c, columns(c, x.name, channels, s), [n, group, inner, positions]);
  const grad = reshapeTo(c, dy.name, [n, group, outer, positions]);
  const turned = (value: string): string => transposeBy(c, value, [0, 1, 3, 2]);
  const sum = (left: string, right: string): string => sumOver(c, c.one('MatMul', [left, turned(right)]), [0], false);
  const found = outer < inner && outer > 1 ? transposeBy(c, sum(cols, grad), [0, 2, 1]) : sum(grad, cols);
  return reshapeTo(c, found, [o, channels / group, ...s.kernel]);
};

/** One product over samples and positions, where a weight for each sample would be larger than the columns. One group. */
const columnsJoint: Form = (c, x, dy, s) => {
  const [n = 1, channels = 1] = x.dims;
  const [, o = 1, ...small] = dy.dims;
  const positions = product(small);
  const inner = channels * product(s.kernel);
  const cols = columns(c, x.name, channels, s);
  const left = reshapeTo(c, transposeBy(c, reshapeTo(c, dy.name, [n, o, positions]), [1, 0, 2]), [o, n * positions]);
  const right = transposeBy(c, reshapeTo(c, cols, [n, inner, positions]), [0, 2, 1]);
  return reshapeTo(c, c.one('MatMul', [left, reshapeTo(c, right, [n * positions, inner])]), [o, channels, ...s.kernel]);
};

/**
 * Taps of a row by the columns of x, taps of a column by those of dy, so that one product has both: 2 k copies of a picture instead
 * of k * k. Rows of x: sum over p of dy[p - i] x[p + j] for the tap (i, j). Pictures, stride 1, one group.
 */
const split: Form = (c, x, dy, s) => {
  const [n = 1, channels = 1, high = 1] = x.dims;
  const [, o = 1, low = 1, wide = 1] = dy.dims;
  const [rows = 1, across = 1] = s.kernel;
  const one = <T>(value: T | undefined, fill: T): readonly [T, T] => [fill, value ?? fill];
  const ofX: Sliding = {
    kernel: [1, across],
    strides: [1, 1],
    dilations: one(s.dilations[1], 1),
    begins: one(s.begins[1], 0),
    ends: one(s.ends[1], 0),
  };
  const reach = (s.dilations[0] ?? 1) * (rows - 1);
  const before = reach - (s.begins[0] ?? 0);
  const ofDy: Sliding = {
    kernel: [rows, 1],
    strides: [1, 1],
    dilations: [s.dilations[0] ?? 1, 1],
    begins: [before, 0],
    ends: [high + reach - low - before, 0],
  };
  const positions = high * wide;
  // What no window reaches across is cut; unread rows meet zeros of dy.
  const right = reshapeTo(c, columns(c, x.name, channels, ofX), [n, channels * across, positions]);
  const left = reshapeTo(c, picked(c, dy.name, o, ofDy, true), [n, o * rows, positions]);
  const found = sumOver(c, c.one('MatMul', [left, transposeBy(c, right, [0, 2, 1])]), [0]);
  return reshapeTo(c, transposeBy(c, reshapeTo(c, found, [o, rows, channels, across]), [0, 2, 1, 3]), [
    o,
    channels,
    rows,
    across,
  ]);
};

/** Depthwise: samples as channels of their group, dy as a kernel as large as the picture. */
const groups: Form = (c, x, dy, s, group) => {
  const [n = 1, , ...large] = x.dims;
  const [, o = 1, ...small] = dy.dims;
  const swap = [1, 0, ...s.kernel.map((_, i) => i + 2)];
  const cut = s.ends.some((e) => e < 0);
  const read = large.map((d, i) => d + Math.min(0, s.ends[i] ?? 0));
  const data = reshapeTo(c, transposeBy(c, cut ? withoutUnread(c, x.name, s) : x.name, swap), [1, group * n, ...read]);
  const kernels = reshapeTo(c, transposeBy(c, dy.name, swap), [o, n, ...small]);
  const found = c.one(
    'Conv',
    [data, kernels],
    [
      attr.int('group', group),
      attr.ints('strides', s.dilations),
      attr.ints('dilations', s.strides),
      attr.ints('pads', [...s.begins, ...s.ends.map((e) => Math.max(0, e))]),
    ],
  );
  return reshapeTo(c, found, [o, 1, ...s.kernel]);
};

/** Whether the rows and columns of a window can be taken apart: a picture, stride 1, one group, pads within the window's reach. */
export function splitsApart(s: Sliding, group: number): boolean {
  const reach = (s.dilations[0] ?? 1) * ((s.kernel[0] ?? 1) - 1);
  const within = [s.begins[0] ?? 0, s.ends[0] ?? 0].every((p) => p <= reach);
  return (
    group === 1 && within && s.kernel.length === 2 && s.kernel.every((k) => k > 1) && s.strides.every((v) => v === 1)
  );
}

/** Every form, for the benchmark; `formFits` says which take a shape. */
export const weightForms: Readonly<Record<WeightForm, Form>> = {
  exchange,
  columns: columnsEach,
  joint: columnsJoint,
  split,
  groups,
};

/** Gradient of a weight [O, C/group, kernel...] that leads from x [N, C, large...] to y [N, O, small...]. */
export function weightGradient(c: GradientContext, x: Named, dy: Named, s: Sliding, group: number): string {
  const [n = 1, channels = 1] = x.dims;
  const [, o = 1, ...small] = dy.dims;
  const form = chooseWeightForm({
    n,
    channels,
    outputs: o,
    group,
    positions: product(small),
    taps: product(s.kernel),
    strided: s.strides.some((v) => v !== 1),
    splits: splitsApart(s, group),
  });
  return weightForms[form](c, x, dy, s, group);
}
