/** Owns histograms of activations and the ways to clip them: by percentile, least lost information, least squared error. */
import type { Range } from './ranges.ts';

/** Bins along the whole range: fine enough for 1 in 10,000 and for 128 levels. */
const bins = 2048;
const levels = 128;
/** Share of the values kept. */
const kept = 0.9999;

export class Histogram {
  readonly range: Range;
  readonly counts = new Float64Array(bins);
  /** Of |x|, over [0, larger end]. */
  readonly magnitudes = new Float64Array(bins);

  constructor(range: Range) {
    this.range = range;
  }

  get top(): number {
    return Math.max(Math.abs(this.range.min), Math.abs(this.range.max));
  }

  add(values: ArrayLike<number>): void {
    const { min, max } = this.range;
    const perUnit = bins / Math.max(max - min, Number.MIN_VALUE);
    const perMagnitude = bins / Math.max(this.top, Number.MIN_VALUE);
    for (let i = 0; i < values.length; i++) {
      const v = values[i] ?? 0;
      const a = Math.min(bins - 1, Math.max(0, Math.floor((v - min) * perUnit)));
      const b = Math.min(bins - 1, Math.floor(Math.abs(v) * perMagnitude));
      this.counts[a] = (this.counts[a] ?? 0) + 1;
      this.magnitudes[b] = (this.magnitudes[b] ?? 0) + 1;
    }
  }
}

/** The range that the method keeps; never wider than the histogram's own. */
export function clippedRange(histogram: Histogram, method: 'percentile' | 'entropy' | 'mse'): Range {
  const { min, max } = histogram.range;
  if (!(max > min)) return { min, max };
  if (method === 'percentile') return percentileRange(histogram);
  if (method === 'mse') return mseRange(histogram);
  const limit = (entropyBins(histogram.magnitudes) / bins) * histogram.top;
  return { min: Math.max(min, -limit), max: Math.min(max, limit) };
}

function percentileRange({ counts, range }: Histogram): Range {
  const total = counts.reduce((a, b) => a + b, 0);
  const outside = (total * (1 - kept)) / 2;
  const width = (range.max - range.min) / bins;
  let low = 0;
  for (let sum = counts[0] ?? 0; sum <= outside && low < bins - 1; sum += counts[low] ?? 0) low++;
  let high = bins - 1;
  for (let sum = counts[high] ?? 0; sum <= outside && high > low; sum += counts[high] ?? 0) high--;
  return { min: range.min + low * width, max: range.min + (high + 1) * width };
}

/** Squared error of 256 levels over [low, high]: rounding (a twelfth of a step squared) inside, the distance to the end outside. */
function squaredError({ counts, range }: Histogram, low: number, high: number): number {
  const width = (range.max - range.min) / bins;
  const step = (high - low) / 255;
  const rounding = (step * step) / 12;
  let error = 0;
  for (let i = 0; i < bins; i++) {
    const x = range.min + (i + 0.5) * width;
    const beyond = x > high ? x - high : x < low ? low - x : 0;
    error += (counts[i] ?? 0) * (beyond === 0 ? rounding : beyond * beyond);
  }
  return error;
}

/** The ends of least squared error, zero between them: first both drawn in alike, then each on its own. */
function mseRange(histogram: Histogram): Range {
  const min = Math.min(0, histogram.range.min);
  const max = Math.max(0, histogram.range.max);
  const shares = Array.from({ length: 48 }, (_, k) => 1 - k / 50);
  const best = (pick: (s: number) => readonly [number, number]): number =>
    shares.reduce(
      (found, s) => {
        const error = squaredError(histogram, ...pick(s));
        return error < found.error ? { s, error } : found;
      },
      { s: 1, error: Number.POSITIVE_INFINITY },
    ).s;
  const both = best((s) => [min * s, max * s]);
  const top = best((s) => [min * both, max * s]);
  const bottom = best((s) => [min * s, max * top]);
  return { min: min * bottom, max: max * top };
}

/** How many of the magnitude bins to keep: the count whose 128-level form is nearest to the clipped distribution (KL). */
export function entropyBins(counts: Float64Array): number {
  // The zeros of a Relu would outweigh all else, and any grid holds them exactly: the first bin counts as its neighbour.
  const magnitudes = counts.slice();
  magnitudes[0] = counts[1] ?? 0;
  let best = bins;
  let least = Number.POSITIVE_INFINITY;
  for (let keep = levels; keep <= bins; keep += 8) {
    const loss = divergence(magnitudes, keep);
    if (loss < least) {
      least = loss;
      best = keep;
    }
  }
  return best;
}

function divergence(magnitudes: Float64Array, keep: number): number {
  const reference = magnitudes.slice(0, keep);
  let outliers = 0;
  for (let i = keep; i < magnitudes.length; i++) outliers += magnitudes[i] ?? 0;
  const inside = reference.reduce((a, b) => a + b, 0);
  if (inside === 0) return Number.POSITIVE_INFINITY;
  reference[keep - 1] = (reference[keep - 1] ?? 0) + outliers;
  const candidate = new Float64Array(keep);
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * keep) / levels);
    const to = Math.floor(((level + 1) * keep) / levels);
    let sum = 0;
    let used = 0;
    for (let i = from; i < to; i++) {
      sum += magnitudes[i] ?? 0;
      if ((reference[i] ?? 0) > 0) used++;
    }
    for (let i = from; i < to; i++) if ((reference[i] ?? 0) > 0) candidate[i] = sum / used;
  }
  const total = inside + outliers;
  let loss = 0;
  for (let i = 0; i < keep; i++) {
    const p = (reference[i] ?? 0) / total;
    if (p > 0) loss += p * Math.log(p / Math.max((candidate[i] ?? 0) / inside, 1e-12));
  }
  return loss;
}
