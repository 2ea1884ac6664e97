/** Owns what is said of measured times: median, spread, and whether two models differ, with the interval that tells. */
import { quantileSorted } from 'simple-statistics';
import { rng } from '../../base/random.ts';

/** All in milliseconds a run. */
export interface Timing {
  readonly runs: number;
  readonly median: number;
  readonly p95: number;
  readonly min: number;
  readonly max: number;
  /** 95 % interval of the median, by order statistics. */
  readonly interval95: readonly [number, number];
  /** Interquartile range over the median: how restless the machine was. */
  readonly spread: number;
}

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const medianOf = (values: readonly number[]): number => quantileSorted(ascending(values), 0.5);

/** Median of sorted values. */
function middle(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Describes times; at least one. */
export function timingOf(times: readonly number[]): Timing {
  const sorted = ascending(times);
  const n = sorted.length;
  // The median's rank is binomial (n, 1/2), here by its normal approximation.
  const half = 1.96 * Math.sqrt(n / 4);
  const at = (rank: number): number => sorted[Math.min(Math.max(Math.floor(rank), 0), n - 1)] ?? Number.NaN;
  const median = quantileSorted(sorted, 0.5);
  return {
    runs: n,
    median,
    p95: quantileSorted(sorted, 0.95),
    min: at(0),
    max: at(n - 1),
    interval95: [at(n / 2 - half), at(n / 2 + half)],
    spread: (quantileSorted(sorted, 0.75) - quantileSorted(sorted, 0.25)) / median,
  };
}

export type Verdict = 'faster' | 'slower' | 'no difference';

export interface TimeRatio {
  /** Time of the second over the first: below 1 is faster. */
  readonly ratio: number;
  readonly interval95: readonly [number, number];
  readonly rounds: number;
  readonly verdict: Verdict;
}

/** Two openings of one file differ by about this much (where its tensors come to lie); less is told of nobody. */
export const resolution = 0.03;
/** Neighbouring rounds share the machine's mood, so they are drawn together. */
const blockLength = 5;
const resamples = 1_000;

/**
 * Compares interleaved rounds: `first[k]` and `second[k]` were measured one after the other. The interval is the central
 * 95 % of a moving-block bootstrap (Künsch 1989) of the ratio of medians. A difference is told only where the whole
 * interval lies beyond `resolution`.
 */
export function ratioOf(first: readonly number[], second: readonly number[], seed = 1): TimeRatio {
  const rounds = Math.min(first.length, second.length);
  const ratio = medianOf(second.slice(0, rounds)) / medianOf(first.slice(0, rounds));
  const random = rng(seed);
  const block = Math.min(blockLength, rounds);
  const [a, b] = [new Float64Array(rounds), new Float64Array(rounds)];
  const ratios = Array.from({ length: resamples }, () => {
    for (let n = 0; n < rounds; ) {
      const from = random.below(rounds - block + 1);
      for (let k = 0; k < block && n < rounds; k++, n++) {
        a[n] = first[from + k] ?? 0;
        b[n] = second[from + k] ?? 0;
      }
    }
    return middle(b.sort()) / middle(a.sort());
  }).sort((x, y) => x - y);
  const interval95: [number, number] = [quantileSorted(ratios, 0.025), quantileSorted(ratios, 0.975)];
  return { ratio, interval95, rounds, verdict: verdictOf(interval95) };
}

function verdictOf([low, high]: readonly [number, number]): Verdict {
  if (high < 1 - resolution) return 'faster';
  return low > 1 + resolution ? 'slower' : 'no difference';
}
