/**
 * Owns the correction of a roofline: how far measured kernels of one form lie from it, interpolated over their sizes by a
 * Gaussian process (Rasmussen and Williams 2006, chapter 2); far from every sample it is nothing.
 */
import { CholeskyDecomposition, Matrix } from 'ml-matrix';

export interface SmoothFit {
  /** Length by axis, in doublings of the size. */
  readonly lengths: readonly number[];
  readonly points: readonly (readonly number[])[];
  readonly weights: readonly number[];
}

/** Matérn covariance with nu = 3/2 (equation 4.17). */
export function closeness(a: readonly number[], b: readonly number[], lengths: readonly number[]): number {
  let sum = 0;
  for (let j = 0; j < lengths.length; j++) sum += (((a[j] ?? 0) - (b[j] ?? 0)) / (lengths[j] ?? 1)) ** 2;
  const r = Math.sqrt(3 * sum);
  return (1 + r) * Math.exp(-r);
}

/** The correction at some sizes, and how near the nearest sample is: 1 at it, 0 far away. */
export function smoothAt(
  fit: SmoothFit,
  sizes: readonly number[],
): { readonly value: number; readonly nearest: number } {
  let value = 0;
  let nearest = 0;
  for (let i = 0; i < fit.points.length; i++) {
    const k = closeness(fit.points[i] ?? [], sizes, fit.lengths);
    value += k * (fit.weights[i] ?? 0);
    if (k > nearest) nearest = k;
  }
  return { value, nearest };
}

interface Solved {
  readonly weights: readonly number[];
  /** What each sample differs by from what the others say of it (equations 5.10 to 5.12). */
  readonly leftOut: readonly number[];
}

function solve(
  points: readonly (readonly number[])[],
  values: readonly number[],
  lengths: readonly number[],
  noise: number,
): Solved {
  const n = points.length;
  const K = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const k = closeness(points[i] ?? [], points[j] ?? [], lengths) + (i === j ? noise : 0);
      K.set(i, j, k);
      K.set(j, i, k);
    }
  const inverse = new CholeskyDecomposition(K).solve(Matrix.eye(n, n));
  const weights = inverse.mmul(Matrix.columnVector([...values])).to1DArray();
  return { weights, leftOut: weights.map((w, i) => w / inverse.get(i, i)) };
}

const squares = (list: readonly number[]): number => list.reduce((s, x) => s + Math.min(x * x, 1), 0);
const noises = [0.02, 0.1, 0.4] as const;
const starts = [1.5, 3, 6] as const;
const far = 12;
/** Lengths are chosen on this many samples at most; the rest only sharpens. */
const chosenOn = 110;

export interface Smoothed {
  readonly fit: SmoothFit;
  readonly leftOut: readonly number[];
}

/** Lengths and noise by leave-one-out error on the samples themselves: one for all axes first, then axis by axis. */
export function fitSmooth(points: readonly (readonly number[])[], values: readonly number[]): Smoothed {
  const axes = points[0]?.length ?? 0;
  const every = Math.max(1, Math.ceil(points.length / chosenOn));
  const some = points.filter((_, i) => i % every === 0);
  const its = values.filter((_, i) => i % every === 0);
  let best = { lengths: Array.from({ length: axes }, () => far), noise: 0.4, error: Number.POSITIVE_INFINITY };
  const attempt = (lengths: number[], noise: number): void => {
    const error = squares(solve(some, its, lengths, noise).leftOut);
    if (error < best.error * 0.999) best = { lengths, noise, error };
  };
  for (const noise of noises)
    for (const start of starts)
      attempt(
        Array.from({ length: axes }, () => start),
        noise,
      );
  for (let round = 0; round < 2; round++)
    for (let j = 0; j < axes; j++)
      for (const by of [0.5, 2])
        attempt(
          best.lengths.map((l, i) => (i === j ? Math.min(far, l * by) : l)),
          best.noise,
        );
  for (const by of [0.4, 2.5]) attempt([...best.lengths], best.noise * by);
  const { weights, leftOut } = solve(points, values, best.lengths, best.noise);
  return { fit: { lengths: best.lengths, points, weights }, leftOut };
}
