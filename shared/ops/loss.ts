/** Owns what a training graph ends in, and the rare rest of the standard: losses, Det, DeformConv. */

import { attr, stringAttr } from '../ir/attribute.ts';
import { fed, fixed, ints } from './case-values.ts';
import { inferConv } from './conv.ts';
import { type Facts, type NodeContext, none, type Op } from './declare.ts';
import { sizeOf } from './fold.ts';
import { crossEntropyLossGradient, negativeLogGradient } from './loss-gradient.ts';
import { inferMoved, workMoved } from './reordered.ts';
import { family, freezeAll, noGradientYet, noQuantize, perInput, tensorFacts, times } from './rule.ts';

const losses = family({
  domain: '',
  parameters: {},
  work: perInput('other', 4),
  gradient: noGradientYet,
  channels: freezeAll('its channels are the classes'),
  quantize: noQuantize,
});

/** scores [N, C, d ...], labels [N, d ...] -> loss: a scalar, or one for each label; then the log probabilities. */
const inferLoss = (c: NodeContext): readonly Facts[] => {
  const [scores, labels] = c.inputs;
  const each = stringAttr(c.node, 'reduction', 'mean') === 'none';
  const elem = scores?.elem ?? null;
  return [tensorFacts(c, elem, each ? (labels?.shape ?? null) : []), tensorFacts(c, elem, scores?.shape ?? null)].slice(
    0,
    c.node.outputs.length,
  );
};

const lossCases: Op['cases'] = [
  { name: 'mean', inputs: [fed(3, 4), ints([0, 3, 1])] },
  { name: 'one each', attributes: [attr.string('reduction', 'none')], inputs: [fed(3, 4), ints([0, 3, 1])] },
  {
    name: 'class weights, an ignored label',
    attributes: [attr.int('ignore_index', 1)],
    inputs: [fed(2, 3, 2), ints([0, 1, 2, 2], [2, 2]), fixed('float', [0.5, 1, 2])],
  },
  { name: 'summed', attributes: [attr.string('reduction', 'sum')], inputs: [fed(3, 4), ints([0, 3, 1])] },
];

export const lossOps: readonly Op[] = [
  losses('SoftmaxCrossEntropyLoss', [12, 13], inferLoss, { gradient: crossEntropyLossGradient, cases: lossCases }),
  losses('NegativeLogLikelihoodLoss', [12, 13, 22], inferLoss, { gradient: negativeLogGradient, cases: lossCases }),
  losses(
    'Det',
    [11, 22],
    (c) => [tensorFacts(c, c.inputs[0]?.elem ?? null, c.inputs[0]?.shape?.slice(0, -2) ?? null)],
    {
      gradient: none('it needs an inverse matrix, which the standard cannot compute'),
      // Elimination of each n x n matrix: about n / 3 operations for each element.
      work: (c) => ({
        kernel: 'other',
        macs: 0,
        otherOps: times(sizeOf(c.inputs[0]?.shape), c.inputs[0]?.shape?.at(-1)),
      }),
      channels: freezeAll('a determinant mixes rows and columns'),
      cases: [{ name: 'two matrices', inputs: [fed(2, 3, 3)] }],
    },
  ),
  losses(
    'DeformConv',
    [19, 22],
    inferMoved(inferConv, [0, 1], (c) => c.inputs[0]?.elem ?? null),
    {
      gradient: none('no kernel in some builds of the runtime'),
      parameters: { 1: 'weight', 3: 'bias' },
      work: workMoved(
        (c) => {
          const w = c.inputs[1]?.shape;
          return {
            kernel: 'conv',
            macs: times(sizeOf(c.outputs[0]?.shape), ...(w ? w.slice(1) : [null])),
            otherOps: null,
          };
        },
        [0, 1],
      ),
      channels: freezeAll('its offsets move with the channels'),
      cases: [
        {
          name: 'offsets',
          opset: 19,
          inputs: [fed(1, 1, 3, 3), fed(2, 1, 2, 2), fed(1, 8, 2, 2)],
          norun: 'no kernel in some builds',
          shapes: [[1, 2, 2, 2]],
          macs: 32,
        },
      ],
    },
  ),
];
