/** Owns products on quantized tensors: QLinearConv, ConvInteger, QLinearMatMul, MatMulInteger, QGemm, MatMulNBits. */
import { attr, intAttr } from '../ir/attribute.ts';
import type { ElementType } from '../ir/element-type.ts';
import { fed, fedAs, fixed } from './case-values.ts';
import { convWork, inferConv } from './conv.ts';
import { convChannels } from './conv-channels.ts';
import type { InferContext, NodeContext, Op, OpWork, WorkContext } from './declare.ts';
import { none } from './declare.ts';
import { sizeOf } from './fold.ts';
import { gemmRelations, gemmWork, inferGemm, inferMatMul, matMulRelations, matMulWork } from './matmul.ts';
import { channelsMoved, inferMoved, type Places, workMoved } from './reordered.ts';
import { family, freezeAll, tensorFacts, times } from './rule.ts';

const products = family({
  domain: '',
  parameters: {},
  work: none('counted by its own rule'),
  gradient: none('integer arithmetic: train before quantizing'),
  channels: freezeAll('this quantized product keeps its channels'),
  quantize: none('is quantized already'),
});

const elemOf =
  (k: number) =>
  (c: InferContext): ElementType | null =>
    c.inputs[k]?.elem ?? null;
const int32 = (): ElementType => 'int32';
const lastAxis =
  (k: number) =>
  (c: NodeContext): number =>
    Math.max(0, (c.inputs[k]?.shape?.length ?? 1) - 1);
const scale = fixed('float', [0.1], []);
const zero8 = fixed('uint8', [128], []);
const bytes = (...shape: readonly number[]) => fedAs('uint8', shape, [0, 255]);

// x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, B
const qConv: Places = [0, 3, 8];
const qMatMul: Places = [0, 3];
// A, a_scale, a_zero, B, b_scale, b_zero, C, y_scale, y_zero
const qGemm: Places = [0, 3, 6];
const plain: Places = [0, 1];

/** MatMulNBits: A [.., K], packed B [N, blocks, bytes], scales; K and N are attributes. */
const inferNBits = (c: NodeContext) => {
  const a = c.inputs[0];
  return [tensorFacts(c, a?.elem ?? null, a?.shape ? [...a.shape.slice(0, -1), intAttr(c.node, 'N') ?? null] : null)];
};
const nBitsWork = (c: WorkContext): OpWork => ({
  kernel: 'matmul',
  macs: times(sizeOf(c.outputs[0]?.shape), intAttr(c.node, 'K')),
  otherOps: times(intAttr(c.node, 'K'), intAttr(c.node, 'N'), 2),
});

const nBits = (type: string): Op =>
  products(type, [1], inferNBits, {
    domain: 'com.microsoft',
    parameters: { 1: 'weight' },
    work: nBitsWork,
    channels: freezeAll('its weight is packed in blocks'),
    cases: [
      {
        name: '4 bit, blocks of 16',
        attributes: [attr.int('K', 16), attr.int('N', 3), attr.int('bits', 4), attr.int('block_size', 16)],
        inputs: [
          fed(2, 16),
          fixed(
            'uint8',
            Array.from({ length: 24 }, (_, i) => i),
            [3, 1, 8],
          ),
          fixed('float', [0.1, 0.2, 0.3]),
        ],
        ...(type === 'MatMulNBits' ? {} : { norun: 'no kernel on the CPU', shapes: [[2, 3]] }),
        macs: 96,
      },
    ],
  });

export const quantizedProductOps: readonly Op[] = [
  products('QLinearConv', [10], inferMoved(inferConv, qConv, elemOf(7)), {
    parameters: { 3: 'weight', 8: 'bias' },
    work: workMoved(convWork, qConv),
    channels: channelsMoved(convChannels(false), qConv, { inputs: [4, 5], weight: 3, axis: () => 0 }),
    cases: [
      {
        name: 'with bias',
        attributes: [attr.ints('pads', [1, 1, 1, 1])],
        inputs: [
          bytes(1, 2, 4, 4),
          scale,
          zero8,
          bytes(3, 2, 3, 3),
          scale,
          zero8,
          scale,
          zero8,
          fixed('int32', [1, 2, 3]),
        ],
        macs: 3 * 16 * 18,
      },
    ],
  }),
  products('ConvInteger', [10], inferMoved(inferConv, plain, int32), {
    parameters: { 1: 'weight' },
    work: workMoved(convWork, plain),
    channels: channelsMoved(convChannels(false), plain, { inputs: [3], weight: 1, axis: () => 0 }),
    cases: [{ name: 'zero points', inputs: [bytes(1, 2, 4, 4), bytes(3, 2, 3, 3), zero8, zero8], macs: 3 * 4 * 18 }],
  }),
  products('QLinearMatMul', [10, 21], inferMoved(inferMatMul, qMatMul, elemOf(7)), {
    parameters: { 3: 'weight' },
    work: workMoved(matMulWork, qMatMul),
    channels: channelsMoved({ relate: matMulRelations }, qMatMul, { inputs: [4, 5], weight: 3, axis: lastAxis(3) }),
    cases: [{ name: 'plain', inputs: [bytes(2, 3), scale, zero8, bytes(3, 4), scale, zero8, scale, zero8], macs: 24 }],
  }),
  products('MatMulInteger', [10], inferMoved(inferMatMul, plain, int32), {
    parameters: { 1: 'weight' },
    work: workMoved(matMulWork, plain),
    channels: channelsMoved({ relate: matMulRelations }, plain, { inputs: [3], weight: 1, axis: lastAxis(1) }),
    cases: [{ name: 'zero points', inputs: [bytes(2, 3), bytes(3, 4), zero8, zero8], macs: 24 }],
  }),
  products(
    'QGemm',
    [1],
    inferMoved(inferGemm, qGemm, (c) => (c.inputs[7] === undefined ? 'float' : (c.inputs[8]?.elem ?? null))),
    {
      domain: 'com.microsoft',
      parameters: { 3: 'weight', 6: 'bias' },
      work: workMoved(gemmWork, qGemm),
      channels: channelsMoved({ relate: gemmRelations }, qGemm, {
        inputs: [4, 5],
        weight: 3,
        axis: (c) => (intAttr(c.node, 'transB', 0) === 1 ? 0 : 1),
      }),
      cases: [
        {
          name: 'quantized',
          attributes: [attr.int('transB', 1)],
          inputs: [bytes(2, 3), scale, zero8, bytes(4, 3), scale, zero8, fixed('int32', [1, 2, 3, 4]), scale, zero8],
          macs: 24,
        },
        { name: 'to float', inputs: [bytes(2, 3), scale, zero8, bytes(3, 4), scale, zero8], macs: 24 },
      ],
    },
  ),
  // A, B, a_scale, b_scale, a_zero, b_zero, bias -> float
  products('MatMulIntegerToFloat', [1], inferMoved(inferMatMul, plain, elemOf(2)), {
    domain: 'com.microsoft',
    parameters: { 1: 'weight', 6: 'bias' },
    work: workMoved(matMulWork, plain),
    cases: [{ name: 'zero points', inputs: [bytes(2, 3), bytes(3, 4), scale, scale, zero8, zero8], macs: 24 }],
  }),
  // A (float), B, b_scale, b_zero, bias -> float
  products('DynamicQuantizeMatMul', [1], inferMoved(inferMatMul, plain, elemOf(0)), {
    domain: 'com.microsoft',
    parameters: { 1: 'weight', 4: 'bias' },
    work: workMoved(matMulWork, plain),
    cases: [{ name: 'plain', inputs: [fed(2, 3), bytes(3, 4), scale, zero8], macs: 24 }],
  }),
  nBits('MatMulNBits'),
  nBits('MatMulBnb4'),
];
