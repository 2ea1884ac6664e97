/** Owns operators that left the standard but live in old files: Crop, ImageScaler, Affine, ScaledTanh ... */

import { attr, intsAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed } from './case-values.ts';
import { type Facts, type NodeContext, none, type Op } from './declare.ts';
import { elementwiseGradient } from './elementwise-gradient.ts';
import { cropGradient } from './index-gradient.ts';
import {
  family,
  freezeAll,
  likeInput,
  moveWork,
  noGradientYet,
  noQuantize,
  perOutput,
  sameAxes,
  sameAxis,
  tensorFacts,
} from './rule.ts';

const old = family({
  domain: '',
  parameters: {},
  work: perOutput('elementwise', 2),
  gradient: noGradientYet,
  channels: sameAxes,
  quantize: noQuantize,
});

/** Crop-1: x [N, C, H, W]; border [left, top, right, bottom]; scale [H, W] gives the size instead. */
const inferCrop = (c: NodeContext): readonly Facts[] => {
  const [n = null, ch = null, h = null, w = null] = c.inputs[0]?.shape ?? [];
  const [left = 0, top = 0, right = 0, bottom = 0] = intsAttr(c.node, 'border') ?? [];
  const size = intsAttr(c.node, 'scale');
  const less = (d: Dim, k: number): Dim => (typeof d === 'number' ? d - k : null);
  const shape = [n, ch, size?.[0] ?? less(h, top + bottom), size?.[1] ?? less(w, left + right)];
  return [tensorFacts(c, c.inputs[0]?.elem ?? null, shape)];
};

const gone = (type: string, more: Partial<Parameters<typeof old>[3]> = {}): Op =>
  old(type, [1], likeInput, { cases: [{ name: 'plain', opset: 1, inputs: [fed(1, 2, 3, 3)] }], ...more });

export const legacyOps: readonly Op[] = [
  old('Crop', [1], inferCrop, {
    gradient: cropGradient,
    work: moveWork,
    channels: { relate: (c) => [0, 1].flatMap((axis) => sameAxis(c, 0, axis, 0, axis)) },
    quantize: { role: 'pass', data: 0 },
    cases: [
      { name: 'borders', opset: 7, attributes: [attr.ints('border', [1, 0, 2, 1])], inputs: [fed(1, 2, 5, 6)] },
      {
        name: 'a size',
        opset: 7,
        attributes: [attr.ints('border', [1, 1, 1, 1]), attr.ints('scale', [2, 3])],
        inputs: [fed(1, 2, 5, 6)],
      },
    ],
  }),
  gone('ImageScaler', {
    gradient: elementwiseGradient('ImageScaler'),
    // One bias for each channel stands in an attribute.
    channels: freezeAll('ImageScaler keeps one number for each channel'),
    cases: [
      {
        name: 'two channels',
        opset: 7,
        attributes: [attr.floats('bias', [1, 2]), attr.float('scale', 2)],
        inputs: [fed(1, 2, 3, 3)],
      },
    ],
  }),
  gone('Affine', {
    gradient: elementwiseGradient('Affine'),
    cases: [
      { name: 'plain', opset: 7, attributes: [attr.float('alpha', 2), attr.float('beta', 1)], inputs: [fed(2, 3)] },
    ],
  }),
  gone('ParametricSoftplus', {
    gradient: elementwiseGradient('ParametricSoftplus'),
    cases: [
      { name: 'plain', opset: 7, attributes: [attr.float('alpha', 2), attr.float('beta', 1)], inputs: [fed(2, 3)] },
    ],
  }),
  gone('ScaledTanh', {
    gradient: elementwiseGradient('ScaledTanh'),
    cases: [
      { name: 'plain', opset: 7, attributes: [attr.float('alpha', 2), attr.float('beta', 1)], inputs: [fed(2, 3)] },
    ],
  }),
  gone('Scale', {
    gradient: none('no kernel in the runtime'),
    cases: [{ name: 'plain', opset: 7, inputs: [fed(2, 3)], norun: 'no kernel', shapes: [[2, 3]] }],
  }),
];
