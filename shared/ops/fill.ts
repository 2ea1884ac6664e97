/** Owns operators that write a pattern over a tensor's shape: EyeLike, Trilu, CumSum, CumProd. */

import { attr, intAttr } from '../ir/attribute.ts';
import { fed, ints } from './case-values.ts';
import { type ChannelContext, type ChannelRelation, none, type Op } from './declare.ts';
import { numbersOf } from './fold.ts';
import { againGradient } from './index-gradient.ts';
import { cumSumGradient } from './reduce-gradient.ts';
import {
  axisAt,
  elemAttr,
  family,
  freezeAll,
  likeInput,
  moveWork,
  noGradientYet,
  noQuantize,
  perOutput,
  sameAxis,
  tensorFacts,
} from './rule.ts';

const fills = family({
  domain: '',
  parameters: {},
  work: moveWork,
  gradient: noGradientYet,
  channels: freezeAll('the values depend on their place along the axes'),
  quantize: noQuantize,
});

/** All axes but the running one, or the last two of a triangle. */
const beside = (c: ChannelContext, taken: (axis: number, rank: number) => boolean): readonly ChannelRelation[] => {
  const s = c.inputs[0]?.shape ?? [];
  return s.flatMap((_, i) => (taken(i, s.length) ? [] : sameAxis(c, 0, i, 0, i)));
};
const running = {
  relate: (c: ChannelContext): readonly ChannelRelation[] => {
    const [axis] = numbersOf(c.inputs[1]) ?? [];
    return axis === undefined ? [] : beside(c, (i, rank) => i === axisAt(axis, rank));
  },
};

export const fillOps: readonly Op[] = [
  fills(
    'EyeLike',
    [9, 22],
    (c) => {
      const x = c.inputs[0];
      return [tensorFacts(c, elemAttr(intAttr(c.node, 'dtype')) ?? x?.elem ?? null, x?.shape ?? null)];
    },
    {
      gradient: none('its result does not depend on the values of its inputs'),
      cases: [
        { name: 'like', inputs: [fed(3, 4)] },
        { name: 'typed', attributes: [attr.int('dtype', 7)], inputs: [fed(3, 4)] },
      ],
    },
  ),
  fills('Trilu', [14], likeInput, {
    gradient: againGradient,
    channels: { relate: (c) => beside(c, (i, rank) => i >= rank - 2) },
    cases: [{ name: 'upper', inputs: [fed(2, 3, 4)] }],
  }),
  fills('CumSum', [11, 14], likeInput, {
    gradient: cumSumGradient,
    work: perOutput('other'),
    channels: running,
    cases: [{ name: 'axis 1', inputs: [fed(2, 3), ints([1], [])] }],
  }),
  fills('CumProd', [26], likeInput, {
    gradient: none('newer than the runtime'),
    work: perOutput('other'),
    channels: running,
    cases: [{ name: 'axis 1', opset: 26, inputs: [fed(2, 3), ints([1], [])], norun: 'no kernel', shapes: [[2, 3]] }],
  }),
];
