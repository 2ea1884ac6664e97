/** Owns the gradients of elementwise operators: arithmetic with broadcasting, maths, activations, straight-through steps. */
import { attr, floatAttr, intAttr, stringAttr } from '../ir/attribute.ts';
import type { ElementType } from '../ir/element-type.ts';
import { elementTypes } from '../ir/element-type.ts';
import { type Facet, type GradientContext, type GradientRule, none } from './declare.ts';
import {
  dataOnly,
  flag,
  mul,
  oneMinus,
  passes,
  plus,
  recip,
  reshapeTo,
  scalar,
  spreadBack,
  square,
  times,
  withDy,
  xShape,
} from './gradient-rule.ts';

type Make = (c: GradientContext, dy: string) => string;

/** A rule per input, broadcasting undone. */
const each = (...makes: readonly Make[]): GradientRule =>
  withDy((c, dy) => makes.map((make, k) => (c.wants(k) ? spreadBack(c, make(c, dy), k) : undefined)));

/** dX = dY times a factor of x and y. */
const factor = (f: (c: GradientContext) => string): GradientRule => dataOnly((c, dy) => mul(c, dy, f(c)));

/** The inputs that hold the largest (smallest) value share the gradient. */
const extreme: GradientRule = withDy((c, dy) => {
  const hits = c.inputs.map((_, k) => flag(c, 'Equal', c.x(k), c.y(0)));
  const [first = '', ...rest] = hits;
  const sum = rest.reduce((a, b) => c.one('Add', [a, b]), first);
  const share = rest.length === 0 ? dy : c.one('Div', [dy, sum]);
  return hits.map((hit, k) => (c.wants(k) ? spreadBack(c, mul(c, share, hit), k) : undefined));
});

const sumRule = (share: (c: GradientContext) => number): GradientRule =>
  withDy((c, dy) => {
    const part = share(c) === 1 ? dy : times(c, dy, share(c));
    return c.inputs.map((_, k) => (c.wants(k) ? spreadBack(c, part, k) : undefined));
  });

const whereGradient: GradientRule = withDy((c, dy) => [
  undefined,
  c.wants(1) ? spreadBack(c, c.one('Where', [c.x(0), dy, scalar(c, 0)]), 1) : undefined,
  c.wants(2) ? spreadBack(c, c.one('Where', [c.x(0), scalar(c, 0), dy]), 2) : undefined,
]);

/** Inside the bounds the gradient passes; beyond, it is the bound's own (a learnt clipping range, Choi et al. 2018). */
const clipGradient: GradientRule = withDy((c, dy) => {
  const has = (k: number): boolean => (c.node.inputs[k] ?? '') !== '';
  // What a Clip left as it was; one comparison instead of two.
  const grad = has(1) || has(2) ? mul(c, dy, flag(c, 'Equal', c.x(0), c.y(0))) : dy;
  const bound = (k: number, beyond: 'Greater' | 'Less'): string | undefined =>
    has(k) && c.wants(k)
      ? reshapeTo(
          c,
          c.one('ReduceSum', [mul(c, dy, flag(c, beyond, c.x(0), c.x(k)))], [attr.int('keepdims', 0)]),
          xShape(c, k),
        )
      : undefined;
  return [c.wants(0) ? grad : undefined, bound(1, 'Less'), bound(2, 'Greater')];
});

const preluGradient: GradientRule = withDy((c, dy) => {
  const negative = flag(c, 'Less', c.x(0), scalar(c, 0));
  const slope = (): string => c.one('Add', [oneMinus(c, negative), mul(c, negative, c.x(1))]);
  return [
    c.wants(0) ? mul(c, dy, slope()) : undefined,
    c.wants(1) ? spreadBack(c, mul(c, dy, mul(c, negative, c.x(0))), 1) : undefined,
  ];
});

/** alpha-scaled tail on the left: 1 for x > 0, else `tail`. */
const leaky = (tail: (c: GradientContext) => string): GradientRule =>
  dataOnly((c, dy) => c.one('Where', [c.one('Greater', [c.x(0), scalar(c, 0)]), dy, mul(c, dy, tail(c))]));

/** d/dx of x * sigmoid(alpha x) = s + alpha x s (1 - s). */
export const swishSlope = (c: GradientContext, x: string, alpha: number): string => {
  const s = c.one('Sigmoid', [times(c, x, alpha)]);
  return c.one('Add', [s, mul(c, times(c, x, alpha), mul(c, s, oneMinus(c, s)))]);
};

/** Exact: Phi(x) + x phi(x); by tanh: the derivative of its approximation (Hendrycks and Gimpel 2016). */
export const geluSlope = (c: GradientContext, x: string, byTanh: boolean): string => {
  if (byTanh) {
    const k = Math.sqrt(2 / Math.PI);
    const inner = times(c, c.one('Add', [x, times(c, mul(c, square(c, x), x), 0.044715)]), k);
    const t = c.one('Tanh', [inner]);
    const slope = times(c, plus(c, times(c, square(c, x), 3 * 0.044715), 1), k);
    return c.one('Add', [
      times(c, plus(c, t, 1), 0.5),
      mul(c, times(c, x, 0.5), mul(c, oneMinus(c, square(c, t)), slope)),
    ]);
  }
  const cdf = times(c, plus(c, c.one('Erf', [times(c, x, Math.SQRT1_2)]), 1), 0.5);
  const pdf = times(c, c.one('Exp', [times(c, square(c, x), -0.5)]), 1 / Math.sqrt(2 * Math.PI));
  return c.one('Add', [cdf, mul(c, x, pdf)]);
};

const mishFactor = (c: GradientContext): string => {
  const t = c.one('Tanh', [c.one('Softplus', [c.x(0)])]);
  return c.one('Add', [t, mul(c, mul(c, c.x(0), c.one('Sigmoid', [c.x(0)])), oneMinus(c, square(c, t)))]);
};

/** Inside (low, high) of the unclipped line; alpha there. */
const hardFactor = (c: GradientContext, alpha: number, beta: number): string => {
  const line = plus(c, times(c, c.x(0), alpha), beta);
  const inside = mul(c, flag(c, 'Greater', line, scalar(c, 0)), flag(c, 'Less', line, scalar(c, 1)));
  return times(c, inside, alpha);
};

const exact = (f: (c: GradientContext) => string): GradientRule => factor(f);
const x0 = (c: GradientContext): string => c.x(0);
const y0 = (c: GradientContext): string => c.y(0);

/** Limits of a quantized type. */
function limits(elem: ElementType | null | undefined): readonly [number, number] | undefined {
  if (elem === null || elem === undefined) return undefined;
  const { bits, family } = elementTypes[elem];
  if (family === 'int') return [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return family === 'uint' ? [0, 2 ** bits - 1] : undefined;
}

/**
 * Straight-through (Bengio et al. 2013; Jacob et al. 2018): the gradient passes inside the range that the type can hold
 * at this scale, and is zero outside. Gradients of quantized values are kept in units of the real value.
 */
const quantizeGradient: GradientRule = dataOnly((c, dy) => {
  const range = limits(c.outputs[0]?.elem);
  if (range === undefined) return dy;
  const shape = xShape(c);
  const scales = c.inputs[1]?.shape;
  const axis = intAttr(c.node, 'axis', 1);
  const along = (value: string): string => {
    if (scales?.length !== 1 || shape.length === 1) return value;
    const at = axis < 0 ? axis + shape.length : axis;
    return reshapeTo(
      c,
      value,
      shape.map((_, i) => (i === at ? -1 : 1)),
    );
  };
  const scaled = c.one('Div', [c.x(0), along(c.x(1))]);
  const zero = c.node.inputs[2] ? along(c.one('Cast', [c.x(2)], [attr.int('to', 1)])) : scalar(c, 0);
  const level = c.one('Add', [scaled, zero]);
  const low = flag(c, 'Greater', level, scalar(c, range[0] - 0.5));
  const high = flag(c, 'Less', level, scalar(c, range[1] + 0.5));
  return mul(c, dy, mul(c, low, high));
});

/** Rules by operator of ai.onnx; `families` set them in their declarations through `elementwiseGradient`. */
const rules: Readonly<Record<string, GradientRule>> = {
  Add: each(
    (_c, dy) => dy,
    (_c, dy) => dy,
  ),
  Sub: each(
    (_c, dy) => dy,
    (c, dy) => c.one('Neg', [dy]),
  ),
  Mul: each(
    (c, dy) => mul(c, dy, c.x(1)),
    (c, dy) => mul(c, dy, c.x(0)),
  ),
  Div: each(
    (c, dy) => c.one('Div', [dy, c.x(1)]),
    (c, dy) => c.one('Neg', [c.one('Div', [mul(c, dy, c.y(0)), c.x(1)])]),
  ),
  Pow: each(
    (c, dy) => {
      const e = c.inputs[1]?.elem === c.inputs[0]?.elem ? c.x(1) : c.one('CastLike', [c.x(1), c.x(0)]);
      return mul(c, dy, mul(c, e, c.one('Pow', [c.x(0), plus(c, e, -1)])));
    },
    // No slope where the base is not positive: y log(x) has none there.
    (c, dy) => {
      const positive = c.one('Greater', [c.x(0), scalar(c, 0)]);
      return mul(c, dy, mul(c, c.y(0), c.one('Log', [c.one('Where', [positive, c.x(0), scalar(c, 1)])])));
    },
  ),
  /** a - b trunc(a / b), the quotient held. */
  Mod: each(
    (_c, dy) => dy,
    (c, dy) => mul(c, dy, c.one('Div', [c.one('Sub', [c.y(0), c.x(0)]), c.x(1)])),
  ),
  Sum: sumRule(() => 1),
  Mean: sumRule((c) => 1 / c.inputs.length),
  Max: extreme,
  Min: extreme,
  Where: whereGradient,
  Clip: clipGradient,
  PRelu: preluGradient,
  // HardSigmoid of a steep slope is a step in one pass: 1 where y > 0. Greater and Where took half as long again.
  Relu: dataOnly((c, dy) =>
    mul(c, dy, c.one('HardSigmoid', [c.y(0)], [attr.float('alpha', 1e38), attr.float('beta', 0)])),
  ),
  LeakyRelu: leaky((c) => scalar(c, floatAttr(c.node, 'alpha', 0.01))),
  Elu: leaky((c) => plus(c, c.y(0), floatAttr(c.node, 'alpha', 1))),
  Selu: dataOnly((c, dy) => {
    const gamma = floatAttr(c.node, 'gamma', 1.0507009873554805);
    const alpha = floatAttr(c.node, 'alpha', 1.6732632423543772);
    const left = mul(c, dy, plus(c, c.y(0), alpha * gamma));
    return c.one('Where', [c.one('Greater', [c.x(0), scalar(c, 0)]), times(c, dy, gamma), left]);
  }),
  Celu: leaky((c) => plus(c, times(c, c.y(0), 1 / floatAttr(c.node, 'alpha', 1)), 1)),
  ThresholdedRelu: factor((c) => flag(c, 'Greater', c.x(0), scalar(c, floatAttr(c.node, 'alpha', 1)))),
  Sigmoid: factor((c) => mul(c, c.y(0), oneMinus(c, c.y(0)))),
  HardSigmoid: factor((c) => hardFactor(c, floatAttr(c.node, 'alpha', 0.2), floatAttr(c.node, 'beta', 0.5))),
  HardSwish: factor((c) => {
    const gate = c.one('HardSigmoid', [c.x(0)], [attr.float('alpha', 1 / 6), attr.float('beta', 0.5)]);
    return c.one('Add', [gate, mul(c, c.x(0), hardFactor(c, 1 / 6, 0.5))]);
  }),
  Tanh: factor((c) => oneMinus(c, square(c, c.y(0)))),
  Softplus: factor((c) => c.one('Sigmoid', [c.x(0)])),
  Softsign: factor((c) => recip(c, square(c, plus(c, c.one('Abs', [c.x(0)]), 1)))),
  Mish: factor(mishFactor),
  Gelu: factor((c) => geluSlope(c, c.x(0), stringAttr(c.node, 'approximate', 'none') === 'tanh')),
  Swish: factor((c) => swishSlope(c, c.x(0), floatAttr(c.node, 'alpha', 1))),
  /** Beyond lambda, moved by a constant. */
  Shrink: factor((c) => flag(c, 'Greater', c.one('Abs', [c.x(0)]), scalar(c, floatAttr(c.node, 'lambd', 0.5)))),
  Abs: factor((c) => c.one('Sign', [c.x(0)])),
  Neg: dataOnly((c, dy) => c.one('Neg', [dy])),
  Sqrt: factor((c) => times(c, recip(c, c.y(0)), 0.5)),
  Exp: factor(y0),
  Log: dataOnly((c, dy) => c.one('Div', [dy, c.x(0)])),
  Reciprocal: factor((c) => c.one('Neg', [square(c, c.y(0))])),
  Sin: exact((c) => c.one('Cos', [x0(c)])),
  Cos: exact((c) => c.one('Neg', [c.one('Sin', [x0(c)])])),
  Tan: exact((c) => plus(c, square(c, y0(c)), 1)),
  Asin: exact((c) => recip(c, c.one('Sqrt', [oneMinus(c, square(c, x0(c)))]))),
  Acos: exact((c) => c.one('Neg', [recip(c, c.one('Sqrt', [oneMinus(c, square(c, x0(c)))]))])),
  Atan: exact((c) => recip(c, plus(c, square(c, x0(c)), 1))),
  Sinh: exact((c) => c.one('Cosh', [x0(c)])),
  Cosh: exact((c) => c.one('Sinh', [x0(c)])),
  Asinh: exact((c) => recip(c, c.one('Sqrt', [plus(c, square(c, x0(c)), 1)]))),
  Acosh: exact((c) => recip(c, c.one('Sqrt', [plus(c, square(c, x0(c)), -1)]))),
  Atanh: exact((c) => recip(c, oneMinus(c, square(c, x0(c))))),
  Erf: exact((c) => times(c, c.one('Exp', [c.one('Neg', [square(c, x0(c))])]), 2 / Math.sqrt(Math.PI))),
  /** Straight-through inside -1..1 (Courbariaux et al. 2016, eq. 4). */
  Sign: factor((c) => flag(c, 'Less', c.one('Abs', [c.x(0)]), scalar(c, 1))),
  /** Straight-through (Bengio et al. 2013). */
  Round: passes,
  Floor: passes,
  Ceil: passes,
  // Operators of opset 1 that old files still hold.
  ImageScaler: dataOnly((c, dy) => times(c, dy, floatAttr(c.node, 'scale', 1))),
  Affine: dataOnly((c, dy) => times(c, dy, floatAttr(c.node, 'alpha', 1))),
  ScaledTanh: factor((c) => {
    const [alpha, beta] = [floatAttr(c.node, 'alpha', 1), floatAttr(c.node, 'beta', 1)];
    return times(c, oneMinus(c, square(c, c.one('Tanh', [times(c, c.x(0), beta)]))), alpha * beta);
  }),
  ParametricSoftplus: factor((c) => {
    const [alpha, beta] = [floatAttr(c.node, 'alpha', 1), floatAttr(c.node, 'beta', 1)];
    return times(c, c.one('Sigmoid', [times(c, c.x(0), beta)]), alpha * beta);
  }),
  Identity: passes,
  Dropout: passes,
  QuantizeLinear: quantizeGradient,
  DequantizeLinear: passes,
  /** Its range is the data's own: nothing is clipped. */
  DynamicQuantizeLinear: passes,
};

/** The rule of an elementwise operator, or the reason that there is none. */
export const elementwiseGradient = (type: string): Facet<GradientRule> => rules[type] ?? none('no gradient rule yet');
