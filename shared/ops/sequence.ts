/** Owns sequences and optionals: values that are not one dense tensor. */
import { attribute, intAttr } from '../ir/attribute.ts';
import type { Dim, Node, ValueType } from '../ir/model.ts';
import { fed, ints } from './case-values.ts';
import { type Facts, type InferContext, type NodeContext, none, type Op, unknownFacts } from './declare.ts';
import { numbersOf } from './fold.ts';
import { axisAt, elemAttr, family, freezeAll, moveWork, noQuantize, tensorFacts } from './rule.ts';

const lists = family({
  domain: '',
  parameters: {},
  work: moveWork,
  gradient: none('a sequence is not one tensor'),
  channels: freezeAll('a sequence holds tensors of any shape'),
  quantize: noQuantize,
});

const typeOf = (f: Facts | undefined): ValueType =>
  f?.other ?? { kind: 'tensor', elem: f?.elem ?? null, shape: f?.shape ?? null };
const ofType = (type: ValueType | null | undefined): Facts =>
  type?.kind === 'tensor'
    ? { elem: type.elem, shape: type.shape, constant: false }
    : type
      ? { ...unknownFacts, other: type }
      : unknownFacts;
const sequence = (elem: ValueType | null): Facts => ({ ...unknownFacts, other: { kind: 'sequence', elem } });
const elementOf = (f: Facts | undefined): ValueType | null =>
  f?.other?.kind === 'sequence' || f?.other?.kind === 'optional' ? f.other.elem : null;

/** What every element is: sizes that differ are unknown. */
function joint(types: readonly ValueType[]): ValueType | null {
  const [first, ...rest] = types;
  if (first?.kind !== 'tensor') return first ?? null;
  let shape = first.shape;
  for (const t of rest) {
    const s = t.kind === 'tensor' ? t.shape : null;
    shape = shape !== null && s?.length === shape.length ? shape.map((d, i) => (d === s[i] ? d : null)) : null;
  }
  return { kind: 'tensor', elem: first.elem, shape };
}

const inferSplit = (c: InferContext): readonly Facts[] => {
  const [x, split] = c.inputs;
  const s = x?.shape;
  if (!s) return [sequence({ kind: 'tensor', elem: x?.elem ?? null, shape: null })];
  const axis = axisAt(intAttr(c.node, 'axis', 0), s.length);
  const size = s[axis];
  const given = numbersOf(split);
  const scalar = split?.shape?.length === 0;
  const each =
    split === undefined ? 1 : scalar ? given?.[0] : given?.every((n) => n === given[0]) ? given[0] : undefined;
  const even = each !== undefined && (!scalar || (typeof size === 'number' && size % each === 0)) ? each : null;
  const dropped = split === undefined && intAttr(c.node, 'keepdims', 1) === 0;
  const shape = dropped ? s.filter((_, i) => i !== axis) : s.map((d, i) => (i === axis ? even : d));
  return [sequence({ kind: 'tensor', elem: x.elem, shape })];
};

const inferConcat = (c: NodeContext): readonly Facts[] => {
  const t = elementOf(c.inputs[0]);
  if (t?.kind !== 'tensor') return [unknownFacts];
  const stacked = intAttr(c.node, 'new_axis', 0) === 1;
  const rank = (t.shape?.length ?? 0) + (stacked ? 1 : 0);
  const axis = axisAt(intAttr(c.node, 'axis', 0), rank);
  const shape: readonly Dim[] | null =
    t.shape === null
      ? null
      : stacked
        ? [...t.shape.slice(0, axis), null, ...t.shape.slice(axis)]
        : t.shape.map((d, i) => (i === axis ? null : d));
  return [{ elem: t.elem, shape, constant: false }];
};

const typeAttribute = (node: Node): ValueType | null => {
  const a = attribute(node, 'type');
  return a?.kind === 'type' ? a.value : null;
};

const norun = 'a sequence does not cross the runtime interface';
const scalarOf = (elem: 'int64' | 'bool') => (c: NodeContext) => [tensorFacts(c, elem, [])];

export const sequenceOps: readonly Op[] = [
  lists('SequenceConstruct', [11], (c) => [sequence(joint(c.inputs.map(typeOf)))], {
    cases: [{ name: 'two', inputs: [fed(2), fed(3)], norun }],
  }),
  lists(
    'SequenceEmpty',
    [11],
    (c) => [sequence({ kind: 'tensor', elem: elemAttr(intAttr(c.node, 'dtype', 1)), shape: null })],
    {
      cases: [{ name: 'floats', inputs: [], norun }],
    },
  ),
  lists(
    'SequenceInsert',
    [11],
    (c) => {
      const own = elementOf(c.inputs[0]);
      return [sequence(own === null ? typeOf(c.inputs[1]) : joint([own, typeOf(c.inputs[1])]))];
    },
    { cases: [{ name: 'into nothing', inputs: [undefined, fed(2)], norun }] },
  ),
  lists('SequenceErase', [11], (c) => [c.inputs[0] ?? unknownFacts], {
    cases: [{ name: 'untyped', inputs: [fed(2)], norun }],
  }),
  lists('SequenceAt', [11], (c) => [ofType(elementOf(c.inputs[0]))], {
    cases: [{ name: 'untyped', inputs: [fed(2), ints([0], [])], norun }],
  }),
  lists('SequenceLength', [11], scalarOf('int64'), {
    cases: [{ name: 'untyped', inputs: [fed(2)], norun, shapes: [[]] }],
  }),
  lists('SplitToSequence', [11, 24], inferSplit, { cases: [{ name: 'singles', inputs: [fed(3, 2)], norun }] }),
  lists('ConcatFromSequence', [11], inferConcat, { cases: [{ name: 'untyped', inputs: [fed(2)], norun }] }),
  lists('SequenceMap', [17], (c) => c.node.outputs.map(() => sequence(null)), {
    work: none('depends on the length of the sequence'),
    cases: [{ name: 'untyped', inputs: [fed(2)], norun }],
  }),
  lists(
    'Optional',
    [15],
    (c) => {
      const elem = c.inputs[0] === undefined ? typeAttribute(c.node) : typeOf(c.inputs[0]);
      return [{ ...unknownFacts, other: { kind: 'optional', elem } }];
    },
    { cases: [{ name: 'a tensor', inputs: [fed(2)], norun }] },
  ),
  lists('OptionalHasElement', [15, 18], scalarOf('bool'), {
    cases: [{ name: 'a tensor', opset: 18, inputs: [fed(2)], norun: 'takes an optional', shapes: [[]] }],
  }),
  lists(
    'OptionalGetElement',
    [15, 18],
    (c) => [c.inputs[0]?.other?.kind === 'optional' ? ofType(c.inputs[0].other.elem) : (c.inputs[0] ?? unknownFacts)],
    { cases: [{ name: 'a tensor', opset: 18, inputs: [fed(2)], norun: 'takes an optional', shapes: [[2]] }] },
  ),
];
