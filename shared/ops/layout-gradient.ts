/** Owns the gradients of operators that move, join, pick or sum elements. */
import { attr, floatAttr, intAttr, intsAttr } from '../ir/attribute.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { dataOnly, reshapeTo, sumOver, transposeBy, withDy, xShape, yShape, zeros } from './gradient-rule.ts';
import { axisAt, intsSetting } from './rule.ts';

export const transposeGradient: GradientRule = dataOnly((c, dy) => {
  const rank = xShape(c).length;
  const perm = intsAttr(c.node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return transposeBy(
    c,
    dy,
    perm.map((_, i) => perm.indexOf(i)),
  );
});

/** The part [from, to) of `value` along one axis. */
const part = (c: GradientContext, value: string, axis: number, from: number, to: number): string =>
  c.one('Slice', [value, c.ints([from]), c.ints([to]), c.ints([axis])]);

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

/** Axes of a reduction: attribute before, input since 13 (ReduceSum) or 18; all where none are given. */
function reducedAxes(c: GradientContext): readonly number[] {
  const rank = xShape(c).length;
  const given = intsSetting(c, 'axes', 1);
  const all = Array.from({ length: rank }, (_, i) => i);
  if (given === undefined || given === null || given.length === 0)
    return intAttr(c.node, 'noop_with_empty_axes', 0) === 1 ? [] : all;
  return given.map((a) => axisAt(a, rank));
}

const reduction = (factor: (c: GradientContext, count: number) => number): GradientRule =>
  dataOnly((c, dy) => {
    const x = xShape(c);
    const axes = reducedAxes(c);
    if (axes.length === 0) return dy;
    const kept = reshapeTo(
      c,
      dy,
      x.map((d, i) => (axes.includes(i) ? 1 : d)),
    );
    const f = factor(
      c,
      axes.reduce((n, a) => n * (x[a] ?? 1), 1),
    );
    return c.one('Expand', [f === 1 ? kept : c.one('Mul', [kept, c.floats([f], [])]), c.ints(x)]);
  });
export const reduceSumGradient = reduction(() => 1);
export const reduceMeanGradient = reduction((_c, count) => 1 / count);

export const castGradient: GradientRule = dataOnly((c, dy) => c.one('CastLike', [dy, c.x(0)]));

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

/**
 * BatchNormalization, x: [N, C, ...]. With given statistics the normalised x is linear in x; in training mode the batch's
 * own mean and variance carry gradient too (Ioffe and Szegedy 2015, section 3).
 */
export const batchNormGradient: GradientRule = withDy((c, dy) => {
  const x = xShape(c);
  const own = intAttr(c.node, 'training_mode', 0) === 1;
  const others = x.flatMap((_, i) => (i === 1 ? [] : [i]));
  const column = (value: string): string => reshapeTo(c, value, [1, -1, ...x.slice(2).map(() => 1)]);
  const count = x.reduce((a, b) => a * b, 1) / (x[1] ?? 1);
  const meanOf = (value: string): string => c.one('Mul', [sumOver(c, value, others), c.floats([1 / count], [])]);
  const mean = own ? meanOf(c.x(0)) : column(c.x(3));
  const centred = c.one('Sub', [c.x(0), mean]);
  const variance = own ? meanOf(c.one('Mul', [centred, centred])) : column(c.x(4));
  const epsilon = c.floats([floatAttr(c.node, 'epsilon', 1e-5)], []);
  const inverse = c.one('Reciprocal', [c.one('Sqrt', [c.one('Add', [variance, epsilon])])]);
  const normal = (): string => c.one('Mul', [centred, inverse]);
  const weighted = c.one('Mul', [column(c.x(1)), inverse]);
  const dx = (): string => {
    if (!own) return c.one('Mul', [dy, weighted]);
    const n = normal();
    const along = c.one('Mul', [n, meanOf(c.one('Mul', [dy, n]))]);
    return c.one('Mul', [weighted, c.one('Sub', [c.one('Sub', [dy, meanOf(dy)]), along])]);
  };
  return [
    c.wants(0) ? dx() : undefined,
    c.wants(1) ? sumOver(c, c.one('Mul', [dy, normal()]), others, false) : undefined,
    c.wants(2) ? sumOver(c, dy, others, false) : undefined,
  ];
});
