/**
 * Owns the numbers of 8-bit and 4-bit quantization: scales, zero points, rounding (Jacob et al. 2018, eq. 1: r = S (q - Z)).
 */
import type { ElementType } from '../ir/element-type.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { packNumbers, roundEven, toNumbers } from '../ir/values.ts';
import type { Range } from './declare.ts';

export interface Grid {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The scale as float32 holds it, never 0 or infinite: a range without width gets 1 (S20). */
export const usableScale = (scale: number): number => {
  const rounded = Math.fround(scale);
  return Number.isFinite(rounded) && rounded > 1e-30 ? rounded : 1;
};

/**
 * The grid of an activation, with 0 on it exactly: levels 0..top (255, or 65535 for 16 bits) over [min, max], or around the middle; from
 * 0 where it is never negative.
 */
export function activationGrid(range: Range, symmetric: boolean, nonNegative = false, top = 255): Grid {
  const half = (top - 1) / 2;
  const min = nonNegative ? 0 : Math.min(0, range.min);
  const max = Math.max(0, range.max);
  if (symmetric && !nonNegative) return { scale: usableScale(Math.max(-min, max) / half), zeroPoint: half + 1 };
  const scale = usableScale((max - min) / top);
  return { scale, zeroPoint: Math.min(top, Math.max(0, roundEven(-min / scale))) };
}

/** Largest magnitude per channel (or of all, as one). */
export function channelMaxima(values: Float64Array, channels: number, channelOf: (k: number) => number): Float64Array {
  const out = new Float64Array(channels);
  for (let k = 0; k < values.length; k++) {
    const c = channelOf(k);
    const x = Math.abs(values[k] ?? 0);
    if (x > (out[c] ?? 0)) out[c] = x;
  }
  return out;
}

/** Symmetric scales, levels -top..top. A channel of zeros takes the largest scale of the others, so its bias keeps a fine step. */
export function symmetricScales(maxima: Float64Array, top: number): Float64Array {
  const largest = maxima.reduce((a, b) => Math.max(a, b), 0);
  return maxima.map((m) => usableScale((m > 0 ? m : largest) / top));
}

/** Shares of a group's largest weight that are tried as the end of its grid where levels are few. */
const clips = Array.from({ length: 13 }, (_, k) => 1 - 0.05 * k);

/**
 * Scales of groups of weights: the largest weight on the last level, or below 8 bits, where clipping pays, the end of the grid that
 * gives the least squared error (as OMSE, Choukroun et al. 2019).
 */
export function fittedScales(
  values: Float64Array,
  { groups, groupOf }: { readonly groups: number; groupOf(k: number): number },
  top: number,
): Float64Array {
  const maxima = channelMaxima(values, groups, groupOf);
  const widest = symmetricScales(maxima, top);
  if (top >= 63) return widest;
  const best = widest.slice();
  const least = new Float64Array(groups).fill(Number.POSITIVE_INFINITY);
  for (const clip of clips) {
    const errors = new Float64Array(groups);
    for (let k = 0; k < values.length; k++) {
      const g = groupOf(k);
      const scale = (widest[g] ?? 1) * clip;
      const x = values[k] ?? 0;
      const e = x - scale * Math.min(top, Math.max(-top, roundEven(x / scale)));
      errors[g] = (errors[g] ?? 0) + e * e;
    }
    for (let g = 0; g < groups; g++)
      if ((errors[g] ?? 0) < (least[g] ?? 0)) {
        least[g] = errors[g] ?? 0;
        best[g] = usableScale((widest[g] ?? 1) * clip);
      }
  }
  return best;
}

/** Weights as levels -top..top. */
export const roundedLevels = (values: Float64Array, scaleOf: (k: number) => number, top: number): Float64Array =>
  values.map((x, k) => Math.min(top, Math.max(-top, roundEven(x / scaleOf(k)))));

/** Levels as a stored tensor. */
export const quantizedTensor = (
  name: string,
  type: ElementType,
  dims: readonly number[],
  levels: () => Float64Array,
): Tensor => lazyTensor(name, type, dims, () => packNumbers(type, levels()));

/** A tensor whose numbers are computed when it is baked. */
export const lazyNumbers = (
  name: string,
  type: ElementType,
  dims: readonly number[],
  make: () => ArrayLike<number>,
): Tensor => lazyTensor(name, type, dims, () => packNumbers(type, make()));

/** int8 around 0 as uint8 around 128: the same numbers, for kernels that multiply unsigned by unsigned. */
export const around128 = (t: Tensor): Tensor =>
  lazyTensor(t.name, 'uint8', t.dims, () =>
    packNumbers(
      'uint8',
      toNumbers(t).map((q) => q + 128),
    ),
  );
