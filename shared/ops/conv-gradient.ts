/**
 * Owns the gradients of convolutions, as ONNX operators. Input: at stride 1 a convolution with the flipped kernel, else a
 * transposed one. Weight: the form that measured fastest for the shape (`conv-weight-forms.ts`).
 */
import { attr, intAttr } from '../ir/attribute.ts';
import { type Sliding, slidingOf, weightGradient, windowAttrs } from './conv-weight-forms.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { product, reshapeTo, sumOver, transposeBy, withDy, xShape, yShape } from './gradient-rule.ts';

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
