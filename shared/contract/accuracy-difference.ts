/** Owns when two accuracies differ: a difference that the 95 % intervals swallow is "no difference". */
import type { Evaluation } from './calls.ts';

export type AccuracyDifference =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'none' }
  /** `points`: after minus before, in percentage points. */
  | { readonly kind: 'better' | 'worse'; readonly points: number };

/**
 * Compares two evaluations of the same samples. Either accuracy inside the other's Wilson interval is no difference; unknown
 * where one has no accuracy, or where data, split or sample count differ.
 */
export function accuracyDifference(before: Evaluation, after: Evaluation): AccuracyDifference {
  const same = before.data === after.data && before.split === after.split && before.samples === after.samples;
  if (!same || before.top1 === null || after.top1 === null || before.interval95 === null || after.interval95 === null)
    return { kind: 'unknown' };
  const inside = (x: number, [low, high]: readonly [number, number]): boolean => x >= low && x <= high;
  if (inside(after.top1, before.interval95) || inside(before.top1, after.interval95)) return { kind: 'none' };
  return { kind: after.top1 > before.top1 ? 'better' : 'worse', points: (after.top1 - before.top1) * 100 };
}
