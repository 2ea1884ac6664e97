/** Owns the gradients of reductions and running sums. */
import { attr, intAttr } from '../ir/attribute.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import {
  dataOnly,
  flag,
  minus,
  mul,
  oneMinus,
  product,
  reshapeTo,
  scalar,
  sumOver,
  times,
  xShape,
} from './gradient-rule.ts';
import { reducedAxes } from './reduced-axes.ts';

/** Result and gradient with the reduced axes kept at size 1, so that they broadcast to the input. */
interface Kept {
  readonly x: readonly number[];
  readonly axes: readonly number[];
  readonly dy: string;
  /** The forward's result; a thunk, for most rules do without. */
  readonly y: () => string;
}

/** `f` gives dX of any shape that broadcasts to x; `spread` says that it need be expanded. */
const reduction = (f: (c: GradientContext, k: Kept) => string, spread = false): GradientRule =>
  dataOnly((c, dy) => {
    const x = xShape(c);
    const axes = [...(reducedAxes(c) ?? xShape(c).keys())];
    const kept = x.map((d, i) => (axes.includes(i) ? 1 : d));
    const wide = (value: string): string =>
      intAttr(c.node, 'keepdims', 1) === 1 || axes.length === 0 ? value : reshapeTo(c, value, kept);
    const found = f(c, { x, axes, dy: wide(dy), y: () => wide(c.y(0)) });
    return spread && axes.length > 0 ? c.one('Expand', [found, c.ints(x)]) : found;
  });

/** Equal extremes share the gradient. */
const extreme = reduction((c, k) => {
  const hits = flag(c, 'Equal', c.x(0), k.y());
  return mul(c, hits, c.one('Div', [k.dy, sumOver(c, hits, k.axes)]));
});

/** y / x where nothing is zero; beside one zero only that element has a gradient: the product of the others. */
const productRule = reduction((c, k) => {
  if (k.axes.length === 0) return k.dy;
  const zero = flag(c, 'Equal', c.x(0), scalar(c, 0));
  // Zeros stand as ones, so that the product goes over the others.
  const filled = c.one('Add', [c.x(0), zero]);
  const axes = c.opset >= 18 ? [c.ints(k.axes)] : [];
  const over = c.opset >= 18 ? [] : [attr.ints('axes', k.axes)];
  const others = c.one('ReduceProd', [filled, ...axes], [attr.int('keepdims', 1), ...over]);
  const count = sumOver(c, zero, k.axes);
  const whole = mul(c, flag(c, 'Equal', count, scalar(c, 0)), c.one('Div', [others, filled]));
  const alone = mul(c, mul(c, flag(c, 'Equal', count, scalar(c, 1)), zero), others);
  return mul(c, k.dy, c.one('Add', [mul(c, oneMinus(c, zero), whole), alone]));
});

/** Rules by operator. */
export const reduceGradients: Readonly<Record<string, GradientRule>> = {
  ReduceSum: reduction((_c, k) => k.dy, true),
  ReduceMean: reduction((c, k) => times(c, k.dy, 1 / product(k.axes.map((a) => k.x[a] ?? 1))), true),
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceProd: productRule,
  ReduceL1: reduction((c, k) => mul(c, k.dy, c.one('Sign', [c.x(0)]))),
  // x / |x|, zero where all is zero.
  ReduceL2: reduction((c, k) => mul(c, k.dy, c.one('Div', [c.x(0), c.one('Max', [k.y(), scalar(c, 1e-30)])]))),
  ReduceSumSquare: reduction((c, k) => mul(c, k.dy, times(c, c.x(0), 2))),
  ReduceLogSum: reduction((c, k) => mul(c, k.dy, c.one('Exp', [c.one('Neg', [k.y()])])), true),
  ReduceLogSumExp: reduction((c, k) => mul(c, k.dy, c.one('Exp', [minus(c, c.x(0), k.y())]))),
};

/** The sum runs the other way. */
export const cumSumGradient: GradientRule = dataOnly((c, dy) =>
  c.one(
    'CumSum',
    [dy, c.x(1)],
    [attr.int('exclusive', intAttr(c.node, 'exclusive', 0)), attr.int('reverse', 1 - intAttr(c.node, 'reverse', 0))],
  ),
);
