/** Owns the vocabulary that operator rules share: axes, settings, results, kinds of work, whole-node channel answers. */
import { intsAttr } from '../ir/attribute.ts';
import { type ElementType, elementTypes } from '../ir/element-type.ts';
import type { Dim } from '../ir/model.ts';
import {
  type ChannelContext,
  type ChannelRelation,
  type ChannelRule,
  type Facts,
  type KernelClass,
  type NodeContext,
  none,
  type Op,
  op,
  type Scalar,
  type Slot,
  type WorkRule,
} from './declare.ts';
import { foldableShape, numbersOf, sizeOf } from './fold.ts';

/** A negative axis counted from the end. */
export const axisAt = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** True where every input that is given depends on no graph input. */
export function constantInputs(c: NodeContext): boolean {
  for (let k = 0; k < c.inputs.length; k++) if (c.inputs[k]?.constant === false) return false;
  return true;
}

/** Facts of a computed tensor. `content` is dropped where it does not fill the shape, and for strings. */
export function tensorFacts(
  c: NodeContext,
  elem: ElementType | null,
  shape: readonly Dim[] | null,
  content?: readonly Scalar[],
): Facts {
  const constant = constantInputs(c);
  const keeps =
    content !== undefined &&
    elem !== 'string' &&
    foldableShape(shape) !== undefined &&
    sizeOf(shape) === content.length;
  return keeps ? { elem, shape, content, constant } : { elem, shape, constant };
}

/** Integers that older versions take as an attribute and newer as input k. undefined: not given; null: not known. */
export function intsSetting(c: NodeContext, name: string, k: number): readonly number[] | null | undefined {
  const given = intsAttr(c.node, name);
  if (given !== undefined) return given;
  const input = c.inputs[k];
  return input === undefined ? undefined : (numbersOf(input) ?? null);
}

/** A product that is null as soon as one factor is unknown; a zero wins over unknown. */
export const times = (...factors: readonly (Dim | undefined)[]): number | null => timesFrom(factors, 0);

/** The product of a list from a position on, as `times`. */
export function timesFrom(factors: readonly (Dim | undefined)[], start: number): number | null {
  let product: number | null = 1;
  for (let k = start; k < factors.length; k++) {
    const f = factors[k];
    if (f === 0) return 0;
    product = typeof f === 'number' && product !== null ? product * f : null;
  }
  return product;
}

// ---------------------------------------------------------------- small contents

/** Row-major strides. */
export function stridesOf(dims: readonly number[]): readonly number[] {
  const out = dims.map(() => 1);
  for (let i = dims.length - 2; i >= 0; i--) out[i] = (out[i + 1] ?? 1) * (dims[i + 1] ?? 1);
  return out;
}

/** Contents of `shape` where element at index `at` is read from `content` at linear position `from(at)`. */
export function pickContent(
  content: readonly Scalar[] | undefined,
  shape: readonly Dim[] | null,
  from: (at: readonly number[]) => number,
): readonly Scalar[] | undefined {
  const dims = foldableShape(shape);
  if (content === undefined || dims === undefined) return undefined;
  const strides = stridesOf(dims);
  const count = dims.reduce((n, d) => n * d, 1);
  return Array.from({ length: count }, (_, k) => {
    const at = dims.map((d, i) => Math.floor(k / (strides[i] ?? 1)) % d);
    return content[from(at)] ?? null;
  });
}

/** Linear position of an index. */
export const linear = (at: readonly number[], strides: readonly number[]): number =>
  at.reduce((n, i, k) => n + i * (strides[k] ?? 0), 0);

// ---------------------------------------------------------------- work

export const viewWork: WorkRule = () => ({ kernel: 'view', macs: 0, otherOps: 0 });
export const moveWork: WorkRule = () => ({ kernel: 'data-movement', macs: 0, otherOps: 0 });

/** `each` operations per element of output k. */
export const perOutput =
  (kernel: KernelClass, each = 1, k = 0): WorkRule =>
  (c) => ({ kernel, macs: 0, otherOps: times(sizeOf(c.outputs[k]?.shape), each) });

/** `each` operations per element of input k. */
export const perInput =
  (kernel: KernelClass, each = 1, k = 0): WorkRule =>
  (c) => ({ kernel, macs: 0, otherOps: times(sizeOf(c.inputs[k]?.shape), each) });

// ---------------------------------------------------------------- channels

/** Freezes every axis of every tensor that is not constant, and of every output. */
export const freezeAll = (reason: string): ChannelRule => ({ relate: (c) => frozen(c, reason) });

export function frozen(c: ChannelContext, reason: string): readonly ChannelRelation[] {
  const axes = (f: Facts, slot: (axis: number) => Slot): readonly ChannelRelation[] =>
    (f.shape ?? []).map((_, axis) => ({ kind: 'freeze', slot: slot(axis), reason }));
  return [
    ...c.inputs.flatMap((f, k) => (f === undefined || f.constant ? [] : axes(f, (axis) => c.in(k, axis)))),
    ...c.outputs.flatMap((f, k) => axes(f, (axis) => c.out(k, axis))),
  ];
}

/** `same` between an axis of input k and one of output j, where both sizes are one known number; else nothing. */
export function sameAxis(c: ChannelContext, k: number, inAxis: number, j: number, outAxis: number): ChannelRelation[] {
  const a = c.inputs[k]?.shape?.[inAxis];
  const b = c.outputs[j]?.shape?.[outAxis];
  return typeof a === 'number' && a === b ? [{ kind: 'same', a: c.in(k, inAxis), b: c.out(j, outAxis) }] : [];
}

/** Every axis of input 0 is the same axis of output 0 where the sizes agree. */
export const sameAxes: ChannelRule = {
  relate: (c) => (c.inputs[0]?.shape ?? []).flatMap((_, axis) => sameAxis(c, 0, axis, 0, axis)),
};

/** An axis that may lose indices without touching another tensor (Expand's new axis, a sum's summed axis). */
export const freeAxis = (c: ChannelContext, slot: Slot): ChannelRelation => ({
  kind: 'same',
  a: slot,
  b: { value: `#${c.node.id}/${slot.value}`, axis: slot.axis },
});

// ---------------------------------------------------------------- declaring

export const noGradientYet = none('no gradient rule yet');
export const notDifferentiable = none('not differentiable');
export const noQuantize = none('stays in float');

type Answers = Omit<Op, 'type' | 'since' | 'infer' | 'cases'>;

/** A declarer for operators that answer alike: `const view = family({...}); view('Reshape', [1, 5, 13], infer, {...})`. */
export const family =
  (shared: Answers) =>
  (
    type: string,
    since: readonly number[],
    infer: Op['infer'],
    own: Partial<Answers> & { readonly cases: Op['cases'] },
  ): Op =>
    op({ type, since, infer, ...shared, ...own });

/** Operators that move data as it is; each says its own channel relations. */
export const moves = family({
  domain: '',
  parameters: {},
  work: moveWork,
  gradient: noGradientYet,
  channels: { relate: () => [] },
  quantize: { role: 'pass', data: 0 },
});

/** Input 0's type and shape unchanged. */
export const likeInput = (c: NodeContext): readonly Facts[] => [
  tensorFacts(c, c.inputs[0]?.elem ?? null, c.inputs[0]?.shape ?? null),
];

/** An element type attribute (`to`, `dtype`) by its code. */
export function elemAttr(code: number | undefined): ElementType | null {
  if (code === undefined) return null;
  for (const [name, info] of Object.entries(elementTypes)) if (info.code === code) return name as ElementType;
  return null;
}
