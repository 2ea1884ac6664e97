/** Owns com.microsoft operators that map quantized tensors: QLinearAdd, QLinearMul, pooling, activations, Concat. */
import { attr, intAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fedAs, fixed } from './case-values.ts';
import type { ChannelContext, ChannelRelation, Facts, NodeContext, Op } from './declare.ts';
import { none } from './declare.ts';
import { broadcastShapes } from './fold.ts';
import {
  axisAt,
  family,
  freezeAll,
  likeInput,
  moveWork,
  perInput,
  perOutput,
  sameAxes,
  sameAxis,
  tensorFacts,
} from './rule.ts';

const maps = family({
  domain: 'com.microsoft',
  parameters: {},
  work: perOutput('elementwise', 3),
  gradient: none('integer arithmetic: train before quantizing'),
  channels: sameAxes,
  quantize: none('is quantized already'),
});

const scale = fixed('float', [0.1], []);
const zero = fixed('uint8', [128], []);
const bytes = (...shape: readonly number[]) => fedAs('uint8', shape, [0, 255]);

/** A, a_scale, a_zero, B, b_scale, b_zero, y_scale, y_zero; broadcast from the right. */
const inferBinary = (c: NodeContext): readonly Facts[] => [
  tensorFacts(c, c.inputs[0]?.elem ?? null, broadcastShapes([c.inputs[0]?.shape, c.inputs[3]?.shape])),
];
const binaryRelations = (c: ChannelContext): readonly ChannelRelation[] => {
  const rank = c.outputs[0]?.shape?.length ?? 0;
  return [0, 3].flatMap((k) => {
    const s = c.inputs[k]?.shape ?? [];
    return s.flatMap((d, i) => (d === 1 ? [] : sameAxis(c, k, i, 0, i + rank - s.length)));
  });
};
const binary = (type: string): Op =>
  maps(type, [1], inferBinary, {
    channels: { relate: binaryRelations },
    cases: [{ name: 'broadcast', inputs: [bytes(2, 3, 4), scale, zero, bytes(3, 1), scale, zero, scale, zero] }],
  });

const unary = (type: string, attributes: Op['cases'][number]['attributes'] = []): Op =>
  maps(type, [1], likeInput, {
    cases: [{ name: 'plain', attributes, inputs: [bytes(2, 3), scale, zero, scale, zero] }],
  });

/** x [N, C, H, W], or [N, H, W, C] where channels_last. */
const inferPool = (c: NodeContext): readonly Facts[] => {
  const last = intAttr(c.node, 'channels_last', 0) === 1;
  const s = c.inputs[0]?.shape;
  const shape = s?.map((d, i): Dim => (i === 0 || i === (last ? s.length - 1 : 1) ? d : 1)) ?? null;
  return [tensorFacts(c, c.inputs[0]?.elem ?? null, shape)];
};

/** y_scale, y_zero, then triples of x, scale, zero. */
const parts = (c: NodeContext): readonly number[] =>
  c.inputs.flatMap((_, k) => (k >= 2 && (k - 2) % 3 === 0 ? [k] : []));
const inferConcat = (c: NodeContext): readonly Facts[] => {
  const shapes = parts(c).map((k) => c.inputs[k]?.shape);
  const [first] = shapes;
  const elem = c.inputs[1]?.elem ?? null;
  if (!first) return [tensorFacts(c, elem, null)];
  const axis = axisAt(intAttr(c.node, 'axis', 1), first.length);
  const joined = shapes.reduce<Dim>((n, s) => {
    const d = s?.[axis];
    return typeof n === 'number' && typeof d === 'number' ? n + d : null;
  }, 0);
  return [
    tensorFacts(
      c,
      elem,
      first.map((d, i) => (i === axis ? joined : d)),
    ),
  ];
};
const concatRelations = (c: ChannelContext): readonly ChannelRelation[] => {
  const rank = c.outputs[0]?.shape?.length ?? 0;
  const axis = axisAt(intAttr(c.node, 'axis', 1), rank);
  let offset: number | null = 0;
  return parts(c).flatMap((k): readonly ChannelRelation[] => {
    const s = c.inputs[k]?.shape ?? [];
    const size = s[axis];
    const at = offset;
    offset = typeof size === 'number' && offset !== null ? offset + size : null;
    return [
      ...s.flatMap((_, i) => (i === axis ? [] : sameAxis(c, k, i, 0, i))),
      ...(at !== null && typeof size === 'number'
        ? [{ kind: 'part' as const, part: c.in(k, axis), whole: c.out(0, axis), offset: at }]
        : []),
    ];
  });
};

export const quantizedMapOps: readonly Op[] = [
  binary('QLinearAdd'),
  binary('QLinearMul'),
  unary('QLinearSigmoid'),
  unary('QLinearLeakyRelu', [attr.float('alpha', 0.1)]),
  maps('QLinearSoftmax', [1], likeInput, {
    channels: freezeAll('a softmax over the channels'),
    cases: [
      {
        name: 'last axis',
        attributes: [attr.int('opset', 13), attr.int('axis', -1)],
        inputs: [bytes(2, 3), scale, zero, scale, zero],
      },
    ],
  }),
  maps('QLinearGlobalAveragePool', [1], inferPool, {
    work: perInput('pool'),
    channels: {
      relate: (c) => [0, intAttr(c.node, 'channels_last', 0) === 1 ? 3 : 1].flatMap((i) => sameAxis(c, 0, i, 0, i)),
    },
    cases: [
      { name: 'channels first', inputs: [bytes(1, 2, 3, 3), scale, zero, scale, zero] },
      {
        name: 'channels last',
        attributes: [attr.int('channels_last', 1)],
        inputs: [bytes(1, 3, 3, 2), scale, zero, scale, zero],
      },
    ],
  }),
  maps('QLinearConcat', [1], inferConcat, {
    work: moveWork,
    channels: { relate: concatRelations },
    cases: [
      {
        name: 'two',
        attributes: [attr.int('axis', 1)],
        inputs: [scale, zero, bytes(2, 3), scale, zero, bytes(2, 1), scale, zero],
      },
    ],
  }),
];
