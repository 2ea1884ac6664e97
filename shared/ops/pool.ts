/** Owns pooling: Max, Average, Lp, the global ones, and their windows. */

import { attr, intsAttr } from '../ir/attribute.ts';
import { fed, ints } from './case-values.ts';
import type {
  ChannelContext,
  ChannelRelation,
  Facts,
  InferContext,
  Op,
  OpCase,
  OpWork,
  WorkContext,
} from './declare.ts';
import { sizeOf } from './fold.ts';
import { maxUnpoolGradient } from './index-gradient.ts';
import {
  averagePoolGradient,
  globalAverageGradient,
  globalLpGradient,
  globalMaxGradient,
  lpPoolGradient,
  maxPoolGradient,
} from './pool-gradient.ts';
import { family, noGradientYet, sameAxis, tensorFacts, times } from './rule.ts';
import { windowOf, windowSize } from './window.ts';

/** X: [N, C, d1 ...] -> [N, C, o1 ...]; MaxPool's second output holds int64 positions. */
function inferPool(c: InferContext): readonly Facts[] {
  const x = c.inputs[0];
  const kernel = intsAttr(c.node, 'kernel_shape');
  const rank = kernel?.length ?? 0;
  const lead = x?.shape?.slice(0, 2) ?? [null, null];
  const window = windowOf(c.node, rank);
  const spatial = Array.from({ length: rank }, (_, i) =>
    windowSize(x?.shape?.[i + 2] ?? null, kernel?.[i] ?? null, window, i, rank),
  );
  const shape = kernel === undefined ? null : [...lead, ...spatial];
  const y = tensorFacts(c, x?.elem ?? null, shape);
  return c.node.outputs.length > 1 ? [y, tensorFacts(c, 'int64', shape)] : [y];
}

function inferGlobal(c: InferContext): readonly Facts[] {
  const x = c.inputs[0];
  return [tensorFacts(c, x?.elem ?? null, x?.shape ? x.shape.map((d, i) => (i < 2 ? d : 1)) : null)];
}

function inferUnpool(c: InferContext): readonly Facts[] {
  const x = c.inputs[0];
  const said = c.inputs[2]?.content;
  if (said !== undefined) return [tensorFacts(c, x?.elem ?? null, said)];
  const kernel = intsAttr(c.node, 'kernel_shape');
  if (!x?.shape || c.inputs[2] !== undefined || kernel === undefined) return [tensorFacts(c, x?.elem ?? null, null)];
  const rank = kernel.length;
  const w = windowOf(c.node, rank);
  const spatial = kernel.map((k, i) => {
    const d = x.shape?.[i + 2];
    return typeof d === 'number'
      ? (d - 1) * (w.strides[i] ?? 1) + k - (w.pads[i] ?? 0) - (w.pads[i + rank] ?? 0)
      : null;
  });
  return [tensorFacts(c, x.elem, [...x.shape.slice(0, 2), ...spatial])];
}

function poolWork(c: WorkContext): OpWork {
  const window = times(...(intsAttr(c.node, 'kernel_shape') ?? [null]));
  return { kernel: 'pool', macs: 0, otherOps: times(sizeOf(c.outputs[0]?.shape), window) };
}

const globalWork = (c: WorkContext): OpWork => ({ kernel: 'pool', macs: 0, otherOps: sizeOf(c.inputs[0]?.shape) });

const relate = (c: ChannelContext): readonly ChannelRelation[] => [
  ...sameAxis(c, 0, 0, 0, 0),
  ...sameAxis(c, 0, 1, 0, 1),
  // MaxPool's Indices count through the whole tensor: they would be wrong with fewer channels.
  ...(c.node.outputs[1]
    ? [{ kind: 'freeze', slot: c.in(0, 1), reason: 'the indices of this MaxPool count through all channels' } as const]
    : []),
];

const pool = family({
  domain: '',
  parameters: {},
  work: poolWork,
  gradient: noGradientYet,
  channels: { relate },
  quantize: { role: 'elementwise', data: [0] },
});

const two = attr.ints('kernel_shape', [2, 2]);
const three = attr.ints('kernel_shape', [3, 3]);
const stride2 = attr.ints('strides', [2, 2]);
const windows: readonly OpCase[] = [
  { name: 'plain', attributes: [two, stride2], inputs: [fed(1, 2, 5, 6)] },
  { name: 'pads', attributes: [three, attr.ints('pads', [1, 0, 1, 2])], inputs: [fed(1, 2, 5, 6)] },
  {
    name: 'SAME_UPPER',
    attributes: [three, stride2, attr.string('auto_pad', 'SAME_UPPER')],
    inputs: [fed(1, 2, 5, 6)],
  },
  { name: 'VALID', opset: 7, attributes: [three, attr.string('auto_pad', 'VALID')], inputs: [fed(1, 2, 5, 6)] },
  { name: 'one spatial axis', opset: 9, attributes: [attr.ints('kernel_shape', [3])], inputs: [fed(1, 2, 7)] },
];
const ceils: readonly OpCase[] = [
  { name: 'ceil', attributes: [two, stride2, attr.int('ceil_mode', 1)], inputs: [fed(1, 2, 5, 6)] },
  {
    name: 'ceil drops a window in the padding',
    opset: 22,
    attributes: [attr.ints('kernel_shape', [1, 1]), stride2, attr.ints('pads', [0, 0, 0, 0]), attr.int('ceil_mode', 1)],
    inputs: [fed(1, 2, 4, 4)],
  },
];
const globals: readonly OpCase[] = [
  { name: 'two spatial axes', inputs: [fed(2, 3, 4, 5)] },
  { name: 'one spatial axis', opset: 1, inputs: [fed(2, 3, 4)] },
  { name: 'three spatial axes', inputs: [fed(1, 2, 2, 3, 2)] },
];

export const poolOps: readonly Op[] = [
  pool('MaxPool', [1, 8, 10, 11, 12, 22], inferPool, {
    gradient: maxPoolGradient,
    quantize: { role: 'pass', data: 0 },
    cases: [
      ...windows,
      ...ceils,
      { name: 'indices', attributes: [two], inputs: [fed(1, 2, 4, 4)], outputs: 2 },
      { name: 'dilations', attributes: [two, attr.ints('dilations', [2, 3])], inputs: [fed(1, 1, 7, 7)] },
    ],
  }),
  pool('AveragePool', [1, 7, 10, 11, 19, 22], inferPool, {
    gradient: averagePoolGradient,
    cases: [
      ...windows,
      ...ceils,
      {
        name: 'counts the padding',
        attributes: [three, attr.ints('pads', [1, 1, 1, 1]), attr.int('count_include_pad', 1)],
        inputs: [fed(1, 2, 4, 4)],
      },
    ],
  }),
  pool('LpPool', [1, 2, 11, 18, 22], inferPool, {
    gradient: lpPoolGradient,
    cases: [1, 2, 3].flatMap((p) =>
      windows.map((k) => ({
        ...k,
        name: `${k.name}, p ${p}`,
        attributes: [...(k.attributes ?? []), attr.int('p', p)],
      })),
    ),
  }),
  ...['GlobalAveragePool', 'GlobalMaxPool'].map((type) =>
    pool(type, [1, 22], inferGlobal, {
      gradient: type === 'GlobalMaxPool' ? globalMaxGradient : globalAverageGradient,
      work: globalWork,
      quantize: type === 'GlobalMaxPool' ? { role: 'pass', data: 0 } : { role: 'elementwise', data: [0] },
      cases: globals,
    }),
  ),
  pool('GlobalLpPool', [1, 2, 22], inferGlobal, {
    gradient: globalLpGradient,
    work: globalWork,
    cases: [
      { name: 'p 2', opset: 2, attributes: [attr.int('p', 2)], inputs: [fed(2, 3, 4, 5)] },
      { name: 'p 1', attributes: [attr.int('p', 1)], inputs: [fed(2, 3, 4)] },
      { name: 'default p', inputs: [fed(1, 2, 2, 2, 2)] },
    ],
  }),
  pool('MaxUnpool', [9, 11, 22], inferUnpool, {
    work: globalWork,
    gradient: maxUnpoolGradient,
    channels: {
      relate: (c) =>
        [0, 1].map((axis) => ({
          kind: 'freeze',
          slot: c.in(0, axis),
          reason: 'MaxUnpool places by indices that count through all channels',
        })),
    },
    cases: [
      {
        name: 'plain',
        attributes: [two, stride2],
        inputs: [fed(1, 1, 2, 2), ints([0, 5, 10, 15], [1, 1, 2, 2])],
      },
      {
        name: 'kernel 3',
        attributes: [three],
        inputs: [fed(1, 1, 2, 2), ints([0, 5, 10, 15], [1, 1, 2, 2])],
      },
      {
        name: 'pads',
        opset: 9,
        attributes: [two, stride2, attr.ints('pads', [0, 0, 1, 0])],
        inputs: [fed(1, 1, 2, 2), ints([0, 3, 8, 11], [1, 1, 2, 2])],
      },
    ],
  }),
];
