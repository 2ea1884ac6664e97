/** Owns Slice and Pad: windows of a tensor and margins around it. */

import { attr, stringAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed, fixed, ints } from './case-values.ts';
import type {
  AdaptContext,
  ChannelContext,
  ChannelRelation,
  Facts,
  InferContext,
  NodeAdaptation,
  Op,
  Scalar,
} from './declare.ts';
import { knownShape } from './fold.ts';
import { padGradient, sliceGradient } from './index-gradient.ts';
import { linear, moves, pickContent, sameAxis, stridesOf, tensorFacts } from './rule.ts';
import { type Cut, cutsOf, marginsOf, window } from './slice-bounds.ts';

/** Beyond any tensor's size: what exporters write for "to the end". */
const endless = 2 ** 31 - 1;

function cutDim(dim: Dim, cut: Cut): Dim {
  if (typeof dim === 'number') return window(cut, dim)?.count ?? null;
  const { start, end, step } = cut;
  if (step !== 1)
    return start === null || step !== -1
      ? null
      : start === -1 && typeof end === 'number' && end <= -endless
        ? dim
        : null;
  if (start === 0 && ((typeof end === 'number' && end >= endless) || (end !== null && end === dim))) return dim;
  // x[-k:] of an unknown size, x[a:b]: only bounds of one sign speak of a count, and only if the axis is that long.
  return null;
}

const inferSlice = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const s = x?.shape;
  const elem = x?.elem ?? null;
  if (!s) return [tensorFacts(c, elem, null)];
  const cuts = cutsOf(c);
  if (cuts === undefined)
    return [
      tensorFacts(
        c,
        elem,
        s.map(() => null),
      ),
    ];
  const shape = s.map((d, i) => {
    const cut = cuts.get(i);
    return cut === undefined ? d : cutDim(d, cut);
  });
  const from = knownShape(s);
  if (from === undefined) return [tensorFacts(c, elem, shape)];
  const strides = stridesOf(from);
  const windows = from.map((d, i) => {
    const cut = cuts.get(i);
    return cut === undefined ? { start: 0, step: 1 } : window(cut, d);
  });
  const content = pickContent(x.content, shape, (at) =>
    linear(
      at.map((n, i) => (windows[i]?.start ?? 0) + n * (windows[i]?.step ?? 1)),
      strides,
    ),
  );
  return [tensorFacts(c, elem, shape, content)];
};

const sliceRelations = (c: ChannelContext): readonly ChannelRelation[] => {
  const s = c.inputs[0]?.shape;
  const cuts = cutsOf(c);
  if (!s || !cuts) return [];
  // Bounds of all axes stand in one tensor: new ones can be written only where all are numbers.
  const numeric = [...cuts.values()].every((cut) => typeof cut.start === 'number' && typeof cut.end === 'number');
  return s.flatMap((d, axis): readonly ChannelRelation[] => {
    const cut = cuts.get(axis);
    if (cut === undefined) return sameAxis(c, 0, axis, 0, axis);
    const w = typeof d === 'number' ? window(cut, d) : undefined;
    if (w === undefined || w.step !== 1 || !numeric)
      return [
        {
          kind: 'freeze',
          slot: c.in(0, axis),
          reason: 'a Slice takes every k-th index here, or its bounds are not known',
        },
      ];
    return [{ kind: 'part', part: c.out(0, axis), whole: c.in(0, axis), offset: w.start }];
  });
};

function adaptSlice(c: AdaptContext): NodeAdaptation {
  const s = c.inputs[0]?.shape;
  const cuts = cutsOf(c);
  if (!s || !cuts) return {};
  const axes = [...cuts.keys()];
  const moved = axes.map((axis) => {
    const cut = cuts.get(axis);
    const d = s[axis];
    const stay = c.kept(c.in(0, axis));
    if (cut === undefined || stay === undefined || typeof d !== 'number') return undefined;
    const w = window(cut, d);
    if (w === undefined) return undefined;
    const start = stay.filter((i) => i < w.start).length;
    return { start, end: start + stay.filter((i) => i >= w.start && i < w.start + w.count).length };
  });
  if (moved.every((m) => m === undefined)) return {};
  const bound = (axis: number, which: 'start' | 'end'): number | undefined => {
    const x = cuts.get(axis)?.[which];
    return typeof x === 'number' ? x : undefined;
  };
  const starts = axes.map((axis, i) => moved[i]?.start ?? bound(axis, 'start'));
  const ends = axes.map((axis, i) => moved[i]?.end ?? bound(axis, 'end'));
  const all = (xs: readonly (number | undefined)[]): xs is readonly number[] => xs.every((x) => x !== undefined);
  if (!all(starts) || !all(ends)) return {};
  return c.version < 10
    ? { attributes: [attr.ints('starts', starts), attr.ints('ends', ends), attr.ints('axes', axes)] }
    : { constants: { 1: starts, 2: ends, 3: axes } };
}

const inferPad = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const s = x?.shape;
  if (!s) return [tensorFacts(c, x?.elem ?? null, null)];
  const margins = marginsOf(c);
  const shape = s.map((d, i): Dim => {
    const [before, after] = margins?.[i] ?? [null, null];
    if (before === 0 && after === 0) return d;
    return typeof d === 'number' && typeof before === 'number' && typeof after === 'number' ? d + before + after : null;
  });
  return [tensorFacts(c, x?.elem ?? null, shape)];
};

const padRelations = (c: ChannelContext): readonly ChannelRelation[] => {
  const margins = marginsOf(c);
  const numeric = margins?.every((m) => m.every((x) => typeof x === 'number')) === true;
  return (c.inputs[0]?.shape ?? []).flatMap((d, axis): readonly ChannelRelation[] => {
    const [before, after] = margins?.[axis] ?? [null, null];
    if (before === 0 && after === 0) return sameAxis(c, 0, axis, 0, axis);
    if (stringAttr(c.node, 'mode', 'constant') !== 'constant' || !numeric)
      return [
        {
          kind: 'freeze',
          slot: c.in(0, axis),
          reason: 'a Pad repeats indices of this axis, or its margins are not known',
        },
      ];
    // A shortcut that pads channels with zeros: the input is one part of the output.
    if (typeof d === 'number' && typeof before === 'number' && typeof after === 'number' && before >= 0 && after >= 0)
      return [{ kind: 'part', part: c.in(0, axis), whole: c.out(0, axis), offset: before }];
    return [];
  });
};

function adaptPad(c: AdaptContext): NodeAdaptation {
  const s = c.inputs[0]?.shape;
  const margins = marginsOf(c);
  if (!s || !margins) return {};
  let changed = false;
  const next = margins.map(([before, after], axis): readonly [Scalar, Scalar] => {
    const stay = c.kept(c.out(0, axis));
    const d = s[axis];
    if (stay === undefined || (before === 0 && after === 0) || typeof before !== 'number' || typeof d !== 'number')
      return [before, after];
    changed = true;
    return [stay.filter((i) => i < before).length, stay.filter((i) => i >= before + d).length];
  });
  const flat = [...next.map((m) => m[0]), ...next.map((m) => m[1])];
  if (!changed || !flat.every((x) => typeof x === 'number')) return {};
  if (c.version < 11) return { attributes: [attr.ints('pads', flat)] };
  return { constants: c.inputs[3] === undefined ? { 1: flat } : { 1: flat, 3: s.map((_, i) => i) } };
}

export const slicePadOps: readonly Op[] = [
  moves('Slice', [1, 10, 11, 13], inferSlice, {
    gradient: sliceGradient,
    channels: { relate: sliceRelations, adapt: adaptSlice },
    cases: [
      { name: 'bounds and axes', inputs: [fed(3, 6, 4), ints([1, -3]), ints([5, 2 ** 31]), ints([1, 2])] },
      { name: 'steps forward', inputs: [fed(3, 7), ints([0]), ints([7]), ints([1]), ints([3])] },
      { name: 'steps back', inputs: [fed(3, 7), ints([-1]), ints([-1000]), ints([1]), ints([-2])] },
      { name: 'no axes', inputs: [fed(3, 7), ints([1, 2]), ints([3, 100])] },
      { name: 'empty', inputs: [fed(3, 7), ints([2]), ints([1]), ints([0])] },
      { name: 'of a constant', inputs: [ints([1, 2, 3, 4]), ints([1]), ints([3]), ints([0])] },
      {
        name: 'attributes',
        opset: 9,
        attributes: [attr.ints('starts', [1]), attr.ints('ends', [-1]), attr.ints('axes', [1])],
        inputs: [fed(3, 7)],
      },
    ],
  }),
  moves('Pad', [1, 2, 11, 13, 18, 19, 21, 23, 24, 25], inferPad, {
    gradient: padGradient,
    channels: { relate: padRelations, adapt: adaptPad },
    cases: [
      { name: 'constant', inputs: [fed(2, 3), ints([0, 1, 0, 2]), fixed('float', [1.5], [])] },
      { name: 'reflect', attributes: [attr.string('mode', 'reflect')], inputs: [fed(2, 4), ints([0, 1, 0, 2])] },
      { name: 'negative', inputs: [fed(2, 5), ints([0, -1, 0, -2])] },
      { name: 'axes', opset: 18, inputs: [fed(2, 3, 4), ints([1, 2]), undefined, ints([-1])] },
      { name: 'attributes', opset: 9, attributes: [attr.ints('pads', [0, 1, 2, 3])], inputs: [fed(2, 3)] },
    ],
  }),
];
