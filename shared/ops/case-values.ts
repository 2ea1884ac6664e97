/** Owns the shorthand in which operators' cases write their inputs. */
import type { ElementType } from '../ir/element-type.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';
import type { OpCase } from './declare.ts';

export type CaseInput = OpCase['inputs'][number];

/** A float input of this shape, fed at random. */
export const fed = (...shape: readonly number[]): CaseInput => ({ shape });

/** An input of another type; integers are drawn from [low, high]. */
export const fedAs = (
  elem: ElementType,
  shape: readonly number[],
  range: readonly [number, number] = [0, 1],
): CaseInput => ({ shape, elem, range });

/** A constant int64 vector, or of these dimensions. */
export const ints = (values: readonly number[], dims: readonly number[] = [values.length]): CaseInput => ({
  value: int64Tensor('', dims, values),
});

/** A constant of any type. */
export const fixed = (
  elem: ElementType,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): CaseInput => ({ value: numbersTensor('', elem, dims, values) });
