/** Owns operators that draw random numbers: never constant, whatever they read. */
import { attr, intAttr, intsAttr } from '../ir/attribute.ts';
import { fed, fixed } from './case-values.ts';
import { type Facts, type NodeContext, none, type Op } from './declare.ts';
import { elemAttr, family, freezeAll, noQuantize, perOutput, sameAxes } from './rule.ts';

const draws = family({
  domain: '',
  parameters: {},
  work: perOutput('other'),
  gradient: none('random numbers do not depend on the input'),
  channels: freezeAll('random numbers of a fixed shape'),
  quantize: noQuantize,
});

const drawn = (elem: Facts['elem'], shape: Facts['shape']): readonly Facts[] => [{ elem, shape, constant: false }];
const ofShape = (c: NodeContext): readonly Facts[] =>
  drawn(elemAttr(intAttr(c.node, 'dtype', 1)), intsAttr(c.node, 'shape') ?? null);
const likeOther = (c: NodeContext): readonly Facts[] =>
  drawn(elemAttr(intAttr(c.node, 'dtype')) ?? c.inputs[0]?.elem ?? null, c.inputs[0]?.shape ?? null);

export const randomOps: readonly Op[] = [
  ...['RandomNormal', 'RandomUniform'].flatMap((type) => [
    draws(type, [1, 22], ofShape, {
      cases: [{ name: 'of a shape', attributes: [attr.ints('shape', [2, 3])], inputs: [] }],
    }),
    draws(`${type}Like`, [1, 22], likeOther, {
      channels: sameAxes,
      cases: [{ name: 'like a tensor', inputs: [fed(2, 3)] }],
    }),
  ]),
  draws('Bernoulli', [15, 22], likeOther, {
    channels: sameAxes,
    cases: [{ name: 'like a tensor', inputs: [fixed('float', [0.5, 0.1], [1, 2])] }],
  }),
  draws(
    'Multinomial',
    [7, 22],
    (c) =>
      drawn(elemAttr(intAttr(c.node, 'dtype', 6)), [
        c.inputs[0]?.shape?.[0] ?? null,
        intAttr(c.node, 'sample_size', 1),
      ]),
    { cases: [{ name: 'four samples', attributes: [attr.int('sample_size', 4)], inputs: [fed(2, 3)] }] },
  ),
];
