/** Owns activations: Relu and its kin, sigmoids, Clip, PRelu, the runtime's FastGelu and QuickGelu. */
import { attr } from '../ir/attribute.ts';
import { broadcastChannels } from './broadcast.ts';
import { fed, fixed } from './case-values.ts';
import type { Op, OpCase, QuantizeRule } from './declare.ts';
import { elementwiseGradient } from './elementwise-gradient.ts';
import { family, likeInput, noGradientYet, noQuantize, perOutput, sameAxes } from './rule.ts';

const activation = family({
  domain: '',
  parameters: {},
  work: perOutput('elementwise'),
  gradient: noGradientYet,
  channels: sameAxes,
  quantize: noQuantize,
});

const clamp: QuantizeRule = { role: 'activation', data: 0 };
const table: QuantizeRule = { role: 'elementwise', data: [0] };

const plain = (oldest: number, newest = 17): readonly OpCase[] => [
  { name: 'tensor', opset: newest, inputs: [fed(2, 3, 4)] },
  { name: 'scalar', opset: newest, inputs: [fed()] },
  { name: `opset ${oldest}`, opset: oldest, inputs: [fed(1, 2, 3, 3)] },
];
const with1 = (oldest: number, name: string, value: number, newest = 17): readonly OpCase[] => [
  ...plain(oldest, newest),
  { name: `${name} ${value}`, opset: newest, attributes: [attr.float(name, value)], inputs: [fed(2, 3)] },
];

export const activationOps: readonly Op[] = [
  activation('Relu', [1, 6, 13, 14], likeInput, {
    gradient: elementwiseGradient('Relu'),
    quantize: clamp,
    cases: plain(6),
  }),
  activation('LeakyRelu', [1, 6, 16], likeInput, {
    gradient: elementwiseGradient('LeakyRelu'),
    quantize: table,
    cases: with1(6, 'alpha', 0.2),
  }),
  activation('Elu', [1, 6, 22], likeInput, { gradient: elementwiseGradient('Elu'), cases: with1(6, 'alpha', 0.5) }),
  activation('Selu', [1, 6, 22], likeInput, { gradient: elementwiseGradient('Selu'), cases: with1(6, 'gamma', 1.5) }),
  activation('Celu', [12], likeInput, { gradient: elementwiseGradient('Celu'), cases: with1(12, 'alpha', 2) }),
  activation('ThresholdedRelu', [10, 22], likeInput, {
    gradient: elementwiseGradient('ThresholdedRelu'),
    cases: with1(10, 'alpha', 0.3),
  }),
  activation('Sigmoid', [1, 6, 13], likeInput, {
    gradient: elementwiseGradient('Sigmoid'),
    quantize: table,
    cases: plain(6),
  }),
  activation('HardSigmoid', [1, 6, 22], likeInput, {
    gradient: elementwiseGradient('HardSigmoid'),
    cases: with1(6, 'alpha', 0.3),
  }),
  activation('HardSwish', [14, 22], likeInput, { gradient: elementwiseGradient('HardSwish'), cases: plain(14) }),
  activation('Tanh', [1, 6, 13], likeInput, { gradient: elementwiseGradient('Tanh'), cases: plain(6) }),
  activation('Softplus', [1, 22], likeInput, { gradient: elementwiseGradient('Softplus'), cases: plain(7) }),
  activation('Softsign', [1, 22], likeInput, { gradient: elementwiseGradient('Softsign'), cases: plain(7) }),
  activation('Mish', [18, 22], likeInput, { gradient: elementwiseGradient('Mish'), cases: plain(18, 18) }),
  activation('Gelu', [20], likeInput, {
    gradient: elementwiseGradient('Gelu'),
    cases: [
      ...plain(20, 20),
      { name: 'by tanh', opset: 20, attributes: [attr.string('approximate', 'tanh')], inputs: [fed(2, 3)] },
    ],
  }),
  activation('Swish', [24], likeInput, { gradient: elementwiseGradient('Swish'), cases: with1(24, 'alpha', 0.5, 24) }),
  activation('Shrink', [9], likeInput, { gradient: elementwiseGradient('Shrink'), cases: with1(9, 'lambd', 0.2) }),
  // Clip-1 and 6 hold min and max as attributes, 11 on as inputs; the shape is the data's either way.
  activation('Clip', [1, 6, 11, 12, 13], likeInput, {
    gradient: elementwiseGradient('Clip'),
    quantize: clamp,
    cases: [
      { name: 'both bounds', inputs: [fed(2, 3), fixed('float', [-0.5], []), fixed('float', [0.5], [])] },
      { name: 'max alone', opset: 11, inputs: [fed(2, 3), undefined, fixed('float', [0.5], [])] },
      {
        name: 'as attributes',
        opset: 6,
        attributes: [attr.float('min', 0), attr.float('max', 6)],
        inputs: [fed(2, 3)],
      },
      { name: 'no bounds', inputs: [fed(2, 3)] },
    ],
  }),
  // The slope broadcasts to the data from the right; PRelu-1 and 6 also took one slope per channel (axis 1).
  activation('PRelu', [1, 6, 7, 9, 16], likeInput, {
    gradient: elementwiseGradient('PRelu'),
    parameters: { 1: 'weight' },
    channels: {
      relate: (c) => {
        const slope = c.inputs[1]?.shape;
        const x = c.inputs[0]?.shape;
        if (c.version >= 7 || slope?.length !== 1 || slope[0] === 1 || x?.[1] !== slope[0])
          return broadcastChannels.relate(c);
        return [...sameAxes.relate(c), { kind: 'same', a: c.in(1, 0), b: c.in(0, 1) }];
      },
    },
    cases: [
      { name: 'slope per channel', inputs: [fed(2, 3, 4, 4), fed(3, 1, 1)] },
      { name: 'one slope', opset: 9, inputs: [fed(2, 3), fed(1)] },
      { name: 'slope per element', inputs: [fed(2, 3), fed(2, 3)] },
      {
        name: 'channel slope of opset 6',
        opset: 6,
        inputs: [fed(2, 3, 4, 4), fed(3)],
        norun: 'the runtime starts at 7',
        shapes: [[2, 3, 4, 4]],
      },
    ],
  }),
];
