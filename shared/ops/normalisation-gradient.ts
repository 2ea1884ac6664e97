/** Owns the gradients of normalisations: Batch, Instance, Layer, Group, RMS, MeanVariance, Lp, LRN. */
import { text } from '../base/text.ts';
import { attr, floatAttr, intAttr, intsAttr } from '../ir/attribute.ts';
import { numbersTensor } from '../ir/values.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import {
  add,
  dataOnly,
  meanOver,
  minus,
  mul,
  plus,
  product,
  recip,
  refuse,
  reshapeTo,
  scalar,
  spreadBack,
  square,
  sumOver,
  times,
  withDy,
  xShape,
} from './gradient-rule.ts';
import { axisAt } from './rule.ts';

/** A tensor normalised over axes: (x - mean) / sqrt(mean of squares + epsilon); without `centred`, of x itself. */
export interface Normal {
  readonly value: string;
  /** 1 / deviation, the axes kept. */
  readonly inverse: string;
  readonly dims: readonly number[];
  readonly axes: readonly number[];
  readonly centred: boolean;
}

export function normalise(
  c: GradientContext,
  x: string,
  dims: readonly number[],
  axes: readonly number[],
  epsilon: number,
  centred = true,
): Normal {
  const from = centred ? minus(c, x, meanOver(c, x, dims, axes)) : x;
  const power = meanOver(c, square(c, from), dims, axes);
  const inverse = recip(c, c.one('Sqrt', [plus(c, power, epsilon)]));
  return { value: mul(c, from, inverse), inverse, dims, axes, centred };
}

/**
 * From the gradient of the normalised tensor to that of x: the mean and the deviation carry gradient too
 * (Ioffe and Szegedy 2015, section 3; Ba et al. 2016): inverse * (g - mean(g) - value * mean(g * value)).
 */
export function throughNormal(c: GradientContext, n: Normal, g: string): string {
  const along = mul(c, n.value, meanOver(c, mul(c, g, n.value), n.dims, n.axes));
  const rest = n.centred ? minus(c, g, meanOver(c, g, n.dims, n.axes)) : g;
  return mul(c, n.inverse, minus(c, rest, along));
}

/** Only the normalised tensor's gradient is followed. */
function onlyFirst(c: GradientContext): void {
  for (let k = 1; k < c.node.outputs.length; k++)
    if (c.dy(k) !== undefined)
      refuse(c, text('its statistics are read by what is trained', '그 통계를 학습 대상이 읽습니다'));
}

/** y = normalised * scale + bias, scale and bias broadcast as `wide` reshapes them. */
function scaled(
  c: GradientContext,
  dy: string,
  n: Normal,
  wide: (k: number) => string,
  back: (value: string, k: number) => string,
): readonly (string | undefined)[] {
  const has = (k: number): boolean => (c.node.inputs[k] ?? '') !== '';
  return [
    c.wants(0) ? throughNormal(c, n, has(1) ? mul(c, dy, wide(1)) : dy) : undefined,
    has(1) && c.wants(1) ? back(mul(c, dy, n.value), 1) : undefined,
    has(2) && c.wants(2) ? back(dy, 2) : undefined,
  ];
}

const layerLike = (centred: boolean): GradientRule =>
  withDy((c, dy) => {
    onlyFirst(c);
    const x = xShape(c);
    const axis = axisAt(intAttr(c.node, 'axis', -1), x.length);
    const axes = x.flatMap((_, i) => (i >= axis ? [i] : []));
    const n = normalise(c, c.x(0), x, axes, floatAttr(c.node, 'epsilon', 1e-5), centred);
    return scaled(
      c,
      dy,
      n,
      (k) => c.x(k),
      (value, k) => spreadBack(c, value, k),
    );
  });

export const layerNormGradient = layerLike(true);
export const rmsNormGradient = layerLike(false);

/** Scale and bias per channel of x: [N, C, ...]. */
export const instanceNormGradient: GradientRule = withDy((c, dy) => {
  const x = xShape(c);
  const spatial = x.flatMap((_, i) => (i >= 2 ? [i] : []));
  const n = normalise(c, c.x(0), x, spatial, floatAttr(c.node, 'epsilon', 1e-5));
  return scaled(
    c,
    dy,
    n,
    (k) => reshapeTo(c, c.x(k), [1, -1, ...spatial.map(() => 1)]),
    (value) => sumOver(c, value, [0, ...spatial], false),
  );
});

/** x as [N, groups, C / groups, rest]; scale and bias per channel (21) or per group (18). */
export const groupNormGradient: GradientRule = withDy((c, dy) => {
  const x = xShape(c);
  const groups = intAttr(c.node, 'num_groups', 1);
  const [n = 1, channels = 1] = x;
  const dims = [n, groups, channels / groups, product(x.slice(2))];
  const normal = normalise(c, reshapeTo(c, c.x(0), dims), dims, [2, 3], floatAttr(c.node, 'epsilon', 1e-5));
  const perChannel = c.version >= 21;
  const found = scaled(
    c,
    reshapeTo(c, dy, dims),
    normal,
    (k) => reshapeTo(c, c.x(k), [1, groups, perChannel ? channels / groups : 1, 1]),
    (value, k) => reshapeTo(c, sumOver(c, value, perChannel ? [0, 3] : [0, 2, 3]), xShape(c, k)),
  );
  return [found[0] === undefined ? undefined : reshapeTo(c, found[0], x), found[1], found[2]];
});

/** (x - mean) / (deviation + 1e-9); its epsilon counts for nothing in float. */
export const meanVarianceGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  const axes = (intsAttr(c.node, 'axes') ?? [0, 2, 3]).map((a) => axisAt(a, x.length));
  return throughNormal(c, normalise(c, c.x(0), x, axes, 1e-18), dy);
});

/** y = x / norm: (dy - d norm / dx * sum(dy * y)) / norm. */
export const lpNormGradient: GradientRule = dataOnly((c, dy) => {
  const axis = axisAt(intAttr(c.node, 'axis', -1), xShape(c).length);
  const p = intAttr(c.node, 'p', 2);
  const size = p === 1 ? c.one('Abs', [c.x(0)]) : square(c, c.x(0));
  const sum = sumOver(c, size, [axis]);
  const norm = c.one('Max', [p === 1 ? sum : c.one('Sqrt', [sum]), scalar(c, 1e-30)]);
  const slope = p === 1 ? c.one('Sign', [c.x(0)]) : c.y(0);
  return c.one('Div', [minus(c, dy, mul(c, slope, sumOver(c, mul(c, dy, c.y(0)), [axis]))), norm]);
});

/**
 * LRN, x: [N, C, ...]: y = x s^-beta, s = bias + alpha / size * (sum of squares over a window of channels)
 * (Krizhevsky et al. 2012, section 3.3). dx = dy s^-beta - 2 alpha beta / size * x * sum over the mirrored window of dy x s^(-beta - 1).
 */
export const lrnGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  const size = intAttr(c.node, 'size', 1);
  const alpha = floatAttr(c.node, 'alpha', 1e-4) / size;
  const beta = floatAttr(c.node, 'beta', 0.75);
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const flat = [x[0] ?? 1, 1, x[1] ?? 1, product(x.slice(2))];
  const ones = (): string =>
    c.constant(numbersTensor('window', 'float', [1, 1, size, 1], new Float32Array(size).fill(1)));
  const over = (value: string, top: number, bottom: number): string =>
    c.one('Conv', [value, ones()], [attr.ints('kernel_shape', [size, 1]), attr.ints('pads', [top, 0, bottom, 0])]);
  const data = reshapeTo(c, c.x(0), flat);
  const g = reshapeTo(c, dy, flat);
  const s = plus(c, times(c, over(square(c, data), before, after), alpha), floatAttr(c.node, 'bias', 1));
  const power = c.one('Pow', [s, scalar(c, -beta)]);
  const spread = over(mul(c, mul(c, g, data), c.one('Div', [power, s])), after, before);
  return reshapeTo(c, add(c, mul(c, g, power), times(c, mul(c, data, spread), -2 * alpha * beta)), x);
});

/** The batch's own mean and variance [C]: at a momentum of 0 the operator's further outputs. */
function ownStatistics(c: GradientContext, x: readonly number[], others: readonly number[]): readonly [string, string] {
  if (c.node.outputs[1] && c.node.outputs[2] && floatAttr(c.node, 'momentum', 0.9) === 0) return [c.y(1), c.y(2)];
  const centred = minus(c, c.x(0), meanOver(c, c.x(0), x, others));
  const flat = (value: string): string => reshapeTo(c, value, [-1]);
  return [flat(meanOver(c, c.x(0), x, others)), flat(meanOver(c, square(c, centred), x, others))];
}

/**
 * Normalised by the batch itself: the mean and the deviation carry gradient too. dx = a dy + b x + d with one number per channel
 * each, which BatchNormalization with mean 0 and variance 1 applies in one pass: half the time of the formula written out.
 */
function batchOwn(
  c: GradientContext,
  dy: string,
  x: readonly number[],
  others: readonly number[],
  epsilon: number,
): readonly (string | undefined)[] {
  const channels = x[1] ?? 1;
  const count = product(x) / channels;
  const [mean, variance] = ownStatistics(c, x, others);
  const inverse = recip(c, c.one('Sqrt', [plus(c, variance, epsilon)]));
  const sum = sumOver(c, dy, others, false);
  // sum of dy * (x - mean) / deviation
  const along = mul(c, inverse, minus(c, sumOver(c, mul(c, dy, c.x(0)), others, false), mul(c, mean, sum)));
  const constant = (value: number): string =>
    c.constant(numbersTensor('statistic', 'float', [channels], new Float32Array(channels).fill(value)));
  const affine = (value: string, scale: string, offset: string): string =>
    c.one('BatchNormalization', [value, scale, offset, constant(0), constant(1)], [attr.float('epsilon', 0)]);
  const dx = (): string => {
    const a = mul(c, c.x(1), inverse);
    const share = times(c, mul(c, inverse, along), 1 / count);
    const b = c.one('Neg', [mul(c, a, share)]);
    const d = mul(c, a, minus(c, mul(c, mean, share), times(c, sum, 1 / count)));
    return add(c, affine(dy, a, d), affine(c.x(0), b, constant(0)));
  };
  return [c.wants(0) ? dx() : undefined, c.wants(1) ? along : undefined, c.wants(2) ? sum : undefined];
}

/**
 * BatchNormalization, x: [N, C, ...]. With given statistics the normalised x is linear in x; in training mode the batch's
 * own mean and variance carry gradient too.
 */
export const batchNormGradient: GradientRule = withDy((c, dy) => {
  const x = xShape(c);
  const epsilon = floatAttr(c.node, 'epsilon', 1e-5);
  const others = x.flatMap((_, i) => (i === 1 ? [] : [i]));
  const column = (value: string): string =>
    x.length < 2 ? value : reshapeTo(c, value, [1, -1, ...x.slice(2).map(() => 1)]);
  if (intAttr(c.node, 'training_mode', 0) === 1) return batchOwn(c, dy, x, others, epsilon);
  const inverse = recip(c, c.one('Sqrt', [plus(c, column(c.x(4)), epsilon)]));
  const normal = (): string => mul(c, minus(c, c.x(0), column(c.x(3))), inverse);
  return [
    c.wants(0) ? mul(c, dy, mul(c, column(c.x(1)), inverse)) : undefined,
    c.wants(1) ? sumOver(c, mul(c, dy, normal()), others, false) : undefined,
    c.wants(2) ? sumOver(c, dy, others, false) : undefined,
  ];
});
