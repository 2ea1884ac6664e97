/** Owns operators that move or repeat all elements: Transpose, Expand, Tile, DepthToSpace, SpaceToDepth. */

import { attr, intAttr, intsAttr, stringAttr } from '../ir/attribute.ts';
import type { Dim, Node } from '../ir/model.ts';
import { fed, ints } from './case-values.ts';
import type { ChannelContext, ChannelRelation, Facts, InferContext, Op, Scalar, Slot } from './declare.ts';
import { broadcastShapes, knownShape, numbersOf } from './fold.ts';
import { depthToSpaceGradient, spaceToDepthGradient, tileGradient } from './index-gradient.ts';
import { expandGradient, transposeGradient } from './layout-gradient.ts';
import { freeAxis, frozen, linear, moves, pickContent, sameAxis, stridesOf, tensorFacts, times } from './rule.ts';

const permOf = (c: Pick<InferContext, 'node' | 'inputs'>): readonly number[] | undefined => {
  const rank = c.inputs[0]?.shape?.length;
  const given = intsAttr(c.node, 'perm');
  return given ?? (rank === undefined ? undefined : Array.from({ length: rank }, (_, i) => rank - 1 - i));
};

const inferTranspose = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const perm = permOf(c);
  const shape = x?.shape && perm ? perm.map((p) => x.shape?.[p] ?? null) : (perm?.map(() => null) ?? null);
  const from = knownShape(x?.shape);
  const strides = from && perm ? perm.map((p) => stridesOf(from)[p] ?? 1) : [];
  return [
    tensorFacts(
      c,
      x?.elem ?? null,
      shape,
      pickContent(x?.content, shape, (at) => linear(at, strides)),
    ),
  ];
};

/** Content of a tensor broadcast to `shape`. */
function broadcastContent(x: Facts | undefined, shape: readonly Dim[] | null): readonly Scalar[] | undefined {
  const from = knownShape(x?.shape);
  if (from === undefined || shape === null) return undefined;
  const strides = stridesOf(from);
  const pad = shape.length - from.length;
  return pickContent(x?.content, shape, (at) => {
    let n = 0;
    from.forEach((d, i) => {
      if (d !== 1) n += (at[i + pad] ?? 0) * (strides[i] ?? 0);
    });
    return n;
  });
}

const inferExpand = (c: InferContext): readonly Facts[] => {
  const [x, target] = c.inputs;
  const rank = target?.shape?.[0];
  const to = target?.content ?? (typeof rank === 'number' ? Array.from({ length: rank }, () => null) : undefined);
  const shape = to === undefined ? null : broadcastShapes([x?.shape, to]);
  return [tensorFacts(c, x?.elem ?? null, shape, broadcastContent(x, shape))];
};

const inferTile = (c: InferContext): readonly Facts[] => {
  const [x, repeats] = c.inputs;
  const s = x?.shape;
  if (c.version < 6) {
    // Tile-1: `tiles` copies along `axis`, both scalar inputs.
    const [axis] = numbersOf(c.inputs[2]) ?? [];
    const [tiles] = numbersOf(repeats) ?? [];
    return [tensorFacts(c, x?.elem ?? null, s?.map((d, i) => (i === axis ? times(d, tiles) : d)) ?? null)];
  }
  const times_ = repeats?.content;
  const shape =
    s?.map((d, i): Dim => (times_?.[i] === 1 ? d : d === 1 ? (times_?.[i] ?? null) : times(d, times_?.[i]))) ?? null;
  const from = knownShape(s);
  const strides = from ? stridesOf(from) : [];
  const content = pickContent(x?.content, shape, (at) =>
    linear(
      at.map((i, k) => i % (from?.[k] ?? 1)),
      strides,
    ),
  );
  return [tensorFacts(c, x?.elem ?? null, shape, content)];
};

const modeOf = (node: Node): string => stringAttr(node, 'mode', 'DCR');
const over = (d: Dim | undefined, n: number): Dim => (typeof d === 'number' && d % n === 0 ? d / n : null);

const inferDepthToSpace = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const b = intAttr(c.node, 'blocksize', 1);
  const [n, ch, h, w] = x?.shape ?? [];
  return [tensorFacts(c, x?.elem ?? null, [n ?? null, over(ch, b * b), times(h, b), times(w, b)])];
};

const inferSpaceToDepth = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const b = intAttr(c.node, 'blocksize', 1);
  const [n, ch, h, w] = x?.shape ?? [];
  return [tensorFacts(c, x?.elem ?? null, [n ?? null, times(ch, b * b), over(h, b), over(w, b)])];
};

/** The deep side holds each shallow channel block x block times: DCR outermost, CRD (a pixel shuffle) innermost. */
function depthRelations(
  c: ChannelContext,
  shallow: Slot,
  deep: Slot,
  block: number,
  innermost: boolean,
): readonly ChannelRelation[] {
  if (typeof c.inputs[0]?.shape?.[1] !== 'number') return [];
  const k = block * block;
  return [
    ...sameAxis(c, 0, 0, 0, 0),
    { kind: 'repeat', of: shallow, big: deep, outer: innermost ? 1 : k, inner: innermost ? k : 1 },
  ];
}

export const rearrangeOps: readonly Op[] = [
  moves('Transpose', [1, 13, 21, 23, 24, 25], inferTranspose, {
    gradient: transposeGradient,
    channels: { relate: (c) => (permOf(c) ?? []).flatMap((p, axis) => sameAxis(c, 0, p, 0, axis)) },
    cases: [
      { name: 'reverses', inputs: [fed(2, 3, 4)] },
      { name: 'permutes', attributes: [attr.ints('perm', [0, 2, 3, 1])], inputs: [fed(2, 3, 4, 5)] },
    ],
  }),
  moves('Expand', [8, 13], inferExpand, {
    gradient: expandGradient,
    channels: {
      relate: (c) => {
        const before = c.inputs[0]?.shape;
        const after = c.outputs[0]?.shape;
        if (!before || !after) return [];
        if (numbersOf(c.inputs[1]) === undefined)
          return frozen(c, 'the target of this Expand is not known before it runs');
        const pad = after.length - before.length;
        return after.flatMap((d, axis) => {
          const same = sameAxis(c, 0, axis - pad, 0, axis);
          return same.length > 0 || typeof d !== 'number' ? same : [freeAxis(c, c.out(0, axis))];
        });
      },
      adapt: (c) => {
        const output = c.outputs[0]?.shape;
        const target = numbersOf(c.inputs[1]);
        if (!output?.some((_, axis) => c.kept(c.out(0, axis)) !== undefined) || target === undefined) return {};
        const pad = output.length - target.length;
        return {
          constants: { 1: target.map((d, i) => (d === 1 ? 1 : (c.kept(c.out(0, i + pad))?.length ?? d))) },
        };
      },
    },
    cases: [
      { name: 'new and stretched axes', inputs: [fed(3, 1), ints([2, 1, 4])] },
      { name: 'target smaller than the input', inputs: [fed(3, 4), ints([1])] },
    ],
  }),
  moves('Tile', [1, 6, 13], inferTile, {
    gradient: tileGradient,
    channels: {
      relate: (c) => {
        const repeats = numbersOf(c.inputs[1]);
        return (c.inputs[0]?.shape ?? []).flatMap((d, axis): ChannelRelation[] => {
          const n = c.version < 6 ? undefined : repeats?.[axis];
          if (n === undefined || typeof d !== 'number') return [];
          if (n === 1) return sameAxis(c, 0, axis, 0, axis);
          return [{ kind: 'repeat', of: c.in(0, axis), big: c.out(0, axis), outer: n, inner: 1 }];
        });
      },
    },
    cases: [{ name: 'repeats two axes', inputs: [fed(2, 1, 3), ints([1, 4, 2])] }],
  }),
  moves('DepthToSpace', [1, 11, 13], inferDepthToSpace, {
    gradient: depthToSpaceGradient,
    channels: {
      relate: (c) => {
        const block = intAttr(c.node, 'blocksize', 1);
        const crd = modeOf(c.node) === 'CRD';
        return depthRelations(c, c.out(0, 1), c.in(0, 1), block, crd);
      },
    },
    cases: [
      { name: 'DCR', attributes: [attr.int('blocksize', 2)], inputs: [fed(1, 12, 2, 3)] },
      {
        name: 'CRD',
        attributes: [attr.int('blocksize', 2), attr.string('mode', 'CRD')],
        inputs: [fed(1, 12, 2, 3)],
      },
    ],
  }),
  moves('SpaceToDepth', [1, 13], inferSpaceToDepth, {
    gradient: spaceToDepthGradient,
    channels: { relate: (c) => depthRelations(c, c.in(0, 1), c.out(0, 1), intAttr(c.node, 'blocksize', 1), false) },
    cases: [{ name: 'blocks of 2', attributes: [attr.int('blocksize', 2)], inputs: [fed(1, 3, 4, 6)] }],
  }),
];
