/** Owns the vocabulary of gradient rules: known shapes, sums over axes, rules that pass a gradient on. */
import { Fault } from '../base/fault.ts';
import { type Said, text, textAround } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import type { Facts, GradientContext, GradientRule } from './declare.ts';

/** The shape in numbers. Faults: `no-rule` where a dimension is not known. */
export function knownShape(c: GradientContext, facts: Facts | undefined): readonly number[] {
  const shape = facts?.shape;
  if (!shape?.every((d): d is number => typeof d === 'number'))
    throw new Fault(
      'no-rule',
      text(
        `the gradient of ${c.node.op} needs shapes that are not known here`,
        `${c.node.op}의 기울기에 필요한 형상을 알 수 없습니다`,
      ),
      {
        where: c.node.id,
        hint: text('Set the input shape.', '입력 형상을 정하세요.'),
      },
    );
  return shape as readonly number[];
}

export const xShape = (c: GradientContext, k = 0): readonly number[] => knownShape(c, c.inputs[k]);
export const yShape = (c: GradientContext, k = 0): readonly number[] => knownShape(c, c.outputs[k]);
export const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export const reshapeTo = (c: GradientContext, value: string, dims: readonly number[]): string =>
  c.one('Reshape', [value, c.ints(dims)]);

export const transposeBy = (c: GradientContext, value: string, perm: readonly number[]): string =>
  c.one('Transpose', [value], [attr.ints('perm', perm)]);

/** ReduceSum over axes (as an input, since 13); the value itself where there is none. */
export const sumOver = (c: GradientContext, value: string, axes: readonly number[], keep = true): string =>
  axes.length === 0 ? value : c.one('ReduceSum', [value, c.ints(axes)], [attr.int('keepdims', keep ? 1 : 0)]);

// ---------------------------------------------------------------- arithmetic

export const scalar = (c: GradientContext, v: number): string => c.floats([v], []);
export const mul = (c: GradientContext, a: string, b: string): string => c.one('Mul', [a, b]);
export const add = (c: GradientContext, a: string, b: string): string => c.one('Add', [a, b]);
export const minus = (c: GradientContext, a: string, b: string): string => c.one('Sub', [a, b]);
export const plus = (c: GradientContext, a: string, v: number): string => c.one('Add', [a, scalar(c, v)]);
export const times = (c: GradientContext, a: string, v: number): string => c.one('Mul', [a, scalar(c, v)]);
export const square = (c: GradientContext, a: string): string => c.one('Mul', [a, a]);
export const oneMinus = (c: GradientContext, a: string): string => c.one('Sub', [scalar(c, 1), a]);
export const recip = (c: GradientContext, a: string): string => c.one('Reciprocal', [a]);
/** 1 where the comparison holds, else 0. */
export const flag = (c: GradientContext, op: 'Greater' | 'Less' | 'Equal', a: string, b: string): string =>
  c.one('Cast', [c.one(op, [a, b])], [attr.int('to', 1)]);

/** Mean over axes, which stay with size 1. */
export const meanOver = (c: GradientContext, value: string, dims: readonly number[], axes: readonly number[]): string =>
  times(c, sumOver(c, value, axes), 1 / Math.max(1, product(axes.map((a) => dims[a] ?? 1))));

/** The slice [from, to) of `value` along one axis. */
export const part = (c: GradientContext, value: string, axis: number, from: number, to: number): string =>
  c.one('Slice', [value, c.ints([from]), c.ints([to]), c.ints([axis])]);

/** Stops: this form of the operator has no rule. */
export function refuse(c: GradientContext, reason: Said): never {
  throw new Fault(
    'no-rule',
    textAround(
      reason,
      (w) => `${c.node.op} has no gradient: ${w}`,
      (w) => `${c.node.op}에 기울기가 없습니다: ${w}`,
    ),
    {
      where: c.node.name || c.node.id,
      hint: text(
        'Freeze the layers before it, or leave this model untrained.',
        '그 앞의 레이어를 고정하거나 이 모델을 학습하지 마세요.',
      ),
    },
  );
}

export const zeros = (c: GradientContext, dims: readonly number[]): string => c.one('ConstantOfShape', [c.ints(dims)]);

/** A rule for one output that reached a gradient; without one nothing is wanted. */
export const withDy =
  (f: (c: GradientContext, dy: string) => readonly (string | undefined)[]): GradientRule =>
  (c) => {
    const dy = c.dy(0);
    return dy === undefined ? [] : f(c, dy);
  };

/** Only the data input has a gradient. */
export const dataOnly = (f: (c: GradientContext, dy: string) => string): GradientRule =>
  withDy((c, dy) => [c.wants(0) ? f(c, dy) : undefined]);

/** The gradient passes unchanged. */
export const passes: GradientRule = dataOnly((_c, dy) => dy);

/** Elements only change places within the shape: back to the input's shape. */
export const reshapesBack: GradientRule = dataOnly((c, dy) => reshapeTo(c, dy, xShape(c)));

/** Sums what broadcasting spread. */
export const spreadBack = (c: GradientContext, grad: string, k: number): string =>
  c.unbroadcast(grad, c.outputs[0]?.shape ?? null, (c.inputs[k]?.shape ?? null) as readonly Dim[] | null);
