/** Owns convolutions: Conv, ConvTranspose, and the runtime's FusedConv. */

import { attr, intAttr, intsAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed } from './case-values.ts';
import { convChannels } from './conv-channels.ts';
import { convGradient, convTransposeGradient } from './conv-gradient.ts';
import type { Facts, InferContext, KernelClass, NodeContext, Op, OpWork, WorkContext } from './declare.ts';
import { sizeOf } from './fold.ts';
import { fusedConvGradient } from './fused-gradient.ts';
import { family, noGradientYet, tensorFacts, times, timesFrom } from './rule.ts';
import { transposedSize, windowOf, windowSize } from './window.ts';

const kernelOf = (c: NodeContext): readonly Dim[] | undefined =>
  c.inputs[1]?.shape?.slice(2) ?? intsAttr(c.node, 'kernel_shape');

/** X: [N, C, d1 ...]; W: [M, C/group, k1 ...] -> [N, M, o1 ...] */
export function inferConv(c: InferContext): readonly Facts[] {
  const [x, w] = c.inputs;
  const kernel = kernelOf(c);
  const rank = x?.shape ? x.shape.length - 2 : kernel?.length;
  if (rank === undefined) return [tensorFacts(c, x?.elem ?? w?.elem ?? null, null)];
  const window = windowOf(c.node, rank);
  const shape: Dim[] = [x?.shape?.[0] ?? null, w?.shape?.[0] ?? null];
  for (let i = 0; i < rank; i++)
    shape.push(windowSize(x?.shape?.[i + 2] ?? null, kernel?.[i] ?? null, window, i, rank));
  return [tensorFacts(c, x?.elem ?? w?.elem ?? null, shape)];
}

/** X: [N, C, d1 ...]; W: [C, M/group, k1 ...] -> [N, M, o1 ...] */
function inferTranspose(c: InferContext): readonly Facts[] {
  const [x, w] = c.inputs;
  const kernel = kernelOf(c);
  const rank = x?.shape ? x.shape.length - 2 : kernel?.length;
  if (rank === undefined) return [tensorFacts(c, x?.elem ?? w?.elem ?? null, null)];
  const window = windowOf(c.node, rank);
  const extra = intsAttr(c.node, 'output_padding');
  const said = intsAttr(c.node, 'output_shape');
  const spatial = Array.from(
    { length: rank },
    (_, i): Dim =>
      said?.[said.length - rank + i] ??
      transposedSize(x?.shape?.[i + 2] ?? null, kernel?.[i] ?? null, window, extra?.[i] ?? 0, i, rank),
  );
  const m = times(w?.shape?.[1], intAttr(c.node, 'group', 1));
  return [tensorFacts(c, x?.elem ?? w?.elem ?? null, [x?.shape?.[0] ?? null, m, ...spatial])];
}

/** One multiply-accumulate per output element, input channel of its group, and kernel tap. */
export function convWork(c: WorkContext): OpWork {
  const w = c.inputs[1]?.shape;
  const out = sizeOf(c.outputs[0]?.shape);
  const perOutput = w ? timesFrom(w, 1) : null;
  const depthwise = w?.[1] === 1 && intAttr(c.node, 'group', 1) > 1;
  const kernel: KernelClass = depthwise ? 'depthwise-conv' : 'conv';
  return { kernel, macs: times(out, perOutput), otherOps: c.inputs[2] === undefined ? 0 : out };
}

/** Every input element meets M/group outputs at each kernel tap. */
function transposeWork(c: WorkContext): OpWork {
  const w = c.inputs[1]?.shape;
  const perInput = w ? timesFrom(w, 1) : null;
  const bias = c.inputs[2] === undefined ? 0 : sizeOf(c.outputs[0]?.shape);
  return { kernel: 'conv-transpose', macs: times(sizeOf(c.inputs[0]?.shape), perInput), otherOps: bias };
}

const conv = family({
  domain: '',
  parameters: { 1: 'weight', 2: 'bias' },
  work: convWork,
  gradient: noGradientYet,
  channels: convChannels(false),
  quantize: { role: 'compute', data: 0, weight: 1, bias: 2, weightAxis: () => 0 },
});

export const convOps: readonly Op[] = [
  conv('Conv', [1, 11, 22], inferConv, {
    gradient: convGradient,
    cases: [
      {
        name: 'pads',
        attributes: [attr.ints('pads', [1, 1, 1, 1])],
        inputs: [fed(1, 2, 5, 6), fed(3, 2, 3, 3), fed(3)],
        macs: 1620,
      },
      {
        name: 'strides, dilations',
        attributes: [attr.ints('strides', [2, 1]), attr.ints('dilations', [1, 2])],
        inputs: [fed(2, 2, 7, 8), fed(4, 2, 3, 3)],
        macs: 2 * 4 * 3 * 4 * 18,
      },
      {
        name: 'grouped',
        attributes: [attr.int('group', 2)],
        inputs: [fed(1, 4, 5, 5), fed(6, 2, 3, 3)],
        macs: 6 * 9 * 18,
      },
      {
        name: 'depthwise',
        attributes: [attr.int('group', 4)],
        inputs: [fed(1, 4, 5, 5), fed(4, 1, 3, 3), fed(4)],
        macs: 4 * 9 * 9,
      },
      {
        name: 'depthwise, multiplier 2',
        attributes: [attr.int('group', 3)],
        inputs: [fed(1, 3, 4, 4), fed(6, 1, 2, 2)],
        macs: 6 * 9 * 4,
      },
      {
        name: 'SAME_UPPER',
        attributes: [attr.string('auto_pad', 'SAME_UPPER'), attr.ints('strides', [2, 2])],
        inputs: [fed(1, 1, 5, 6), fed(1, 1, 3, 3)],
        macs: 81,
      },
      {
        name: 'SAME_LOWER',
        opset: 9,
        attributes: [attr.string('auto_pad', 'SAME_LOWER')],
        inputs: [fed(1, 1, 5, 6), fed(1, 1, 2, 2)],
        macs: 120,
      },
      {
        name: 'VALID',
        opset: 1,
        attributes: [attr.string('auto_pad', 'VALID')],
        inputs: [fed(1, 1, 5, 6), fed(1, 1, 2, 2)],
        macs: 80,
      },
      {
        name: 'large kernel, pads',
        attributes: [attr.ints('pads', [2, 2, 2, 2])],
        inputs: [fed(2, 2, 7, 8), fed(3, 2, 5, 5), fed(3)],
        macs: 16_800,
      },
      {
        name: 'large kernel, dilations',
        attributes: [attr.ints('dilations', [1, 2]), attr.ints('pads', [0, 1, 1, 0])],
        inputs: [fed(2, 2, 8, 8), fed(3, 2, 5, 3)],
        macs: 2 * 3 * 5 * 5 * 30,
      },
      { name: 'one spatial axis', opset: 11, inputs: [fed(1, 2, 9), fed(3, 2, 3)], macs: 126 },
      {
        name: 'three spatial axes',
        opset: 22,
        attributes: [attr.ints('pads', [0, 1, 0, 0, 0, 1])],
        inputs: [fed(1, 1, 3, 3, 3), fed(2, 1, 2, 2, 2)],
        macs: 2 * 2 * 3 * 3 * 8,
      },
    ],
  }),
  conv('ConvTranspose', [1, 11, 22], inferTranspose, {
    gradient: convTransposeGradient,
    work: transposeWork,
    channels: convChannels(true),
    quantize: { role: 'compute', data: 0, weight: 1, bias: 2, weightAxis: () => 1 },
    cases: [
      { name: 'plain', inputs: [fed(1, 2, 3, 4), fed(2, 3, 3, 3), fed(3)], macs: 24 * 27 },
      {
        name: 'strides, output padding',
        attributes: [
          attr.ints('strides', [2, 2]),
          attr.ints('output_padding', [1, 0]),
          attr.ints('pads', [1, 0, 1, 1]),
        ],
        inputs: [fed(1, 2, 3, 3), fed(2, 1, 3, 3)],
        macs: 18 * 9,
      },
      {
        name: 'output shape',
        attributes: [attr.ints('strides', [2, 2]), attr.ints('output_shape', [7, 8])],
        inputs: [fed(1, 1, 3, 3), fed(1, 2, 3, 3)],
        macs: 9 * 18,
      },
      {
        name: 'grouped',
        opset: 11,
        attributes: [attr.int('group', 2)],
        inputs: [fed(1, 4, 3, 3), fed(4, 3, 2, 2)],
        macs: 36 * 12,
      },
      {
        name: 'SAME_UPPER',
        attributes: [attr.string('auto_pad', 'SAME_UPPER'), attr.ints('strides', [2, 2])],
        inputs: [fed(1, 1, 3, 3), fed(1, 1, 3, 3)],
        macs: 81,
      },
      {
        name: 'dilations',
        attributes: [attr.ints('dilations', [2, 2])],
        inputs: [fed(1, 1, 3, 3), fed(1, 1, 2, 2)],
        macs: 36,
      },
    ],
  }),
  {
    ...conv('FusedConv', [1], inferConv, {
      gradient: fusedConvGradient,
      cases: [
        {
          name: 'with Relu',
          attributes: [attr.string('activation', 'Relu')],
          inputs: [fed(1, 2, 5, 5), fed(3, 2, 3, 3), fed(3)],
          macs: 3 * 9 * 18,
        },
        {
          name: 'with LeakyRelu',
          attributes: [attr.string('activation', 'LeakyRelu'), attr.floats('activation_params', [0.1])],
          inputs: [fed(1, 2, 5, 5), fed(3, 2, 3, 3)],
          macs: 3 * 9 * 18,
        },
        {
          name: 'with the sum of a shortcut',
          attributes: [attr.string('activation', 'Relu')],
          inputs: [fed(1, 2, 3, 3), fed(2, 2, 1, 1), fed(2), fed(1, 2, 3, 3)],
          macs: 36,
        },
      ],
    }),
    domain: 'com.microsoft',
    channels: {
      ...convChannels(false),
      relate: (c) => [
        ...convChannels(false).relate(c),
        ...((c.node.inputs[3] ?? '') === '' ? [] : [{ kind: 'same', a: c.in(3, 1), b: c.out(0, 1) } as const]),
      ],
    },
  },
];
