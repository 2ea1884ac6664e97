/**
 * Owns the gradients of operators that sample images. Resize is linear in its data and acts on each axis alone, so that one
 * matrix per axis says it: what Resize itself makes of an identity. The gradient multiplies by its transpose.
 */
import { stringAttr } from '../ir/attribute.ts';
import { numbersTensor } from '../ir/values.ts';
import { unfold } from './conv-weight-forms.ts';
import type { Facts, GradientContext, GradientRule } from './declare.ts';
import { numbersOf } from './fold.ts';
import { dataOnly, product, reshapeTo, transposeBy, xShape, yShape } from './gradient-rule.ts';
import { windowOf } from './window.ts';

const kept = new Set([
  'mode',
  'coordinate_transformation_mode',
  'cubic_coeff_a',
  'exclude_outside',
  'nearest_mode',
  'antialias',
]);

/** [d, o]: row i is what the axis becomes where only element i is 1. */
function axisMatrix(c: GradientContext, axis: number, from: number, to: number): string {
  const identity = new Float32Array(from * from);
  for (let i = 0; i < from; i++) identity[i * (from + 1)] = 1;
  const rank = xShape(c).length;
  const eye = c.constant(numbersTensor('identity', 'float', [from, from], identity));
  const upsample = c.node.op === 'Upsample';
  const scales = numbersOf(upsample ? c.inputs[1] : c.inputs[2]);
  const roi = upsample ? undefined : numbersOf(c.inputs[1]);
  const region = roi?.length === 2 * rank ? c.floats([0, roi[axis] ?? 0, 1, roi[axis + rank] ?? 1]) : '';
  const attributes = c.node.attributes.filter((a) => kept.has(a.name));
  // `axes` and a kept aspect ratio are in the sizes already.
  const scale = scales?.length === rank ? scales[axis] : undefined;
  if (scale !== undefined) return c.one('Resize', [eye, region, c.floats([1, scale])], attributes);
  return c.one('Resize', [eye, region, '', c.ints([from, to])], attributes);
}

/** A nearest neighbour at a whole factor copies each element `factor` times. */
function copies(c: GradientContext, x: readonly number[], y: readonly number[]): readonly number[] | undefined {
  const mode = stringAttr(c.node, 'coordinate_transformation_mode', 'half_pixel');
  const nearest = stringAttr(c.node, 'nearest_mode', 'round_prefer_floor');
  const plain =
    (mode === 'asymmetric' && nearest === 'floor') ||
    ((mode === 'half_pixel' || mode === 'half_pixel_symmetric') && nearest.startsWith('round'));
  const factors = x.map((d, i) => (y[i] ?? 0) / d);
  const whole = factors.every((f) => Number.isInteger(f));
  return stringAttr(c.node, 'mode', 'nearest') === 'nearest' && plain && whole ? factors : undefined;
}

export const resizeGradient: GradientRule = dataOnly((c, dy) => {
  const [x, y] = [xShape(c), yShape(c)];
  const factors = copies(c, x, y);
  if (factors !== undefined) {
    const axes = factors.flatMap((f, i) => (f === 1 ? [] : [i]));
    if (axes.length === 0) return dy;
    const split = x.flatMap((d, i) => [d, factors[i] ?? 1]);
    const sum = c.one('ReduceSum', [reshapeTo(c, dy, split), c.ints(axes.map((i) => 2 * i + 1))]);
    return reshapeTo(c, sum, x);
  }
  const last = x.length - 1;
  const cropped = stringAttr(c.node, 'coordinate_transformation_mode', '') === 'tf_crop_and_resize';
  let grad = dy;
  for (const [axis, d] of x.entries()) {
    const o = y[axis] ?? d;
    if (o === d && !cropped) continue;
    const matrix = axisMatrix(c, axis, d, o);
    if (axis === last) grad = c.one('MatMul', [grad, transposeBy(c, matrix, [1, 0])]);
    else if (axis === last - 1) grad = c.one('MatMul', [matrix, grad]);
    else {
      const swap = x.map((_, i) => (i === axis ? last : i === last ? axis : i));
      grad = transposeBy(c, c.one('MatMul', [transposeBy(c, grad, swap), transposeBy(c, matrix, [1, 0])]), swap);
    }
  }
  return grad;
});

/** Col2Im, x: [N, C * taps, positions]: its transpose, the image's columns. */
export const col2ImGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  const [n = 1, channels = 1, ...large] = yShape(c);
  const kernel = numbersOf(c.inputs[2] as Facts) ?? [];
  const w = windowOf(c.node, kernel.length);
  const small = large.map((size, i) => {
    const pads = (w.pads[i] ?? 0) + (w.pads[i + kernel.length] ?? 0);
    const reach = (w.dilations[i] ?? 1) * ((kernel[i] ?? 1) - 1) + 1;
    return Math.floor((size + pads - reach) / (w.strides[i] ?? 1)) + 1;
  });
  const columns = unfold(c, dy, channels, kernel, large, small);
  return reshapeTo(c, columns, [n, channels * product(kernel), x[2] ?? product(small)]);
});
