/** Owns type changes and bit patterns: Cast, CastLike, BitCast, BitShift, Bitwise*. */
import { attr, attribute, intAttr, stringAttr } from '../ir/attribute.ts';
import { type ElementType, elementTypes } from '../ir/element-type.ts';
import { fed, fedAs, fixed, ints } from './case-values.ts';
import { type Facts, type InferContext, none, type Op, type Scalar } from './declare.ts';
import { asElement, broadcastShapes, foldElementwise } from './fold.ts';
import { castGradient } from './layout-gradient.ts';
import {
  elemAttr,
  family,
  freezeAll,
  moveWork,
  noGradientYet,
  noQuantize,
  perOutput,
  sameAxes,
  tensorFacts,
} from './rule.ts';

const casts = family({
  domain: '',
  parameters: {},
  work: moveWork,
  gradient: noGradientYet,
  channels: sameAxes,
  quantize: noQuantize,
});

/** Cast-1 spells the type ("FLOAT"), newer ones give its code; some old files give the code already. */
function castType(c: InferContext): ElementType | null {
  if (attribute(c.node, 'to')?.kind === 'string') {
    const name = stringAttr(c.node, 'to', '').toLowerCase();
    return name in elementTypes ? (name as ElementType) : null;
  }
  return elemAttr(intAttr(c.node, 'to'));
}

/** A symbol stands for a whole number, so it survives a cast to any number type; casts to bool ask for its value. */
const castScalar =
  (to: ElementType | null) =>
  (x: Scalar): Scalar =>
    typeof x === 'string' ? (to === 'bool' || to === null ? null : x) : asElement(to, x);

const cast = (c: InferContext, to: ElementType | null): readonly Facts[] => {
  const x = c.inputs[0];
  return [tensorFacts(c, to, x?.shape ?? null, x?.elem === 'string' ? undefined : x?.content?.map(castScalar(to)))];
};

const bits = (type: string, since: readonly number[], f?: (a: number, b: number) => number): Op =>
  casts(
    type,
    since,
    (c) => {
      const elem = c.inputs[0]?.elem ?? null;
      const content = foldElementwise(c.inputs, elem, (a = null, b = null) =>
        f !== undefined &&
        typeof a === 'number' &&
        typeof b === 'number' &&
        a >= 0 &&
        b >= 0 &&
        a < 2 ** 31 &&
        b < 2 ** 31
          ? f(a, b)
          : null,
      );
      return [tensorFacts(c, elem, broadcastShapes(c.inputs.map((i) => i?.shape)), content)];
    },
    {
      work: perOutput('elementwise'),
      gradient: none('bits have no slope'),
      channels: freezeAll('bits of packed values'),
      cases: [
        {
          name: 'broadcast',
          opset: 18,
          ...(type === 'BitShift' ? { attributes: [attr.string('direction', 'RIGHT')] } : {}),
          inputs: [fedAs('uint8', [2, 3], [0, 255]), fedAs('uint8', [3], [0, 7])],
        },
      ],
    },
  );

export const castOps: readonly Op[] = [
  casts('Cast', [1, 6, 9, 13, 19, 21, 23, 24, 25], (c) => cast(c, castType(c)), {
    gradient: castGradient,
    cases: [
      { name: 'to int', attributes: [attr.int('to', 7)], inputs: [fed(2, 3)] },
      { name: 'of a constant to float', attributes: [attr.int('to', 1)], inputs: [ints([3, 4])] },
      { name: 'to bool', attributes: [attr.int('to', 9)], inputs: [ints([0, 4])] },
    ],
  }),
  casts('CastLike', [15, 19, 21, 23, 24, 25], (c) => cast(c, c.inputs[1]?.elem ?? null), {
    gradient: castGradient,
    cases: [
      { name: 'like an int', inputs: [fed(2, 3), ints([1])] },
      { name: 'like a float', inputs: [fed(2, 3), fixed('float', [1])] },
    ],
  }),
  casts(
    'BitCast',
    [26],
    (c) =>
      cast(
        { ...c, inputs: c.inputs.map((i) => i && { elem: i.elem, shape: i.shape, constant: i.constant }) },
        elemAttr(intAttr(c.node, 'to')),
      ),
    {
      gradient: none('bits have no slope'),
      cases: [
        {
          name: 'float to int32',
          opset: 26,
          attributes: [attr.int('to', 6)],
          inputs: [fed(2, 3)],
          norun: 'newer than the runtime',
          shapes: [[2, 3]],
        },
      ],
    },
  ),
  bits('BitShift', [11]),
  bits('BitwiseAnd', [18], (a, b) => a & b),
  bits('BitwiseOr', [18], (a, b) => a | b),
  bits('BitwiseXor', [18], (a, b) => a ^ b),
  casts('BitwiseNot', [18], (c) => [tensorFacts(c, c.inputs[0]?.elem ?? null, c.inputs[0]?.shape ?? null)], {
    work: perOutput('elementwise'),
    gradient: none('bits have no slope'),
    channels: freezeAll('bits of packed values'),
    cases: [{ name: 'plain', opset: 18, inputs: [fedAs('uint8', [2, 3], [0, 255])] }],
  }),
];
