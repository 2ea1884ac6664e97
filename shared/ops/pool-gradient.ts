/** Owns the gradients of pooling. */
import { attr, intAttr, intsAttr } from '../ir/attribute.ts';
import type { Node } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import { spread } from './conv-gradient.ts';
import { slidingOf } from './conv-weight-forms.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { dataOnly, flag, mul, product, reshapeTo, sumOver, times, xShape, yShape, zeros } from './gradient-rule.ts';
import { windowOf } from './window.ts';

/** Windows in two dimensions that lie side by side: every element stands in one. */
export function tilesPlane(node: Node): boolean {
  const kernel = intsAttr(node, 'kernel_shape') ?? [];
  const w = windowOf(node, kernel.length);
  const plain = w.autoPad === 'NOTSET' || w.autoPad === 'VALID';
  return (
    kernel.length === 2 &&
    plain &&
    !w.ceil &&
    kernel.every((k, i) => k === w.strides[i]) &&
    w.pads.every((p) => p === 0) &&
    w.dilations.every((d) => d === 1)
  );
}

/** Side by side: y copied over its window and compared with x; equal maxima share. Half the time of Indices and a scatter. */
function tiledMaxGradient(c: GradientContext, dy: string, kernel: readonly number[]): string {
  const [x, y] = [xShape(c), yShape(c)];
  const covered = y.map((d, i) => (i < 2 ? d : d * (kernel[i - 2] ?? 1)));
  const rest = x.map((d, i) => d - (covered[i] ?? d));
  const all = rest.every((r) => r === 0);
  const data = all ? c.x(0) : c.one('Slice', [c.x(0), c.ints([0, 0]), c.ints(covered.slice(2)), c.ints([2, 3])]);
  const copied = (value: string): string =>
    c.one(
      'Resize',
      [value, '', c.floats([1, 1, ...kernel])],
      [
        attr.string('mode', 'nearest'),
        attr.string('coordinate_transformation_mode', 'asymmetric'),
        attr.string('nearest_mode', 'floor'),
      ],
    );
  const hits = flag(c, 'Equal', data, copied(c.y(0)));
  const window = [attr.ints('kernel_shape', kernel), attr.ints('strides', kernel)];
  const share = c.one('Div', [dy, times(c, c.one('AveragePool', [hits], window), product(kernel))]);
  const grad = mul(c, hits, copied(share));
  return all ? grad : c.one('Pad', [grad, c.ints([...x.map(() => 0), ...rest])]);
}

/** MaxPool's Indices count through the whole tensor [N, C, d1 ...]: each gradient goes back to where its maximum stood. */
export const maxPoolGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  if (tilesPlane(c.node) && !c.node.outputs[1]) return tiledMaxGradient(c, dy, intsAttr(c.node, 'kernel_shape') ?? []);
  const indices = c.node.outputs[1] ? c.y(1) : (c.emit('MaxPool', [c.x(0)], c.node.attributes, 2)[1] ?? '');
  const flat = (value: string): string => reshapeTo(c, value, [-1]);
  const sum = c.one(
    'ScatterElements',
    [zeros(c, [product(x)]), flat(indices), flat(dy)],
    [attr.int('axis', 0), attr.string('reduction', 'add')],
  );
  return reshapeTo(c, sum, x);
});

/** How many elements each window of an AveragePool averages: [1, 1, o1 ...]. */
function windowCounts(c: GradientContext, kernel: readonly number[]): readonly number[] {
  const x = xShape(c).slice(2);
  const y = yShape(c).slice(2);
  const w = windowOf(c.node, kernel.length);
  const s = slidingOf(c, kernel, x, y);
  const padded = intAttr(c.node, 'count_include_pad', 0) === 1;
  const perAxis = kernel.map((k, i) =>
    Array.from({ length: y[i] ?? 1 }, (_, o) => {
      const begin = s.begins[i] ?? 0;
      const end = Math.max(0, w.autoPad === 'NOTSET' ? (w.pads[i + kernel.length] ?? 0) : (s.ends[i] ?? 0));
      const [low, high] = padded ? [-begin, (x[i] ?? 0) + end] : [0, x[i] ?? 0];
      let count = 0;
      for (let t = 0; t < k; t++) {
        const at = o * (s.strides[i] ?? 1) - begin + t * (s.dilations[i] ?? 1);
        if (at >= low && at < high) count++;
      }
      return count;
    }),
  );
  return perAxis.reduce<number[]>((all, axis) => all.flatMap((a) => axis.map((b) => a * b)), [1]);
}

/** A depthwise kernel that copies to every tap. */
const ones = (c: GradientContext, channels: number, kernel: readonly number[]): string =>
  c.constant(
    numbersTensor('ones', 'float', [channels, 1, ...kernel], new Float32Array(channels * product(kernel)).fill(1)),
  );

export const averagePoolGradient: GradientRule = dataOnly((c, dy) => {
  const kernel = intsAttr(c.node, 'kernel_shape') ?? [];
  const [x, y] = [xShape(c), yShape(c)];
  const channels = x[1] ?? 1;
  const shares = windowCounts(c, kernel).map((n) => 1 / n);
  const share = shares.every((v) => v === shares[0])
    ? c.floats([shares[0] ?? 1], [])
    : c.floats(shares, [1, 1, ...y.slice(2)]);
  const s = slidingOf(c, kernel, x.slice(2), y.slice(2));
  return spread(c, c.one('Mul', [dy, share]), ones(c, channels, kernel), s, channels);
});

/**
 * y = (sum of |x|^p over the window)^(1 / p): dx = sign(x) |x|^(p - 1) times what dy y^(1 - p) spreads to. A window of zeros
 * has no slope.
 */
function lpFactor(c: GradientContext, dy: string, spreadBack: (value: string) => string): string {
  const p = intAttr(c.node, 'p', 2);
  const size = c.one('Abs', [c.x(0)]);
  const power = (value: string, e: number): string => c.one('Pow', [value, c.floats([e], [])]);
  const guarded = c.one('Max', [c.y(0), c.floats([1e-20], [])]);
  const own =
    p === 1 ? c.one('Sign', [c.x(0)]) : p === 2 ? c.x(0) : c.one('Mul', [c.one('Sign', [c.x(0)]), power(size, p - 1)]);
  return c.one('Mul', [own, spreadBack(p === 1 ? dy : c.one('Mul', [dy, power(guarded, 1 - p)]))]);
}

export const lpPoolGradient: GradientRule = dataOnly((c, dy) => {
  const kernel = intsAttr(c.node, 'kernel_shape') ?? [];
  const [x, y] = [xShape(c), yShape(c)];
  const channels = x[1] ?? 1;
  const s = slidingOf(c, kernel, x.slice(2), y.slice(2));
  return lpFactor(c, dy, (value) => spread(c, value, ones(c, channels, kernel), s, channels));
});

export const globalLpGradient: GradientRule = dataOnly((c, dy) => lpFactor(c, dy, (value) => value));

export const globalAverageGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  return c.one('Expand', [c.one('Mul', [dy, c.floats([1 / product(x.slice(2))], [])]), c.ints(x)]);
});

/** Equal maxima share the gradient. */
export const globalMaxGradient: GradientRule = dataOnly((c, dy) => {
  const axes = xShape(c)
    .slice(2)
    .map((_, i) => i + 2);
  const hits = c.one('Cast', [c.one('Equal', [c.x(0), c.y(0)])], [attr.int('to', 1)]);
  return c.one('Mul', [hits, c.one('Div', [dy, sumOver(c, hits, axes)])]);
});
