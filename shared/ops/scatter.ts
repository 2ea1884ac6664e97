/** Owns operators that write by index or order elements: Scatter*, TensorScatter, OneHot, TopK, ArgMax, NonZero, Unique. */

import { attr, intAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed, fedAs, fixed, ints } from './case-values.ts';
import {
  type ChannelContext,
  type ChannelRelation,
  type ChannelRule,
  type Facts,
  type InferContext,
  type NodeContext,
  none,
  type Op,
} from './declare.ts';
import { numbersOf } from './fold.ts';
import { scatterElementsGradient, scatterNDGradient, topKGradient } from './index-gradient.ts';
import {
  axisAt,
  family,
  freezeAll,
  likeInput,
  moveWork,
  noGradientYet,
  noQuantize,
  perInput,
  sameAxis,
  tensorFacts,
} from './rule.ts';

const indexing = family({
  domain: '',
  parameters: {},
  work: moveWork,
  gradient: noGradientYet,
  channels: freezeAll('elements are addressed by index'),
  quantize: noQuantize,
});

const inferOneHot = (c: InferContext): readonly Facts[] => {
  const [indices, depth, values] = c.inputs;
  const s = indices?.shape;
  if (!s) return [tensorFacts(c, values?.elem ?? null, null)];
  const axis = axisAt(intAttr(c.node, 'axis', -1), s.length + 1);
  const size = depth?.content?.[0] ?? null;
  return [tensorFacts(c, values?.elem ?? null, [...s.slice(0, axis), size, ...s.slice(axis)])];
};

const inferTopK = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const s = x?.shape;
  const k: Dim = c.version < 10 ? (intAttr(c.node, 'k') ?? null) : (c.inputs[1]?.content?.[0] ?? null);
  const axis = axisAt(intAttr(c.node, 'axis', -1), s?.length ?? 0);
  const shape = s?.map((d, i) => (i === axis ? k : d)) ?? null;
  return [tensorFacts(c, x?.elem ?? null, shape), tensorFacts(c, 'int64', shape)];
};

const argShape = (c: NodeContext): readonly Dim[] | null => {
  const s = c.inputs[0]?.shape;
  if (!s) return null;
  const axis = axisAt(intAttr(c.node, 'axis', 0), s.length);
  if (intAttr(c.node, 'keepdims', 1) === 1) return s.map((d, i) => (i === axis ? 1 : d));
  return s.filter((_, i) => i !== axis);
};

/** Axes beside the searched one pass; the searched one may not lose indices, for the result names them. */
const searchRelations = (c: ChannelContext, keepdims: boolean): readonly ChannelRelation[] => {
  const s = c.inputs[0]?.shape ?? [];
  const axis = axisAt(intAttr(c.node, 'axis', c.node.op === 'TopK' ? -1 : 0), s.length);
  return s.flatMap((_, i): readonly ChannelRelation[] =>
    i === axis
      ? [{ kind: 'freeze', slot: c.in(0, i), reason: 'the result of this operator names indices of this axis' }]
      : c.outputs.flatMap((_o, j) => sameAxis(c, 0, i, j, keepdims || i < axis ? i : i - 1)),
  );
};
const argChannels: ChannelRule = { relate: (c) => searchRelations(c, intAttr(c.node, 'keepdims', 1) === 1) };

const inferNonZero = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const flags = numbersOf(x);
  const count = flags === undefined ? null : flags.filter((f) => f !== 0).length;
  // A scalar has one row of coordinates in the runtime, none in the specification.
  const rank = x?.shape ? Math.max(1, x.shape.length) : null;
  const content =
    flags !== undefined && x?.shape?.length === 1 ? flags.flatMap((f, i) => (f !== 0 ? [i] : [])) : undefined;
  return [tensorFacts(c, 'int64', [rank, count], content)];
};

const inferUnique = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const axis = intAttr(c.node, 'axis');
  const s = x?.shape;
  const first = axis === undefined ? [null] : (s?.map((d, i) => (i === axisAt(axis, s.length) ? null : d)) ?? null);
  const index = tensorFacts(c, 'int64', [null]);
  return [tensorFacts(c, x?.elem ?? null, first), index, index, index].slice(0, c.node.outputs.length);
};

const argCases = [
  { name: 'axis 1', attributes: [attr.int('axis', 1)], inputs: [fed(2, 5, 3)] },
  { name: 'without the axis', attributes: [attr.int('axis', -1), attr.int('keepdims', 0)], inputs: [fed(2, 5)] },
];

export const scatterOps: readonly Op[] = [
  indexing('ScatterND', [11, 13, 16, 18], likeInput, {
    gradient: scatterNDGradient,
    cases: [{ name: 'rows', inputs: [fed(4, 3), ints([1, 3], [2, 1]), fed(2, 3)] }],
  }),
  indexing('ScatterElements', [11, 13, 16, 18], likeInput, {
    gradient: scatterElementsGradient,
    cases: [
      {
        name: 'axis 1',
        attributes: [attr.int('axis', 1)],
        inputs: [fed(3, 4), ints([0, 1, 2, 3, 1, 0], [3, 2]), fed(3, 2)],
      },
      {
        name: 'adds',
        opset: 18,
        attributes: [attr.string('reduction', 'add')],
        inputs: [fed(3, 4), ints([0, 1, 2, 2], [1, 4]), fed(1, 4)],
      },
    ],
  }),
  indexing('Scatter', [9, 11], likeInput, {
    gradient: scatterElementsGradient,
    cases: [{ name: 'axis 0', opset: 9, inputs: [fed(3, 2), ints([0, 2], [1, 2]), fed(1, 2)] }],
  }),
  indexing('TensorScatter', [24], likeInput, {
    gradient: none('a cache of earlier steps is not trained through'),
    cases: [
      {
        name: 'a cache',
        opset: 24,
        inputs: [fed(1, 2, 6, 3), fed(1, 2, 2, 3)],
        norun: 'no kernel on the CPU',
        shapes: [[1, 2, 6, 3]],
      },
    ],
  }),
  indexing('OneHot', [9, 11], inferOneHot, {
    gradient: none('positions have no slope'),
    cases: [
      { name: 'last axis', inputs: [fedAs('int64', [2, 3], [0, 4]), ints([5], []), fixed('float', [0, 1])] },
      {
        name: 'axis 0',
        attributes: [attr.int('axis', 0)],
        inputs: [fedAs('int64', [2], [0, 4]), ints([5]), fixed('float', [0, 1])],
      },
    ],
  }),
  indexing('TopK', [1, 10, 11, 24], inferTopK, {
    gradient: topKGradient,
    work: perInput('other'),
    channels: { relate: (c) => searchRelations(c, true) },
    cases: [
      { name: 'k as input', inputs: [fed(2, 5), ints([3])], outputs: 2 },
      {
        name: 'k as attribute',
        opset: 9,
        attributes: [attr.int('k', 2), attr.int('axis', 0)],
        inputs: [fed(5, 3)],
        outputs: 2,
      },
    ],
  }),
  ...['ArgMax', 'ArgMin'].map((type) =>
    indexing(type, [1, 11, 12, 13], (c) => [tensorFacts(c, 'int64', argShape(c))], {
      work: perInput('reduce'),
      gradient: none('positions have no slope'),
      channels: argChannels,
      cases: argCases,
    }),
  ),
  indexing('NonZero', [9, 13], inferNonZero, {
    gradient: none('positions have no slope'),
    cases: [
      { name: 'of a constant', inputs: [ints([0, 3, 0, 5])] },
      { name: 'fed', inputs: [fed(2, 3)] },
    ],
  }),
  indexing('Unique', [11], inferUnique, {
    gradient: none('positions have no slope'),
    work: perInput('other'),
    cases: [{ name: 'flattened', inputs: [fedAs('int64', [6], [0, 3])], outputs: 4 }],
  }),
];
