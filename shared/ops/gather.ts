/** Owns operators that read elements by index: Gather, GatherElements, GatherND, Compress, ReverseSequence. */

import { attr, intAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed, fedAs, fixed, ints } from './case-values.ts';
import type { ChannelContext, ChannelRelation, Facts, InferContext, Op, Scalar } from './declare.ts';
import { foldableShape, knownShape, numbersOf } from './fold.ts';
import { againGradient, byPositions, gatherElementsGradient, gatherNDGradient } from './index-gradient.ts';
import { gatherGradient } from './layout-gradient.ts';
import {
  axisAt,
  family,
  freezeAll,
  likeInput,
  moveWork,
  noGradientYet,
  noQuantize,
  sameAxis,
  tensorFacts,
} from './rule.ts';

const reads = family({
  domain: '',
  parameters: {},
  work: moveWork,
  gradient: noGradientYet,
  channels: freezeAll('elements are read by computed indices'),
  quantize: { role: 'pass', data: 0 },
});

const inferGather = (c: InferContext): readonly Facts[] => {
  const [x, indices] = c.inputs;
  const s = x?.shape;
  const q = indices?.shape;
  if (!s || !q) return [tensorFacts(c, x?.elem ?? null, null)];
  const axis = axisAt(intAttr(c.node, 'axis', 0), s.length);
  const shape = [...s.slice(0, axis), ...q, ...s.slice(axis + 1)];
  return [tensorFacts(c, x.elem, shape, gatherContent(x, indices, shape, axis))];
};

/** Shape -> Gather: an unknown index gives an unknown element, nothing more. */
function gatherContent(
  x: Facts,
  indices: Facts | undefined,
  shape: readonly Dim[],
  axis: number,
): readonly Scalar[] | undefined {
  const from = knownShape(x.shape);
  // The indices first: where they are not known, a codebook need not be computed.
  const at = indices?.content;
  if (at === undefined || from === undefined || foldableShape(shape) === undefined) return undefined;
  const { content } = x;
  if (content === undefined) return undefined;
  const size = from[axis] ?? 1;
  const inner = from.slice(axis + 1).reduce((n, d) => n * d, 1);
  const outer = from.slice(0, axis).reduce((n, d) => n * d, 1);
  return Array.from({ length: outer }, (_, o) =>
    at.flatMap((i) => {
      if (typeof i !== 'number') return Array.from({ length: inner }, () => null);
      const start = (o * size + axisAt(i, size)) * inner;
      return content.slice(start, start + inner);
    }),
  ).flat();
}

/** Axes beside the gathered one pass; an embedding's columns are its output's last axis. */
const gatherRelations = (c: ChannelContext): readonly ChannelRelation[] => {
  const s = c.inputs[0]?.shape;
  const q = c.inputs[1]?.shape;
  if (!s || !q) return [];
  const axis = axisAt(intAttr(c.node, 'axis', 0), s.length);
  return s.flatMap((_, i): readonly ChannelRelation[] => {
    if (i === axis) return [{ kind: 'freeze', slot: c.in(0, i), reason: 'a Gather reads this axis by index' }];
    return sameAxis(c, 0, i, 0, i < axis ? i : i - 1 + q.length);
  });
};

const inferGatherElements = (c: InferContext): readonly Facts[] => [
  tensorFacts(c, c.inputs[0]?.elem ?? null, c.inputs[1]?.shape ?? null),
];

const inferGatherND = (c: InferContext): readonly Facts[] => {
  const [x, indices] = c.inputs;
  const batch = intAttr(c.node, 'batch_dims', 0);
  const q = indices?.shape;
  const last = q?.at(-1);
  if (!x?.shape || !q || typeof last !== 'number') return [tensorFacts(c, x?.elem ?? null, null)];
  const shape = [...q.slice(0, -1), ...x.shape.slice(batch + last)];
  const one = numbersOf(indices);
  const picks = x.shape.length === 1 && last === 1 && batch === 0 && x.content !== undefined && one !== undefined;
  return [tensorFacts(c, x.elem, shape, picks ? one.map((i) => x.content?.at(i) ?? null) : undefined)];
};

const inferCompress = (c: InferContext): readonly Facts[] => {
  const [x, condition] = c.inputs;
  const s = x?.shape;
  const axis = intAttr(c.node, 'axis');
  const flags = numbersOf(condition);
  const kept = flags === undefined ? null : flags.filter((f) => f !== 0).length;
  if (axis === undefined) return [tensorFacts(c, x?.elem ?? null, [kept])];
  if (!s) return [tensorFacts(c, x?.elem ?? null, null)];
  return [
    tensorFacts(
      c,
      x.elem,
      s.map((d, i) => (i === axisAt(axis, s.length) ? kept : d)),
    ),
  ];
};

export const gatherOps: readonly Op[] = [
  reads('Gather', [1, 11, 13], inferGather, {
    gradient: gatherGradient,
    // An embedding table, where it is constant.
    parameters: { 0: 'weight' },
    channels: { relate: gatherRelations },
    cases: [
      { name: 'axis 0', inputs: [fed(5, 3), ints([0, -1, 2, 2], [2, 2])] },
      { name: 'axis 1, scalar index', attributes: [attr.int('axis', 1)], inputs: [fed(2, 5, 3), ints([4], [])] },
      { name: 'of a constant', inputs: [ints([7, 8, 9]), ints([-1], [])] },
      { name: 'fed indices', inputs: [fed(5, 3), fedAs('int64', [2, 3], [0, 4])] },
    ],
  }),
  reads('GatherElements', [11, 13], inferGatherElements, {
    gradient: gatherElementsGradient,
    cases: [{ name: 'axis 1', attributes: [attr.int('axis', 1)], inputs: [fed(3, 4), fedAs('int64', [3, 2], [0, 3])] }],
  }),
  reads('GatherND', [11, 12, 13], inferGatherND, {
    gradient: gatherNDGradient,
    cases: [
      { name: 'rows', inputs: [fed(4, 3), ints([0, 3], [2, 1])] },
      { name: 'elements', inputs: [fed(4, 3), ints([0, 2, 3, 1], [2, 2])] },
      {
        name: 'batched',
        attributes: [attr.int('batch_dims', 1)],
        inputs: [fed(2, 3, 4), ints([0, 2], [2, 1])],
      },
      { name: 'of a constant', inputs: [ints([5, 6, 7]), ints([2, 0], [2, 1])] },
    ],
  }),
  reads('Compress', [9, 11], inferCompress, {
    gradient: byPositions,
    cases: [
      { name: 'along an axis', attributes: [attr.int('axis', 1)], inputs: [fed(2, 3), fixed('bool', [1, 0, 1])] },
      { name: 'flattened', inputs: [fed(2, 3), fixed('bool', [1, 0, 1])] },
    ],
  }),
  reads('ReverseSequence', [10], likeInput, {
    gradient: againGradient,
    channels: {
      relate: (c) => {
        const [time, batch] = [intAttr(c.node, 'time_axis', 0), intAttr(c.node, 'batch_axis', 1)];
        return (c.inputs[0]?.shape ?? []).flatMap((_, i) => (i === time || i === batch ? [] : sameAxis(c, 0, i, 0, i)));
      },
    },
    quantize: noQuantize,
    cases: [
      {
        name: 'time first',
        attributes: [attr.int('time_axis', 0), attr.int('batch_axis', 1)],
        inputs: [fed(4, 2), ints([3, 4])],
      },
    ],
  }),
];
