/** Owns the gradients of operators that move, join, pick or sum elements. */
import { attr, intAttr, intsAttr } from '../ir/attribute.ts';
import { isFloat } from '../ir/element-type.ts';
import type { Facts, GradientContext, GradientRule } from './declare.ts';
import { dataOnly, part, reshapeTo, sumOver, transposeBy, withDy, xShape, yShape, zeros } from './gradient-rule.ts';
import { axisAt } from './rule.ts';

export const transposeGradient: GradientRule = dataOnly((c, dy) => {
  const rank = xShape(c).length;
  const perm = intsAttr(c.node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return transposeBy(
    c,
    dy,
    perm.map((_, i) => perm.indexOf(i)),
  );
});

export const concatGradient: GradientRule = withDy((c, dy) => {
  const axis = axisAt(intAttr(c.node, 'axis', 1), yShape(c).length);
  let from = 0;
  return c.inputs.map((_, k) => {
    const start = from;
    from += xShape(c, k)[axis] ?? 0;
    return c.wants(k) ? part(c, dy, axis, start, from) : undefined;
  });
});

/** Outputs that nobody used give zeros. */
export const splitGradient: GradientRule = (c) => {
  if (!c.wants(0)) return [];
  const axis = axisAt(intAttr(c.node, 'axis', 0), xShape(c).length);
  const parts = c.outputs.map((_, k) => c.dy(k) ?? zeros(c, yShape(c, k)));
  return [c.one('Concat', parts, [attr.int('axis', axis)])];
};

/** Each row goes back to where it was read; rows read twice add up. Data: [d0 ...], axis moved to the front. */
export const gatherGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  const axis = axisAt(intAttr(c.node, 'axis', 0), x.length);
  const q = xShape(c, 1).length;
  const rows = xShape(c, 1).reduce((a, b) => a * b, 1);
  // dy: [before, indices, after] -> [indices, before, after]
  const rank = x.length - 1 + q;
  const picked = Array.from({ length: q }, (_, i) => axis + i);
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => !picked.includes(i));
  const front = [x[axis] ?? 1, ...x.filter((_, i) => i !== axis)];
  const moved = axis === 0 ? dy : transposeBy(c, dy, [...picked, ...others]);
  const flat = reshapeTo(c, moved, [rows, ...front.slice(1)]);
  const indices = reshapeTo(c, c.one('Cast', [c.x(1)], [attr.int('to', 7)]), [rows, 1]);
  const sum = c.one('ScatterND', [zeros(c, front), indices, flat], [attr.string('reduction', 'add')]);
  if (axis === 0) return sum;
  const back = x.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i));
  return transposeBy(c, sum, back);
});

export const expandGradient: GradientRule = dataOnly((c, dy) =>
  c.unbroadcast(dy, c.outputs[0]?.shape ?? null, c.inputs[0]?.shape ?? null),
);

/**
 * A gradient has the type of its value; that of a quantized value is kept as float, in units of the real value, and passes
 * a Cast straight through.
 */
export const castGradient: GradientRule = dataOnly((c, dy) => {
  const real = (f: Facts | undefined): boolean => f?.elem === null || f?.elem === undefined || isFloat(f.elem);
  if (real(c.inputs[0])) return c.one('CastLike', [dy, c.x(0)]);
  return c.outputs[0]?.elem === 'float' ? dy : c.one('Cast', [dy], [attr.int('to', 1)]);
});

/** Softmax over one axis (13 on): (dy - sum(dy y)) y; LogSoftmax: dy - softmax sum(dy). */
const axisOf = (c: GradientContext): number => axisAt(intAttr(c.node, 'axis', -1), xShape(c).length);
export const softmaxGradient: GradientRule = dataOnly((c, dy) => {
  const sum = sumOver(c, c.one('Mul', [dy, c.y(0)]), [axisOf(c)]);
  return c.one('Mul', [c.one('Sub', [dy, sum]), c.y(0)]);
});
export const logSoftmaxGradient: GradientRule = dataOnly((c, dy) => {
  const sum = sumOver(c, dy, [axisOf(c)]);
  return c.one('Sub', [dy, c.one('Mul', [c.one('Exp', [c.y(0)]), sum])]);
});
