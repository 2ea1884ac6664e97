/** Owns normalisations: Batch, Instance, Layer, Group, RMS, LRN, Lp, MeanVariance. */
import { attr, intAttr } from '../ir/attribute.ts';
import { fed, fedAs } from './case-values.ts';
import type { ChannelContext, ChannelRelation, Facts, InferContext, Op, OpCase, WorkContext } from './declare.ts';
import { sizeOf } from './fold.ts';
import {
  batchNormGradient,
  groupNormGradient,
  instanceNormGradient,
  layerNormGradient,
  lpNormGradient,
  lrnGradient,
  meanVarianceGradient,
  rmsNormGradient,
} from './normalisation-gradient.ts';
import {
  axisAt,
  family,
  likeInput,
  noGradientYet,
  noQuantize,
  sameAxes,
  sameAxis,
  tensorFacts,
  times,
} from './rule.ts';

/** `each` operations per element of the data. */
const perElement = (each: number) => (c: WorkContext) =>
  ({ kernel: 'normalisation', macs: 0, otherOps: times(sizeOf(c.inputs[0]?.shape), each) }) as const;

const normal = family({
  domain: '',
  parameters: { 1: 'scale', 2: 'bias' },
  work: perElement(5),
  gradient: noGradientYet,
  channels: sameAxes,
  quantize: noQuantize,
});

/** Axis `axis` of the data is axis 0 of the vector inputs `ks`. */
const withVectors = (c: ChannelContext, axis: number, ks: readonly number[]): readonly ChannelRelation[] => [
  ...sameAxes.relate(c),
  ...ks.flatMap((k): ChannelRelation[] => {
    const size = c.inputs[k]?.shape?.[0];
    return (c.node.inputs[k] ?? '') !== '' && size !== undefined && size === c.inputs[0]?.shape?.[axis]
      ? [{ kind: 'same', a: c.in(0, axis), b: c.in(k, 0) }]
      : [];
  }),
];

/** X: [N, C, ...]; scale, B, mean, var: [C]. Training mode gives running statistics too; before 9 they were 5 outputs. */
function inferBatch(c: InferContext): readonly Facts[] {
  const [x, , , mean, variance] = c.inputs;
  const channel = [x?.shape?.[1] ?? mean?.shape?.[0] ?? null];
  const stats = c.node.outputs
    .slice(1)
    .map((_, k) => tensorFacts(c, (k % 2 === 0 ? mean : variance)?.elem ?? x?.elem ?? null, channel));
  return [tensorFacts(c, x?.elem ?? null, x?.shape ?? null), ...stats];
}

function batchRelations(c: ChannelContext): readonly ChannelRelation[] {
  const rank = c.inputs[0]?.shape?.length ?? 0;
  const axis = rank < 2 ? 0 : 1;
  return [
    ...withVectors(c, axis, [1, 2, 3, 4]),
    ...c.node.outputs.slice(1).flatMap((name, k) => (name === '' ? [] : sameAxis(c, 0, axis, k + 1, 0))),
  ];
}

/** Normalises over axes axis ... rank - 1; Mean and InvStdDev keep them with size 1. */
function inferLayer(c: InferContext): readonly Facts[] {
  const x = c.inputs[0];
  const s = x?.shape;
  const axis = s ? axisAt(intAttr(c.node, 'axis', -1), s.length) : 0;
  const reduced = s?.map((d, i) => (i >= axis ? 1 : d)) ?? null;
  // stash_type 1: statistics in float whatever the data (LayerNormalization-17).
  const stash = intAttr(c.node, 'stash_type', 1) === 1 ? 'float' : (x?.elem ?? null);
  return [
    tensorFacts(c, x?.elem ?? null, s ?? null),
    ...c.node.outputs.slice(1).map(() => tensorFacts(c, stash, reduced)),
  ];
}

/** Scale and bias broadcast to the normalised axes, aligned from the right. */
function layerRelations(c: ChannelContext): readonly ChannelRelation[] {
  const s = c.inputs[0]?.shape ?? [];
  const out: ChannelRelation[] = [...sameAxes.relate(c)];
  for (const k of [1, 2]) {
    const w = c.inputs[k]?.shape ?? [];
    w.forEach((d, i) => {
      const axis = i + s.length - w.length;
      if (d !== 1 && typeof d === 'number' && d === s[axis])
        out.push({ kind: 'same', a: c.in(0, axis), b: c.in(k, i) });
    });
  }
  return out;
}

function groupRelations(c: ChannelContext): readonly ChannelRelation[] {
  const groups = intAttr(c.node, 'num_groups', 1);
  const channels = c.inputs[0]?.shape?.[1];
  if (typeof channels !== 'number' || groups === 1 || channels === groups) return withVectors(c, 1, [1, 2]);
  // Each group must keep the same number of channels: the index within a group repeats.
  const within = { value: `#${c.node.id}/channels of a group`, axis: 0 };
  return [...withVectors(c, 1, [1, 2]), { kind: 'repeat', of: within, big: c.in(0, 1), outer: groups, inner: 1 }];
}

const batch = (name: string, more: Partial<OpCase> = {}, ...shape: readonly number[]): OpCase => {
  const c = shape[1] ?? 1;
  return { name, inputs: [fed(...shape), fed(c), fed(c), fed(c), fedAs('float', [c], [0.5, 2])], ...more };
};

export const normalisationOps: readonly Op[] = [
  normal('BatchNormalization', [1, 6, 7, 9, 14, 15], inferBatch, {
    gradient: batchNormGradient,
    work: perElement(2),
    channels: { relate: batchRelations },
    cases: [
      batch('images', {}, 2, 3, 4, 5),
      batch('vectors', { opset: 9 }, 2, 3),
      batch('signals', { opset: 14 }, 2, 3, 4),
      batch('training', { attributes: [attr.int('training_mode', 1)], outputs: 3 }, 2, 3, 4, 4),
      batch(
        'training, statistics of the batch',
        { attributes: [attr.int('training_mode', 1), attr.float('momentum', 0)], outputs: 3 },
        3,
        2,
        5,
      ),
      batch('training, features', { attributes: [attr.int('training_mode', 1)], outputs: 3 }, 6, 3),
      batch('spatial', { opset: 7 }, 1, 2, 3, 3),
      batch(
        'is_test',
        { opset: 6, attributes: [attr.int('is_test', 1)], norun: 'the runtime starts at 7', shapes: [[1, 2, 3, 3]] },
        1,
        2,
        3,
        3,
      ),
      batch(
        'consumed_inputs',
        {
          opset: 1,
          attributes: [attr.int('is_test', 1), attr.ints('consumed_inputs', [0, 0, 0, 1, 1])],
          norun: 'the runtime starts at 7',
          shapes: [[1, 2, 3, 3]],
        },
        1,
        2,
        3,
        3,
      ),
    ],
  }),
  normal('InstanceNormalization', [1, 6, 22], likeInput, {
    gradient: instanceNormGradient,
    channels: { relate: (c) => withVectors(c, 1, [1, 2]) },
    cases: [
      { name: 'images', inputs: [fed(2, 3, 4, 5), fed(3), fed(3)] },
      { name: 'signals', opset: 6, inputs: [fed(2, 3, 7), fed(3), fed(3)] },
      {
        name: 'epsilon',
        opset: 22,
        attributes: [attr.float('epsilon', 0.1)],
        inputs: [fed(1, 2, 2, 2), fed(2), fed(2)],
      },
    ],
  }),
  normal('LayerNormalization', [17], inferLayer, {
    gradient: layerNormGradient,
    channels: { relate: layerRelations },
    cases: [
      { name: 'last axis', inputs: [fed(2, 3, 4), fed(4), fed(4)] },
      { name: 'two axes', attributes: [attr.int('axis', 1)], inputs: [fed(2, 3, 4), fed(3, 4), fed(3, 4)] },
      { name: 'statistics', attributes: [attr.int('axis', -2)], inputs: [fed(2, 3, 4), fed(3, 4)], outputs: 3 },
    ],
  }),
  normal('GroupNormalization', [18, 21], likeInput, {
    gradient: groupNormGradient,
    channels: { relate: groupRelations },
    cases: [
      {
        name: 'scale per channel',
        opset: 21,
        attributes: [attr.int('num_groups', 2)],
        inputs: [fed(2, 4, 3, 3), fed(4), fed(4)],
      },
      {
        name: 'one group',
        opset: 21,
        attributes: [attr.int('num_groups', 1)],
        inputs: [fed(1, 3, 3, 3), fed(3), fed(3)],
      },
      {
        name: 'scale per group',
        opset: 18,
        attributes: [attr.int('num_groups', 2)],
        inputs: [fed(2, 4, 3, 3), fed(2), fed(2)],
      },
    ],
  }),
  normal('RMSNormalization', [23], likeInput, {
    gradient: rmsNormGradient,
    parameters: { 1: 'scale' },
    channels: { relate: layerRelations },
    cases: [
      { name: 'last axis', opset: 23, inputs: [fed(2, 3, 4), fed(4)] },
      { name: 'two axes', opset: 23, attributes: [attr.int('axis', 1)], inputs: [fed(2, 3, 4), fed(3, 4)] },
      { name: 'epsilon', opset: 23, attributes: [attr.float('epsilon', 0.1)], inputs: [fed(2, 4), fed(4)] },
    ],
  }),
  normal('LRN', [1, 13], likeInput, {
    gradient: lrnGradient,
    parameters: {},
    work: (c) => perElement(2 * intAttr(c.node, 'size', 5))(c),
    channels: {
      relate: (c) => [...sameAxis(c, 0, 0, 0, 0), ...sameAxis(c, 0, 1, 0, 1)],
    },
    cases: [
      { name: 'size 3', attributes: [attr.int('size', 3)], inputs: [fed(1, 5, 3, 3)] },
      {
        name: 'size 5, alpha, beta',
        opset: 1,
        attributes: [attr.int('size', 5), attr.float('alpha', 0.01), attr.float('beta', 0.5)],
        inputs: [fed(2, 4, 2, 2)],
      },
      { name: 'bias', attributes: [attr.int('size', 1), attr.float('bias', 2)], inputs: [fed(1, 3, 2, 2)] },
    ],
  }),
  normal('LpNormalization', [1, 22], likeInput, {
    gradient: lpNormGradient,
    parameters: {},
    cases: [
      { name: 'default', inputs: [fed(2, 3, 4)] },
      { name: 'p 1', opset: 1, attributes: [attr.int('p', 1), attr.int('axis', 1)], inputs: [fed(2, 3, 4)] },
      { name: 'axis 0', attributes: [attr.int('axis', 0)], inputs: [fed(3, 4)] },
    ],
  }),
  normal('MeanVarianceNormalization', [9, 13], likeInput, {
    gradient: meanVarianceGradient,
    parameters: {},
    cases: [
      { name: 'default axes', inputs: [fed(2, 3, 4, 4)] },
      { name: 'one axis', attributes: [attr.ints('axes', [2])], inputs: [fed(2, 3, 4)] },
      { name: 'opset 9', opset: 9, inputs: [fed(1, 2, 3, 3)] },
    ],
  }),
];
