/** Owns elementwise operators on one tensor that are no activations: maths, rounding, tests, Identity, Dropout. */
import { attr } from '../ir/attribute.ts';
import type { ElementType } from '../ir/element-type.ts';
import { fed, fedAs } from './case-values.ts';
import { type Facts, type InferContext, none, type Op, type OpCase, type Scalar } from './declare.ts';
import { elementwiseGradient } from './elementwise-gradient.ts';
import { asElement, foldElementwise } from './fold.ts';
import { family, noGradientYet, noQuantize, perOutput, sameAxes, tensorFacts, viewWork } from './rule.ts';

/** Input 0's shape; its type, or `as`; contents folded by `f` where given (a symbol only by identity). */
export const inferUnary =
  (f?: (x: number) => number, as?: ElementType) =>
  (c: InferContext): readonly Facts[] => {
    const [x] = c.inputs;
    const elem = as ?? x?.elem ?? null;
    const content =
      f === undefined
        ? undefined
        : foldElementwise([x], elem, (v) => (typeof v === 'number' ? asElement(elem, f(v)) : null));
    return [tensorFacts(c, elem, x?.shape ?? null, content)];
  };

const maths = family({
  domain: '',
  parameters: {},
  work: perOutput('elementwise'),
  gradient: noGradientYet,
  channels: sameAxes,
  quantize: noQuantize,
});

type Range = readonly [number, number];
const over = (range: Range, oldest: number): readonly OpCase[] => [
  { name: 'tensor', inputs: [fedAs('float', [2, 3, 4], range)] },
  { name: 'scalar', opset: Math.max(oldest, 13), inputs: [fedAs('float', [], range)] },
  { name: `opset ${oldest}`, opset: oldest, inputs: [fedAs('float', [3, 2], range)] },
  // Before 6, `consumed_inputs` named inputs that could be overwritten; it changes nothing else.
];

const any: Range = [-2, 2];
const positive: Range = [0.1, 4];
const unit: Range = [-0.9, 0.9];

/** Name: versions, fold, domain of the cases, differentiable. */
const functions: Readonly<
  Record<string, readonly [readonly number[], ((x: number) => number) | undefined, Range, boolean]>
> = {
  Abs: [[1, 6, 13], Math.abs, any, true],
  Neg: [[1, 6, 13], (x) => -x, any, true],
  Sqrt: [[1, 6, 13], Math.sqrt, positive, true],
  Exp: [[1, 6, 13], Math.exp, any, true],
  Log: [[1, 6, 13], Math.log, positive, true],
  Reciprocal: [[1, 6, 13], (x) => 1 / x, positive, true],
  Floor: [[1, 6, 13], Math.floor, any, true],
  Ceil: [[1, 6, 13], Math.ceil, any, true],
  Round: [[11, 22], undefined, any, true],
  Sign: [[9, 13], Math.sign, any, true],
  Sin: [[7, 22], Math.sin, any, true],
  Cos: [[7, 22], Math.cos, any, true],
  Tan: [[7, 22], Math.tan, unit, true],
  Asin: [[7, 22], Math.asin, unit, true],
  Acos: [[7, 22], Math.acos, unit, true],
  Atan: [[7, 22], Math.atan, any, true],
  Sinh: [[9, 22], Math.sinh, any, true],
  Cosh: [[9, 22], Math.cosh, any, true],
  Asinh: [[9, 22], Math.asinh, any, true],
  Acosh: [[9, 22], Math.acosh, [1.1, 3], true],
  Atanh: [[9, 22], Math.atanh, unit, true],
  Erf: [[9, 13], undefined, any, true],
};

const firstRun = (since: readonly number[]): number => Math.max(since[0] ?? 1, 7);

/** The data, and a mask that inference leaves unused: bool, before opset 10 of the data's type. */
function inferDropout(c: InferContext): readonly Facts[] {
  const [x] = c.inputs;
  const y = tensorFacts(c, x?.elem ?? null, x?.shape ?? null, x?.content);
  if (c.node.outputs.length < 2) return [y];
  return [y, tensorFacts(c, c.version < 10 ? (x?.elem ?? null) : 'bool', x?.shape ?? null)];
}

/** Also passes sequences and optionals. */
function inferIdentity(c: InferContext): readonly Facts[] {
  const [x] = c.inputs;
  if (x?.other !== undefined) return [x];
  return [tensorFacts(c, x?.elem ?? null, x?.shape ?? null, x?.content)];
}

const notOf = (x: Scalar): Scalar => (x === null ? null : x === 0 ? 1 : 0);

export const unaryOps: readonly Op[] = [
  ...Object.entries(functions).map(([type, [since, f, range, smooth]]) =>
    maths(type, since, inferUnary(f), {
      gradient: smooth ? elementwiseGradient(type) : none('a yes or no has no slope'),
      cases: over(range, firstRun(since)),
    }),
  ),
  ...['IsNaN', 'IsInf'].map((type) =>
    maths(type, type === 'IsNaN' ? [9, 13, 20] : [10, 20], inferUnary(undefined, 'bool'), {
      gradient: none('a yes or no has no slope'),
      cases: over(any, 10),
    }),
  ),
  maths(
    'Not',
    [1],
    (c) => [
      tensorFacts(
        c,
        'bool',
        c.inputs[0]?.shape ?? null,
        foldElementwise(c.inputs.slice(0, 1), 'bool', (x = null) => notOf(x)),
      ),
    ],
    {
      gradient: none('a yes or no has no slope'),
      cases: [
        { name: 'tensor', inputs: [fedAs('bool', [2, 3])] },
        { name: 'scalar', inputs: [fedAs('bool', [])] },
        { name: 'opset 7', opset: 7, inputs: [fedAs('bool', [4])] },
      ],
    },
  ),
  maths('Identity', [1, 13, 14, 16, 19, 21, 23, 24, 25], inferIdentity, {
    gradient: elementwiseGradient('Identity'),
    work: viewWork,
    quantize: { role: 'pass', data: 0 },
    cases: [
      { name: 'float', inputs: [fed(2, 3)] },
      { name: 'int64', opset: 9, inputs: [fedAs('int64', [3], [0, 9])] },
      { name: 'scalar', inputs: [fed()] },
    ],
  }),
  maths('Dropout', [1, 6, 7, 10, 12, 13, 22], inferDropout, {
    gradient: elementwiseGradient('Dropout'),
    work: viewWork,
    quantize: { role: 'pass', data: 0 },
    channels: {
      relate: (c) => [
        ...sameAxes.relate(c),
        ...((c.node.outputs[1] ?? '') === ''
          ? []
          : sameAxes.relate({ ...c, outputs: c.outputs.slice(1), out: (k, axis) => c.out(k + 1, axis) })),
      ],
    },
    cases: [
      { name: 'inference', inputs: [fed(2, 3)] },
      { name: 'mask', opset: 12, inputs: [fed(2, 3)], outputs: 2 },
      { name: 'ratio as attribute', opset: 7, attributes: [attr.float('ratio', 0.3)], inputs: [fed(2, 3, 4)] },
      { name: 'mask of opset 10', opset: 10, inputs: [fed(2, 3)], outputs: 2 },
    ],
  }),
];
