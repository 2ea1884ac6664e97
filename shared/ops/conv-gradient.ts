/**
 * Owns the gradients of convolutions, as ONNX operators. Input: at stride 1 a convolution with the flipped kernel, else a
 * transposed one. Weight: columns (a grouped convolution with one-hot kernels) times the output's gradient. The forms are
 * those that measured fastest (see the folder's README).
 */
import { attr, intAttr, intsAttr } from '../ir/attribute.ts';
import type { Attribute } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { product, reshapeTo, sumOver, transposeBy, withDy, xShape, yShape } from './gradient-rule.ts';
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

const windowAttrs = (s: Sliding, group: number): readonly Attribute[] => [
  attr.ints('kernel_shape', s.kernel),
  attr.ints('strides', s.strides),
  attr.ints('dilations', s.dilations),
  attr.int('group', group),
];

/** Spreads [N, M, small...] back to [N, C, large...] with a weight [M, C/group, kernel...]. */
export function spread(c: GradientContext, grad: string, weight: string, s: Sliding, group: number): string {
  return c.one(
    'ConvTranspose',
    [grad, weight],
    [
      ...windowAttrs(s, group),
      attr.ints('pads', [...s.begins, ...s.ends.map((e) => Math.max(0, e))]),
      attr.ints(
        'output_padding',
        s.ends.map((e) => Math.max(0, -e)),
      ),
    ],
  );
}

/** [O, C/g, k...] -> [C, O/g, k... reversed]. */
function flipped(c: GradientContext, weight: string, dims: readonly number[], group: number): string {
  const [o = 1, cg = 1, ...kernel] = dims;
  const axes = kernel.map((_, i) => i + 2);
  const spatial = (by: number): readonly number[] => axes.map((a) => a + by);
  let w: string;
  if (group === 1) w = transposeBy(c, weight, [1, 0, ...axes]);
  else if (cg === 1 && o === group) w = weight;
  else {
    const split = reshapeTo(c, weight, [group, o / group, cg, ...kernel]);
    w = reshapeTo(c, transposeBy(c, split, [0, 2, 1, ...spatial(1)]), [group * cg, o / group, ...kernel]);
  }
  if (kernel.every((k) => k === 1)) return w;
  const fill = (v: number): string => c.ints(axes.map(() => v));
  return c.one('Slice', [w, fill(-1), fill(-(2 ** 31)), c.ints(axes), fill(-1)]);
}

function inputGradient(c: GradientContext, dy: string, s: Sliding, group: number): string {
  const weight = xShape(c, 1);
  const reach = s.kernel.map((k, i) => (s.dilations[i] ?? 1) * (k - 1));
  const begins = reach.map((r, i) => r - (s.begins[i] ?? 0));
  const ends = reach.map((r, i) => r - (s.ends[i] ?? 0));
  // Without padding the flipped form computes at more positions than the forward did.
  const wasteful = product(xShape(c).slice(2)) > 1.3 * product(yShape(c).slice(2));
  if (!wasteful && s.strides.every((v) => v === 1) && [...begins, ...ends].every((p) => p >= 0))
    return c.one(
      'Conv',
      [dy, flipped(c, c.x(1), weight, group)],
      [...windowAttrs(s, group), attr.ints('pads', [...begins, ...ends])],
    );
  return spread(c, dy, c.x(1), s, group);
}

/** The input without the end that no window reaches (negative end pads). */
function withoutUnread(c: GradientContext, x: string, s: Sliding): string {
  const axes = s.ends.flatMap((e, i) => (e < 0 ? [i] : []));
  if (axes.length === 0) return x;
  const bounds = [axes.map(() => 0), axes.map((i) => s.ends[i] ?? 0), axes.map((i) => i + 2)];
  return c.one('Slice', [x, ...bounds.map((b) => c.ints(b))]);
}

/** [N, C, large...] -> [N, C * taps, small...]: each tap of each channel as a channel of its own. */
function columns(c: GradientContext, x: string, channels: number, s: Sliding): string {
  const taps = product(s.kernel);
  const plain = s.strides.every((v) => v === 1) && [...s.begins, ...s.ends].every((p) => p === 0);
  if (taps === 1 && plain) return x;
  const hot = new Float32Array(channels * taps * taps);
  for (let i = 0; i < channels * taps; i++) hot[i * taps + (i % taps)] = 1;
  const kernels = c.constant(numbersTensor('columns', 'float', [channels * taps, 1, ...s.kernel], hot));
  return c.one(
    'Conv',
    [withoutUnread(c, x, s), kernels],
    [...windowAttrs(s, channels), attr.ints('pads', [...s.begins, ...s.ends.map((e) => Math.max(0, e))])],
  );
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

/** Columns cost taps times taps: beyond this many the exchanged convolution is faster. */
const manyTaps = 9;

/** Samples and channels change places: x [C, N, large...] convolved with dy [O, N, small...] gives [C, O, kernel...]. */
function byExchange(c: GradientContext, x: string, dy: string, s: Sliding): string {
  const swap = [1, 0, ...s.kernel.map((_, i) => i + 2)];
  const data = transposeBy(c, withoutUnread(c, x, s), swap);
  const found = c.one(
    'Conv',
    [data, transposeBy(c, dy, swap)],
    [
      // Steps of the kernel's taps are the forward's dilations.
      attr.ints('strides', s.dilations),
      attr.ints('pads', [...s.begins, ...s.ends.map((e) => Math.max(0, e))]),
    ],
  );
  return transposeBy(c, found, swap);
}

/**
 * Gradient of a weight [O, C/group, kernel...] that leads from x [N, C, large...] to y [N, O, small...]:
 * sum over n and positions of dy[n, o] x columns(x)[n, c, tap].
 */
function weightGradient(
  c: GradientContext,
  x: { readonly name: string; readonly dims: readonly number[] },
  dy: { readonly name: string; readonly dims: readonly number[] },
  s: Sliding,
  group: number,
): string {
  const [n = 1, channels = 1] = x.dims;
  const [, o = 1, ...small] = dy.dims;
  const positions = product(small);
  const inner = (channels / group) * product(s.kernel);
  const dims = [o, channels / group, ...s.kernel];
  if (group === 1 && product(s.kernel) > manyTaps && s.strides.every((v) => v === 1))
    return byExchange(c, x.name, dy.name, s);
  const cols = columns(c, x.name, channels, s);
  if (group === 1 && o > positions) {
    // Few positions: one product over samples and positions, instead of a weight per sample.
    const left = reshapeTo(c, transposeBy(c, reshapeTo(c, dy.name, [n, o, positions]), [1, 0, 2]), [o, n * positions]);
    const right = transposeBy(c, reshapeTo(c, cols, [n, inner, positions]), [0, 2, 1]);
    return reshapeTo(c, c.one('MatMul', [left, reshapeTo(c, right, [n * positions, inner])]), dims);
  }
  const left = reshapeTo(c, dy.name, [n, group, o / group, positions]);
  const right = transposeBy(c, reshapeTo(c, cols, [n, group, inner, positions]), [0, 1, 3, 2]);
  return reshapeTo(c, sumOver(c, c.one('MatMul', [left, right]), [0], false), dims);
}

const biasGradient = (c: GradientContext, dy: string): string | undefined =>
  c.wants(2)
    ? sumOver(
        c,
        dy,
        [
          0,
          ...yShape(c)
            .slice(2)
            .map((_, i) => i + 2),
        ],
        false,
      )
    : undefined;

export const convGradient: GradientRule = withDy((c, dy) => {
  const [x, w, y] = [xShape(c), xShape(c, 1), yShape(c)];
  const group = intAttr(c.node, 'group', 1);
  const s = slidingOf(c, w.slice(2), x.slice(2), y.slice(2));
  return [
    c.wants(0) ? inputGradient(c, dy, s, group) : undefined,
    c.wants(1) ? weightGradient(c, { name: c.x(0), dims: x }, { name: dy, dims: y }, s, group) : undefined,
    biasGradient(c, dy),
  ];
});

/** ConvTranspose is the input gradient of a convolution from its output to its input; its own gradients follow. */
export const convTransposeGradient: GradientRule = withDy((c, dy) => {
  const [x, w, y] = [xShape(c), xShape(c, 1), yShape(c)];
  const group = intAttr(c.node, 'group', 1);
  const s = slidingOf(c, w.slice(2), y.slice(2), x.slice(2));
  const conv = (): string => {
    const cut = s.ends.some((e) => e < 0);
    const from = cut
      ? c.one('Slice', [
          dy,
          c.ints(s.ends.map(() => 0)),
          c.ints(s.ends.map((e, i) => (e < 0 ? e : (y[i + 2] ?? 0)))),
          c.ints(s.ends.map((_, i) => i + 2)),
        ])
      : dy;
    return c.one(
      'Conv',
      [from, c.x(1)],
      [...windowAttrs(s, group), attr.ints('pads', [...s.begins, ...s.ends.map((e) => Math.max(0, e))])],
    );
  };
  return [
    c.wants(0) ? conv() : undefined,
    c.wants(1) ? weightGradient(c, { name: dy, dims: y }, { name: c.x(0), dims: x }, s, group) : undefined,
    biasGradient(c, dy),
  ];
});
