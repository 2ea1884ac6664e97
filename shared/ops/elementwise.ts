/** Owns elementwise operators on two or more tensors: arithmetic, comparison, logic, variadic, Where. */
import { attr, intAttr } from '../ir/attribute.ts';
import type { ElementType } from '../ir/element-type.ts';
import { broadcastChannels, broadcastShape } from './broadcast.ts';
import { fed, fedAs } from './case-values.ts';
import { type Facts, type InferContext, none, type Op, type OpCase, type Scalar } from './declare.ts';
import { elementwiseGradient } from './elementwise-gradient.ts';
import { foldElementwise, scalarArithmetic } from './fold.ts';
import { family, noGradientYet, noQuantize, perOutput, tensorFacts } from './rule.ts';

type Fold = (...xs: readonly Scalar[]) => Scalar;

/** Numbers through, anything else unknown. */
const numeric =
  (f: (...xs: readonly number[]) => number | boolean): Fold =>
  (...xs) =>
    xs.every((x) => typeof x === 'number') ? Number(f(...(xs as readonly number[]))) : null;

/** Broadcast shape; the type of the first known input of `from`, or `as`. */
const inferWith =
  (fold: ((elem: ElementType | null) => Fold) | undefined, as?: ElementType, from = 0) =>
  (c: InferContext): readonly Facts[] => {
    const elem = as ?? c.inputs.slice(from).find((i) => i?.elem)?.elem ?? null;
    const content = fold === undefined ? undefined : foldElementwise(c.inputs, elem, fold(elem));
    return [tensorFacts(c, elem, broadcastShape(c), content)];
  };

const always = (f: Fold) => () => f;

const pairwise = family({
  domain: '',
  parameters: {},
  work: perOutput('elementwise'),
  gradient: noGradientYet,
  channels: broadcastChannels,
  quantize: { role: 'elementwise', data: [0, 1] },
});
const logical = family({
  domain: '',
  parameters: {},
  work: perOutput('elementwise'),
  gradient: none('a yes or no has no slope'),
  channels: broadcastChannels,
  quantize: noQuantize,
});

const binaryCases: readonly OpCase[] = [
  { name: 'same shape', inputs: [fed(2, 3, 4), fed(2, 3, 4)] },
  { name: 'both broadcast', inputs: [fed(2, 1, 4), fed(3, 1)] },
  { name: 'scalar', opset: 13, inputs: [fed(2, 3), fed()] },
  {
    name: 'legacy, axis 1',
    opset: 6,
    attributes: [attr.int('broadcast', 1), attr.int('axis', 1)],
    inputs: [fed(2, 3, 4), fed(3)],
    norun: 'the runtime starts at 7',
    shapes: [[2, 3, 4]],
  },
  {
    name: 'legacy, consumed inputs',
    opset: 1,
    attributes: [attr.int('broadcast', 1), attr.ints('consumed_inputs', [0, 0])],
    inputs: [fed(2, 3, 4), fed(4)],
    norun: 'the runtime starts at 7',
    shapes: [[2, 3, 4]],
  },
];
const positiveRight = binaryCases.map((k) => ({
  ...k,
  inputs: k.inputs.map((i, n) => (n === 1 && i !== undefined && 'shape' in i ? { ...i, range: [0.5, 2] as const } : i)),
}));

const arithmetic = (['Add', 'Sub', 'Mul', 'Div'] as const).map((type) =>
  pairwise(
    type,
    [1, 6, 7, 13, 14],
    inferWith((elem) => scalarArithmetic(type, elem)),
    {
      gradient: elementwiseGradient(type),
      parameters: type === 'Add' ? { 0: 'bias', 1: 'bias' } : type === 'Mul' ? { 0: 'scale', 1: 'scale' } : {},
      cases: [
        ...(type === 'Div' ? positiveRight : binaryCases),
        { name: 'int64', inputs: [fedAs('int64', [3], [1, 9]), fedAs('int64', [2, 1], [1, 9])] },
      ],
    },
  ),
);

const comparisons: Readonly<Record<string, readonly [readonly number[], (a: number, b: number) => boolean]>> = {
  Equal: [[1, 7, 11, 13, 19], (a, b) => a === b],
  Less: [[1, 7, 9, 13], (a, b) => a < b],
  Greater: [[1, 7, 9, 13], (a, b) => a > b],
  LessOrEqual: [[12, 16], (a, b) => a <= b],
  GreaterOrEqual: [[12, 16], (a, b) => a >= b],
};

const logic: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  And: (a, b) => a !== 0 && b !== 0,
  Or: (a, b) => a !== 0 || b !== 0,
  Xor: (a, b) => (a !== 0) !== (b !== 0),
};

const variadics: Readonly<Record<string, readonly [readonly number[], (...xs: readonly number[]) => number]>> = {
  Sum: [[1, 6, 8, 13], (...xs) => xs.reduce((a, b) => a + b, 0)],
  Mean: [[1, 6, 8, 13], (...xs) => xs.reduce((a, b) => a + b, 0) / xs.length],
  Max: [[1, 6, 8, 12, 13], (...xs) => Math.max(...xs)],
  Min: [[1, 6, 8, 12, 13], (...xs) => Math.min(...xs)],
};

/** Python's modulo (Mod-10: the sign of the divisor), or C's where fmod is set. */
const modulo = (a = 0, b = 1): number => ((a % b) + b) % b;

export const elementwiseOps: readonly Op[] = [
  ...arithmetic,
  pairwise('Pow', [1, 7, 12, 13, 15], inferWith(always(numeric((a = 0, b = 0) => a ** b))), {
    gradient: elementwiseGradient('Pow'),
    quantize: noQuantize,
    cases: [
      { name: 'broadcast', inputs: [fedAs('float', [2, 3], [0.5, 2]), fed(3)] },
      {
        name: 'other exponent type',
        opset: 13,
        inputs: [fedAs('float', [2, 3], [0.5, 2]), fedAs('int64', [], [2, 2])],
      },
      { name: 'opset 7', opset: 7, inputs: [fedAs('float', [2, 3], [0.5, 2]), fed(1)] },
    ],
  }),
  pairwise(
    'Mod',
    [10, 13],
    (c) => inferWith(always(numeric(intAttr(c.node, 'fmod', 0) === 1 ? (a = 0, b = 1) => a % b : modulo)))(c),
    {
      gradient: elementwiseGradient('Mod'),
      quantize: noQuantize,
      cases: [
        { name: 'int64', inputs: [fedAs('int64', [2, 3], [-9, 9]), fedAs('int64', [3], [1, 5])] },
        { name: 'fmod', attributes: [attr.int('fmod', 1)], inputs: [fed(2, 3), fedAs('float', [1], [1, 2])] },
        { name: 'opset 10', opset: 10, inputs: [fedAs('int32', [4], [-9, 9]), fedAs('int32', [], [2, 5])] },
      ],
    },
  ),
  ...Object.entries(comparisons).map(([type, [since, f]]) =>
    logical(type, since, inferWith(always(numeric((a = 0, b = 0) => f(a, b))), 'bool'), {
      cases: [
        { name: 'broadcast', inputs: [fedAs('float', [2, 1, 4]), fedAs('float', [3, 1])] },
        { name: 'int32', opset: 12, inputs: [fedAs('int32', [4], [0, 3]), fedAs('int32', [4], [0, 3])] },
        { name: 'int64 scalar', opset: 16, inputs: [fedAs('int64', [4], [0, 3]), fedAs('int64', [], [0, 3])] },
      ],
    }),
  ),
  ...Object.entries(logic).map(([type, f]) =>
    logical(type, [1, 7], inferWith(always(numeric((a = 0, b = 0) => f(a, b))), 'bool'), {
      cases: [
        { name: 'same shape', inputs: [fedAs('bool', [2, 3]), fedAs('bool', [2, 3])] },
        { name: 'broadcast', inputs: [fedAs('bool', [2, 1]), fedAs('bool', [3])] },
        {
          name: 'legacy axis',
          opset: 1,
          attributes: [attr.int('broadcast', 1), attr.int('axis', 0)],
          inputs: [fedAs('bool', [2, 3]), fedAs('bool', [2])],
          norun: 'the runtime starts at 7',
          shapes: [[2, 3]],
        },
      ],
    }),
  ),
  ...Object.entries(variadics).map(([type, [since, f]]) =>
    pairwise(type, since, inferWith(always(numeric(f))), {
      gradient: elementwiseGradient(type),
      quantize: type === 'Sum' ? { role: 'elementwise', data: [0, 1] } : noQuantize,
      cases: [
        { name: 'three', inputs: [fed(2, 3), fed(2, 3), fed(2, 3)] },
        { name: 'broadcast', opset: 8, inputs: [fed(2, 1), fed(3)] },
        { name: 'one', opset: 6, inputs: [fed(2, 3)] },
      ],
    }),
  ),
  pairwise(
    'Where',
    [9, 16],
    inferWith(
      always((p = null, a = null, b = null) => (p === null ? null : p ? a : b)),
      undefined,
      1,
    ),
    {
      gradient: elementwiseGradient('Where'),
      quantize: noQuantize,
      cases: [
        { name: 'all broadcast', inputs: [fedAs('bool', [2, 1]), fed(3), fed(1, 2, 1)] },
        { name: 'int64', opset: 9, inputs: [fedAs('bool', [3]), fedAs('int64', [3]), fedAs('int64', [])] },
        { name: 'same shape', inputs: [fedAs('bool', [2, 3]), fed(2, 3), fed(2, 3)] },
      ],
    },
  ),
];
