/** Owns Constant in all its forms, ConstantOfShape, and what reads a shape: Shape, Size, Range. */
import { attr, attribute, intAttr } from '../ir/attribute.ts';
import { elementCount, isFloat } from '../ir/element-type.ts';
import type { Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { fed, fixed, ints } from './case-values.ts';
import { type Facts, type InferContext, type NodeContext, none, type Op, type Scalar } from './declare.ts';
import { floatFoldLimit, foldableShape, foldLimit } from './fold.ts';
import { withLazyContent } from './lazy-content.ts';
import { axisAt, family, freeAxis, freezeAll, moveWork, noQuantize, tensorFacts, times, viewWork } from './rule.ts';

const makes = family({
  domain: '',
  parameters: {},
  work: viewWork,
  gradient: none('its result does not depend on the values of its inputs'),
  channels: { relate: () => [] },
  quantize: noQuantize,
});

const noNumbers = new Set(['string', 'complex64', 'complex128']);

/** Facts of a tensor that stands in the graph; contents of small ones, read lazily once per tensor. */
export function constantFacts(tensor: Tensor): Facts {
  let facts = known.get(tensor);
  if (facts === undefined) {
    const base = { elem: tensor.type, shape: tensor.dims, constant: true };
    const small = elementCount(tensor.dims) <= foldLimit && !noNumbers.has(tensor.type);
    facts = small ? withLazyContent(base, () => readable(tensor)) : base;
    known.set(tensor, facts);
  }
  return facts;
}
const known = new WeakMap<Tensor, Facts>();

/** Undefined where only the skeleton of the model is here, or the external file is missing: inference goes on without. */
function readable(tensor: Tensor): readonly number[] | undefined {
  try {
    return Array.from(toNumbers(tensor));
  } catch {
    return undefined;
  }
}

/** The tensor that a Constant node holds, in whichever attribute; undefined for strings and sparse forms. */
export function constantTensor(node: Node): Tensor | undefined {
  const cached = made.get(node);
  if (cached !== undefined) return cached;
  const tensor = makeTensor(node);
  if (tensor !== undefined) made.set(node, tensor);
  return tensor;
}
const made = new WeakMap<Node, Tensor>();

function makeTensor(node: Node): Tensor | undefined {
  for (const a of node.attributes) {
    if (a.kind === 'tensor') return a.value;
    if (a.name === 'value_float' && a.kind === 'float') return numbersTensor('', 'float', [], [a.value]);
    if (a.name === 'value_floats' && a.kind === 'floats') return numbersTensor('', 'float', [a.value.length], a.value);
    if (a.name === 'value_int' && a.kind === 'int') return numbersTensor('', 'int64', [], [Number(a.value)]);
    if (a.name === 'value_ints' && a.kind === 'ints')
      return numbersTensor('', 'int64', [a.value.length], a.value.map(Number));
  }
  return undefined;
}

const inferConstant = (c: InferContext): readonly Facts[] => {
  const tensor = constantTensor(c.node);
  if (tensor !== undefined) return [constantFacts(tensor)];
  for (const a of c.node.attributes) {
    if (a.kind === 'sparseTensor') return [{ elem: a.value.values.type, shape: a.value.dims, constant: true }];
    if (a.kind === 'string') return [{ elem: 'string', shape: [], constant: true }];
    if (a.kind === 'strings') return [{ elem: 'string', shape: [a.value.length], constant: true }];
  }
  return [{ elem: null, shape: null, constant: true }];
};

const inferConstantOfShape = (c: InferContext): readonly Facts[] => {
  const target = c.inputs[0];
  const value = attribute(c.node, 'value');
  const fill = value?.kind === 'tensor' ? constantFacts(value.value) : undefined;
  const rank = target?.shape?.[0];
  const shape = target?.content ?? (typeof rank === 'number' ? Array.from({ length: rank }, () => null) : null);
  const dims = foldableShape(shape);
  const few = dims !== undefined && elementCount(dims) <= (isFloat(fill?.elem ?? 'float') ? floatFoldLimit : foldLimit);
  const one = few && fill !== undefined ? (fill.content?.[0] ?? null) : 0;
  const content = few ? new Array<Scalar>(elementCount(dims)).fill(one) : undefined;
  return [tensorFacts(c, fill?.elem ?? 'float', shape, content)];
};

const inferShape = (c: InferContext): readonly Facts[] => {
  const s = c.inputs[0]?.shape;
  if (!s) return [tensorFacts(c, 'int64', [null])];
  const clamp = (x: number): number => Math.min(Math.max(axisAt(x, s.length), 0), s.length);
  const dims = s.slice(clamp(intAttr(c.node, 'start', 0)), clamp(intAttr(c.node, 'end', s.length)));
  return [tensorFacts(c, 'int64', [dims.length], dims)];
};

const inferSize = (c: InferContext): readonly Facts[] => [
  tensorFacts(c, 'int64', [], [times(...(c.inputs[0]?.shape ?? [null]))]),
];

const inferRange = (c: InferContext): readonly Facts[] => {
  const [start, limit, delta] = c.inputs.map((i) => i?.content?.[0]);
  const elem = c.inputs[0]?.elem ?? null;
  if (typeof start !== 'number' || typeof limit !== 'number' || typeof delta !== 'number' || delta === 0)
    return [tensorFacts(c, elem, [start === 0 && delta === 1 ? (limit ?? null) : null])];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  const content = count > foldLimit ? undefined : Array.from({ length: count }, (_, i) => start + i * delta);
  return [tensorFacts(c, elem, [count], content)];
};

const shapeReader = { relate: () => [] };
const keptShape = (c: NodeContext): readonly number[] | undefined => foldableTarget(c.inputs[0]?.content);
const foldableTarget = (content: readonly Scalar[] | undefined): readonly number[] | undefined =>
  content?.every((x) => typeof x === 'number') ? (content as readonly number[]) : undefined;

export const constantOps: readonly Op[] = [
  makes('Constant', [1, 9, 11, 12, 13, 19, 21, 23, 24, 25], inferConstant, {
    cases: [
      {
        name: 'tensor',
        attributes: [attr.tensor('value', numbersTensor('', 'float', [2, 2], [1, 2, 3, 4]))],
        inputs: [],
      },
      { name: 'int', attributes: [attr.int('value_int', 7)], inputs: [] },
      { name: 'ints', attributes: [attr.ints('value_ints', [7, 8])], inputs: [] },
      { name: 'float', attributes: [attr.float('value_float', 0.5)], inputs: [] },
      { name: 'floats', attributes: [attr.floats('value_floats', [0.5, 1.5])], inputs: [] },
    ],
  }),
  makes('ConstantOfShape', [9, 20, 21, 23, 24, 25], inferConstantOfShape, {
    work: moveWork,
    channels: {
      relate: (c) =>
        (c.outputs[0]?.shape ?? []).flatMap((d, axis) =>
          typeof d === 'number' && keptShape(c) !== undefined ? [freeAxis(c, c.out(0, axis))] : [],
        ),
      adapt: (c) => {
        const target = keptShape(c);
        if (target === undefined || target.every((_, axis) => c.kept(c.out(0, axis)) === undefined)) return {};
        return { constants: { 0: target.map((d, axis) => c.kept(c.out(0, axis))?.length ?? d) } };
      },
    },
    cases: [
      { name: 'zeros', inputs: [ints([2, 3])] },
      {
        name: 'a value',
        attributes: [attr.tensor('value', numbersTensor('', 'int32', [1], [5]))],
        inputs: [ints([4])],
      },
      { name: 'a scalar', inputs: [ints([])] },
    ],
  }),
  makes('Shape', [1, 13, 15, 19, 21, 23, 24, 25], inferShape, {
    channels: shapeReader,
    cases: [
      { name: 'all', inputs: [fed(2, 3, 4)] },
      { name: 'from start to end', attributes: [attr.int('start', 1), attr.int('end', -1)], inputs: [fed(2, 3, 4, 5)] },
    ],
  }),
  makes('Size', [1, 13, 19, 21, 23, 24, 25], inferSize, {
    channels: shapeReader,
    cases: [{ name: 'of three axes', inputs: [fed(2, 3, 4)] }],
  }),
  makes('Range', [11], inferRange, {
    work: moveWork,
    channels: freezeAll('a Range counts along this axis'),
    cases: [
      { name: 'ints', inputs: [ints([2], []), ints([10], []), ints([3], [])] },
      { name: 'down', inputs: [ints([5], []), ints([0], []), ints([-2], [])] },
      { name: 'floats', inputs: [fixed('float', [0], []), fixed('float', [1], []), fixed('float', [0.25], [])] },
    ],
  }),
];
