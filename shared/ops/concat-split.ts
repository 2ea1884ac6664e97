/** Owns Concat and Split: tensors joined and cut along one axis. */
import { attr, intAttr, intsAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed, ints } from './case-values.ts';
import type {
  AdaptContext,
  ChannelRelation,
  Facts,
  InferContext,
  NodeAdaptation,
  NodeContext,
  Op,
  Scalar,
} from './declare.ts';
import { foldableShape, numbersOf } from './fold.ts';
import { concatGradient, splitGradient } from './layout-gradient.ts';
import { axisAt, linear, moves, pickContent, sameAxis, stridesOf, tensorFacts } from './rule.ts';

/** Concat-1 has axis 1 by default, Concat-4 and later require it. */
const concatAxis = (c: NodeContext, rank: number): number => axisAt(intAttr(c.node, 'axis', 1), rank);

function joinDim(a: Dim, b: Dim): Dim {
  if (a === 0) return b;
  if (b === 0) return a;
  return typeof a === 'number' && typeof b === 'number' ? a + b : null;
}

const inferConcat = (c: InferContext): readonly Facts[] => {
  const parts = c.inputs.filter((i) => i !== undefined);
  const elem = parts.find((p) => p.elem !== null)?.elem ?? null;
  const rank = parts.find((p) => p.shape !== null)?.shape?.length;
  if (rank === undefined) return [tensorFacts(c, elem, null)];
  const axis = concatAxis(c, rank);
  const shape = Array.from({ length: rank }, (_, i): Dim => {
    const dims = parts.map((p) => p.shape?.[i] ?? null);
    if (i === axis) return dims.reduce<Dim>(joinDim, 0);
    // All parts agree elsewhere: a known number wins over a symbol, a symbol over nothing.
    return dims.find((d) => typeof d === 'number') ?? dims.find((d) => d !== null) ?? null;
  });
  return [tensorFacts(c, elem, shape, concatContent(parts, shape, axis))];
};

function concatContent(parts: readonly Facts[], shape: readonly Dim[], axis: number): readonly Scalar[] | undefined {
  const dims = foldableShape(shape);
  if (dims === undefined || parts.every((p) => p.content === undefined)) return undefined;
  // A part without content still has a known size: its elements are unknown, the others stay.
  const outer = dims.slice(0, axis).reduce((n, d) => n * d, 1);
  const inner = dims.slice(axis + 1).reduce((n, d) => n * d, 1);
  const rows = parts.map((p) => {
    const width = Number(p.shape?.[axis] ?? 0) * inner;
    return Array.from({ length: outer }, (_, o) =>
      p.content === undefined ? Array.from({ length: width }, () => null) : p.content.slice(o * width, (o + 1) * width),
    );
  });
  return Array.from({ length: outer }, (_, o) => rows.flatMap((r) => r[o] ?? [])).flat();
}

const concatRelations = (c: Parameters<typeof sameAxis>[0]): readonly ChannelRelation[] => {
  const whole = c.outputs[0]?.shape;
  if (!whole) return [];
  const axis = concatAxis(c, whole.length);
  let offset: number | null = 0;
  return c.inputs.flatMap((part, k): readonly ChannelRelation[] => {
    if (part === undefined) return [];
    const relations: ChannelRelation[] = whole.flatMap((_, i) => (i === axis ? [] : sameAxis(c, k, i, 0, i)));
    const size = part.shape?.[axis];
    if (typeof size === 'number' && offset !== null && typeof whole[axis] === 'number')
      relations.push({ kind: 'part', part: c.in(k, axis), whole: c.out(0, axis), offset });
    else if (part.shape !== null)
      relations.push({ kind: 'freeze', slot: c.in(k, axis), reason: 'its place in the Concat is not known' });
    offset = typeof size === 'number' && offset !== null ? offset + size : null;
    return relations;
  });
};

/** Sizes of Split's parts; null where not known. */
function splitSizes(c: NodeContext, outputs: number): readonly (number | null)[] {
  const given = intsAttr(c.node, 'split') ?? numbersOf(c.inputs[1]);
  if (given !== undefined) return given;
  const s = c.inputs[0]?.shape;
  const size = s ? s[axisAt(intAttr(c.node, 'axis', 0), s.length)] : null;
  if (c.inputs[1] !== undefined || typeof size !== 'number') return Array.from({ length: outputs }, () => null);
  // num_outputs (Split-18): equal parts, the last one smaller.
  const each = Math.ceil(size / outputs);
  return Array.from({ length: outputs }, (_, i) => Math.max(0, Math.min(each, size - i * each)));
}

const inferSplit = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const count = c.node.outputs.length;
  const s = x?.shape;
  if (!s) return Array.from({ length: count }, () => tensorFacts(c, x?.elem ?? null, null));
  const axis = axisAt(intAttr(c.node, 'axis', 0), s.length);
  const sizes = splitSizes(c, count);
  const from = foldableShape(s);
  let offset = 0;
  return Array.from({ length: count }, (_, k) => {
    const size = sizes[k] ?? null;
    const shape = s.map((d, i) => (i === axis ? size : d));
    const start = offset;
    offset += size ?? 0;
    const strides = from ? stridesOf(from) : [];
    const content = pickContent(x?.content, shape, (at) => linear(at, strides) + start * (strides[axis] ?? 0));
    return tensorFacts(c, x?.elem ?? null, shape, content);
  });
};

const splitRelations = (c: Parameters<typeof sameAxis>[0]): readonly ChannelRelation[] => {
  const whole = c.inputs[0]?.shape;
  if (!whole) return [];
  const axis = axisAt(intAttr(c.node, 'axis', 0), whole.length);
  const sizes = splitSizes(c, c.outputs.length);
  if (sizes.some((s) => s === null) || typeof whole[axis] !== 'number')
    return [{ kind: 'freeze', slot: c.in(0, axis), reason: 'the sizes of this Split are not known' }];
  let offset = 0;
  return c.outputs.flatMap((_, k): readonly ChannelRelation[] => {
    const at = offset;
    offset += sizes[k] ?? 0;
    if (c.node.outputs[k] === '') return [];
    return [
      ...whole.flatMap((_d, i) => (i === axis ? [] : sameAxis(c, 0, i, k, i))),
      { kind: 'part', part: c.out(k, axis), whole: c.in(0, axis), offset: at },
    ];
  });
};

function adaptSplit(c: AdaptContext): NodeAdaptation {
  const s = c.inputs[0]?.shape;
  if (!s) return {};
  const axis = axisAt(intAttr(c.node, 'axis', 0), s.length);
  const stay = c.kept(c.in(0, axis));
  if (stay === undefined) return {};
  const before = splitSizes(c, c.outputs.length);
  let offset = 0;
  const sizes = before.map((size) => {
    const start = offset;
    offset += size ?? 0;
    return stay.filter((i) => i >= start && i < offset).length;
  });
  if (c.version < 13) return { attributes: [attr.ints('split', sizes)] };
  return { constants: { 1: sizes }, drop: ['num_outputs'] };
}

export const concatSplitOps: readonly Op[] = [
  moves('Concat', [1, 4, 11, 13], inferConcat, {
    gradient: concatGradient,
    channels: { relate: concatRelations },
    quantize: { role: 'elementwise', data: [] },
    cases: [
      { name: 'two along axis 1', attributes: [attr.int('axis', 1)], inputs: [fed(2, 3, 2), fed(2, 1, 2)] },
      { name: 'negative axis', attributes: [attr.int('axis', -1)], inputs: [fed(2, 3), fed(2, 1), fed(2, 2)] },
      { name: 'one input', attributes: [attr.int('axis', 0)], inputs: [fed(2, 3)] },
      { name: 'of constants', attributes: [attr.int('axis', 0)], inputs: [ints([1, 2]), ints([3])] },
      { name: 'default axis', opset: 4, attributes: [attr.int('axis', 1)], inputs: [fed(2, 3), fed(2, 1)] },
    ],
  }),
  moves('Split', [1, 2, 11, 13, 18], inferSplit, {
    gradient: splitGradient,
    channels: { relate: splitRelations, adapt: adaptSplit },
    cases: [
      { name: 'equal parts', attributes: [attr.int('axis', 1)], inputs: [fed(2, 6)], outputs: 3 },
      { name: 'sizes as input', attributes: [attr.int('axis', -1)], inputs: [fed(2, 6), ints([1, 5])], outputs: 2 },
      {
        name: 'sizes as attribute',
        opset: 11,
        attributes: [attr.int('axis', 0), attr.ints('split', [2, 2])],
        inputs: [fed(4, 3)],
        outputs: 2,
      },
      {
        name: 'num_outputs, last smaller',
        opset: 18,
        attributes: [attr.int('num_outputs', 3)],
        inputs: [fed(7, 2)],
        outputs: 3,
      },
    ],
  }),
];
