/** Owns QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear, also of com.microsoft, and the markers of QONNX. */
import { attr, intAttr } from '../ir/attribute.ts';
import type { ElementType } from '../ir/element-type.ts';
import { fed, fedAs, fixed } from './case-values.ts';
import type { ChannelContext, ChannelRelation, ChannelRule, Facts, NodeContext, Op, OpCase } from './declare.ts';
import { none } from './declare.ts';
import { elementwiseGradient } from './elementwise-gradient.ts';
import { axisAt, elemAttr, family, noGradientYet, perOutput, sameAxes, sameAxis, tensorFacts } from './rule.ts';

const alreadyQuantized = none('is quantized already');

const steps = family({
  domain: '',
  parameters: {},
  work: perOutput('quantize', 2),
  gradient: noGradientYet,
  channels: { relate: () => [] },
  quantize: alreadyQuantized,
});

/**
 * Data axes pass. Per axis, scale and zero point (1-D) run along `axis`; blocked (QuantizeLinear-21, block_size), they
 * have the data's rank and one entry for each block along `axis`.
 */
const scaled: ChannelRule = {
  relate: (c) => {
    const s = c.inputs[0]?.shape;
    if (!s) return [];
    const axis = axisAt(intAttr(c.node, 'axis', 1), s.length);
    return [...s.flatMap((_, i) => sameAxis(c, 0, i, 0, i)), ...[1, 2].flatMap((k) => alongScale(c, s, axis, k))];
  },
};

function alongScale(
  c: ChannelContext,
  s: readonly (number | string | null)[],
  axis: number,
  k: number,
): readonly ChannelRelation[] {
  const own = c.inputs[k]?.shape;
  if (!own) return [];
  const size = s[axis];
  if (own.length === 1)
    return typeof size === 'number' && size === own[0] && !(size === 1 && s.length > 1)
      ? [{ kind: 'same', a: c.in(0, axis), b: c.in(k, 0) }]
      : [];
  if (own.length !== s.length) return [];
  // Zero points go with their scales.
  if (k === 2)
    return own.flatMap((d, i) => (typeof d === 'number' ? [{ kind: 'same', a: c.in(1, i), b: c.in(2, i) }] : []));
  const block = intAttr(c.node, 'block_size', 0);
  return own.flatMap((d, i): readonly ChannelRelation[] => {
    if (typeof d !== 'number') return [];
    if (d === s[i]) return [{ kind: 'same', a: c.in(0, i), b: c.in(k, i) }];
    return typeof size === 'number' && d * block === size
      ? [{ kind: 'repeat', of: c.in(k, i), big: c.in(0, i), outer: 1, inner: block }]
      : [{ kind: 'freeze', slot: c.in(0, i), reason: 'its scales stand for blocks that do not divide this axis' }];
  });
}

const quantized = (c: NodeContext): readonly Facts[] => {
  const elem: ElementType = c.inputs[2]?.elem ?? elemAttr(intAttr(c.node, 'output_dtype', 0)) ?? 'uint8';
  return [tensorFacts(c, elem, c.inputs[0]?.shape ?? null)];
};
const dequantized = (c: NodeContext): readonly Facts[] => {
  const elem = elemAttr(intAttr(c.node, 'output_dtype', 0)) ?? c.inputs[1]?.elem ?? null;
  return [tensorFacts(c, elem, c.inputs[0]?.shape ?? null)];
};

const dynamic = (c: NodeContext): readonly Facts[] => [
  tensorFacts(c, 'uint8', c.inputs[0]?.shape ?? null),
  tensorFacts(c, 'float', []),
  tensorFacts(c, 'uint8', []),
];

const one = (elem: ElementType, value: number) => fixed(elem, [value], []);
const quantizeCases: readonly OpCase[] = [
  { name: 'per tensor', inputs: [fed(2, 3), one('float', 0.1), one('uint8', 128)] },
  { name: 'no zero point', inputs: [fed(2, 3), one('float', 0.1)] },
];
const dequantizeCases: readonly OpCase[] = [
  { name: 'per tensor', inputs: [fedAs('uint8', [2, 3], [0, 255]), one('float', 0.1), one('uint8', 128)] },
];
const perAxis = { attributes: [attr.int('axis', 0)] };

export const quantizeLinearOps: readonly Op[] = [
  steps('QuantizeLinear', [10, 13, 19, 21, 23, 24, 25], quantized, {
    gradient: elementwiseGradient('QuantizeLinear'),
    channels: scaled,
    cases: [
      ...quantizeCases,
      { name: 'per axis', ...perAxis, inputs: [fed(2, 3), fixed('float', [0.1, 0.2]), fixed('int8', [0, 0])] },
      {
        name: 'blocked',
        opset: 21,
        attributes: [attr.int('axis', 1), attr.int('block_size', 2)],
        inputs: [fed(2, 4), fixed('float', [0.1, 0.2, 0.3, 0.4], [2, 2]), fixed('int8', [0, 0, 0, 0], [2, 2])],
      },
      {
        name: 'type by attribute',
        opset: 21,
        attributes: [attr.int('output_dtype', 3)],
        inputs: [fed(2, 3), one('float', 0.1)],
      },
    ],
  }),
  steps('DequantizeLinear', [10, 13, 19, 21, 23, 24, 25], dequantized, {
    gradient: elementwiseGradient('DequantizeLinear'),
    channels: scaled,
    cases: [
      ...dequantizeCases,
      {
        name: 'per axis',
        ...perAxis,
        inputs: [fedAs('int8', [2, 3], [-128, 127]), fixed('float', [0.1, 0.2]), fixed('int8', [0, 0])],
      },
      {
        name: 'blocked 4 bit',
        opset: 21,
        attributes: [attr.int('axis', 1), attr.int('block_size', 2)],
        inputs: [fixed('uint4', [1, 2, 3, 4, 5, 6, 7, 8], [2, 4]), fixed('float', [0.1, 0.2, 0.3, 0.4], [2, 2])],
      },
    ],
  }),
  steps('DynamicQuantizeLinear', [11], dynamic, {
    gradient: elementwiseGradient('DynamicQuantizeLinear'),
    work: perOutput('quantize', 4),
    channels: sameAxes,
    cases: [{ name: 'of floats', inputs: [fed(2, 3)], outputs: 3 }],
  }),
  steps('QuantizeLinear', [1], quantized, {
    gradient: elementwiseGradient('QuantizeLinear'),
    domain: 'com.microsoft',
    channels: scaled,
    cases: quantizeCases,
  }),
  steps('DequantizeLinear', [1], dequantized, {
    gradient: elementwiseGradient('DequantizeLinear'),
    domain: 'com.microsoft',
    channels: scaled,
    cases: dequantizeCases,
  }),
  // QONNX: quantization as a function on floats. Shape and channels pass; its weights are named by who reads them.
  ...['finn.custom_op.general', 'qonnx.custom_op.general', 'onnx.brevitas'].flatMap((domain) =>
    ['Quant', 'BipolarQuant', 'Trunc'].map((type) =>
      steps(type, [1], (c) => [tensorFacts(c, c.inputs[0]?.elem ?? null, c.inputs[0]?.shape ?? null)], {
        domain,
        gradient: none('not an operator of the runtime'),
        channels: sameAxes,
        cases: [
          {
            name: 'identity shaped',
            inputs: [fed(2, 3), one('float', 1)],
            norun: 'not an operator of the runtime',
            shapes: [[2, 3]],
          },
        ],
      }),
    ),
  ),
];
