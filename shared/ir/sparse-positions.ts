/** Owns where the values of a sparse tensor stand in the dense one. */
import type { SparseTensor } from './tensor.ts';
import { toNumbers } from './values.ts';

/** Linear positions, one a value: the indices themselves, or one row of coordinates each. */
export function sparsePositions(s: SparseTensor): readonly number[] {
  const given = toNumbers(s.indices);
  if (s.indices.dims.length < 2) return Array.from(given);
  const rank = s.dims.length;
  return Array.from({ length: given.length / rank }, (_, n) =>
    s.dims.reduce((at, d, i) => at * d + (given[n * rank + i] ?? 0), 0),
  );
}
