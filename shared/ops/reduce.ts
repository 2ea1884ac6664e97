/** Owns the reductions, axes as attribute (to opset 12 or 17) and as input. */
import { attr, intAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed, fedAs, ints } from './case-values.ts';
import type { ChannelContext, ChannelRelation, Facts, InferContext, NodeContext, Op, Scalar } from './declare.ts';
import { asElement } from './fold.ts';
import { reduceGradients } from './reduce-gradient.ts';
import { reducedAxes } from './reduced-axes.ts';
import { family, freeAxis, noGradientYet, noQuantize, perInput, sameAxis, tensorFacts, times } from './rule.ts';

const reducedShape = (c: NodeContext): readonly Dim[] | null => {
  const s = c.inputs[0]?.shape;
  const keep = intAttr(c.node, 'keepdims', 1) === 1;
  if (!s) return null;
  const axes = reducedAxes(c);
  if (axes === null) {
    const count = c.inputs[1]?.shape?.[0];
    if (keep) return s.map(() => null);
    return typeof count === 'number' ? Array.from({ length: Math.max(0, s.length - count) }, () => null) : null;
  }
  return keep ? s.map((d, i) => (axes.has(i) ? 1 : d)) : s.filter((_, i) => !axes.has(i));
};

type Fold = (xs: readonly Scalar[]) => Scalar;
const numeric =
  (f: (xs: readonly number[]) => number): Fold =>
  (xs) =>
    xs.every((x) => typeof x === 'number') ? f(xs as readonly number[]) : null;

/** What folds in shape arithmetic. A product passes a lone symbol among ones. */
const folds: Readonly<Record<string, Fold>> = {
  ReduceProd: (xs) => {
    const rest = xs.filter((x) => x !== 1);
    return rest.length === 1 ? (rest[0] ?? null) : times(...rest);
  },
  ReduceSum: numeric((xs) => xs.reduce((a, b) => a + b, 0)),
  ReduceMax: numeric((xs) => Math.max(...xs)),
  ReduceMin: numeric((xs) => Math.min(...xs)),
};

const inferReduce = (c: InferContext): readonly Facts[] => {
  const x = c.inputs[0];
  const shape = reducedShape(c);
  const elem = x?.elem ?? null;
  const fold = folds[c.node.op];
  const axes = reducedAxes(c);
  // Only whole vectors: what shape arithmetic needs.
  if (
    fold === undefined ||
    x?.content === undefined ||
    x.content.length === 0 ||
    x.shape?.length !== 1 ||
    axes?.size !== 1
  )
    return [tensorFacts(c, elem, shape)];
  return [tensorFacts(c, elem, shape, [asElement(elem, fold(x.content))])];
};

/** Removed channels are zeros that were masked: they leave a sum as it is, but not a mean, a maximum or a product. */
const summing = new Set(['ReduceSum', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare']);

const reduceRelations = (c: ChannelContext): readonly ChannelRelation[] => {
  const axes = reducedAxes(c);
  const s = c.inputs[0]?.shape;
  if (!s || axes === null) return [];
  const keep = intAttr(c.node, 'keepdims', 1) === 1;
  let next = 0;
  return s.flatMap((_, i): readonly ChannelRelation[] => {
    if (axes.has(i)) {
      if (keep) next++;
      if (summing.has(c.node.op)) return [freeAxis(c, c.in(0, i))];
      return [{ kind: 'freeze', slot: c.in(0, i), reason: `${c.node.op} over the channels would change` }];
    }
    return sameAxis(c, 0, i, 0, next++);
  });
};

const reduces = family({
  domain: '',
  parameters: {},
  work: perInput('reduce'),
  gradient: noGradientYet,
  channels: { relate: reduceRelations },
  quantize: noQuantize,
});

/** The logarithm wants a positive sum. */
const data = (type: string, ...shape: readonly number[]) =>
  type === 'ReduceLogSum' ? fedAs('float', shape, [0.5, 2]) : fed(...shape);

/** All took axes as an input at opset 18, ReduceSum at 13; the extremes got small integers at 12 and bool at 20. */
const sinceOf = (type: string): readonly number[] => {
  if (type === 'ReduceSum') return [1, 11, 13];
  return type === 'ReduceMax' || type === 'ReduceMin' ? [1, 11, 12, 13, 18, 20] : [1, 11, 13, 18];
};

const reduce = (type: string): Op =>
  reduces(type, sinceOf(type), inferReduce, {
    gradient: reduceGradients[type] ?? noGradientYet,
    cases: [
      { name: 'attribute', opset: 11, attributes: [attr.ints('axes', [1, -1])], inputs: [data(type, 2, 3, 4)] },
      {
        name: 'input, axis dropped',
        opset: 18,
        attributes: [attr.int('keepdims', 0)],
        inputs: [data(type, 2, 3, 4), ints([1])],
      },
      { name: 'all axes', opset: 18, inputs: [data(type, 2, 3)] },
      {
        name: 'no axes, no change',
        opset: 18,
        attributes: [attr.int('noop_with_empty_axes', 1)],
        inputs: [data(type, 2, 3)],
      },
      ...(type in folds
        ? [
            {
              name: 'of a constant',
              opset: 18,
              attributes: [attr.int('keepdims', 0)],
              inputs: [ints([2, 3, 7]), ints([0])],
            },
          ]
        : []),
    ],
  });

export const reduceOps: readonly Op[] = [
  'ReduceMean',
  'ReduceSum',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceSumSquare',
].map(reduce);
