/**
 * Owns magnitude selection: which elements of weights are smallest, to the exact count, in linear time. The bits of a
 * non-negative float32, read as an unsigned integer, order like the float (NaN last), so two histogram passes find the
 * threshold.
 */
import type { Tensor } from '../ir/tensor.ts';
import { toFloat32 } from '../ir/values.ts';
import type { MagnitudeSummary } from './declare.ts';

/** Elements with smaller key go, then `ties` of those equal, lowest index first. */
export interface Threshold {
  readonly key: number;
  readonly ties: number;
}

/** The bits of |x| for every number. */
function keysOfValues(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return bits.map((b) => b & 0x7fffffff);
}
const keysOf = (tensor: Tensor): Uint32Array => keysOfValues(toFloat32(tensor));

/** Bucket in which the element of this rank lies, and how many lie below that bucket. */
function bucketOf(histogram: Uint32Array, rank: number): { readonly bucket: number; readonly below: number } {
  let below = 0;
  for (let bucket = 0; bucket < histogram.length; bucket++) {
    const n = histogram[bucket] ?? 0;
    if (below + n > rank) return { bucket, below };
    below += n;
  }
  return { bucket: histogram.length, below };
}

/** The threshold that removes exactly `count` elements of all the tensors together. */
export const thresholdOf = (tensors: readonly Tensor[], count: number): Threshold =>
  thresholdOfKeys(tensors.map(keysOf), count);

function thresholdOfKeys(all: readonly Uint32Array[], count: number): Threshold {
  if (count <= 0) return { key: 0, ties: 0 };
  const high = new Uint32Array(1 << 15);
  for (const keys of all) for (const k of keys) high[k >>> 16] = (high[k >>> 16] ?? 0) + 1;
  const top = bucketOf(high, count - 1);
  const low = new Uint32Array(1 << 16);
  for (const keys of all)
    for (const k of keys) if (k >>> 16 === top.bucket) low[k & 0xffff] = (low[k & 0xffff] ?? 0) + 1;
  const rest = bucketOf(low, count - 1 - top.below);
  return { key: top.bucket * 65536 + rest.bucket, ties: count - top.below - rest.below };
}

/** Per tensor, how many of its elements a shared threshold removes; ties go in the order of the tensors. */
export const removedCounts = (tensors: readonly Tensor[], threshold: Threshold): readonly number[] =>
  removedOfKeys(tensors.map(keysOf), threshold);

function removedOfKeys(all: readonly Uint32Array[], threshold: Threshold): readonly number[] {
  let ties = threshold.ties;
  return all.map((keys) => {
    let below = 0;
    let equal = 0;
    for (const k of keys) {
      if (k < threshold.key) below++;
      else if (k === threshold.key) equal++;
    }
    const taken = Math.min(equal, ties);
    ties -= taken;
    return below + taken;
  });
}

/** Per list of scores, how many of its elements are among the `count` smallest of all. */
export function countsByScores(scores: readonly Float32Array[], count: number): readonly number[] {
  const keys = scores.map(keysOfValues);
  return removedOfKeys(keys, thresholdOfKeys(keys, count));
}

/** 1 where an element stays: all but the `count` smallest by magnitude, ties by index. */
export const keptMask = (tensor: Tensor, count: number): Uint8Array => keptByScores(toFloat32(tensor), count);

/** The same by the size of scores. */
export function keptByScores(scores: Float32Array, count: number): Uint8Array {
  const keys = keysOfValues(scores);
  const { key, ties } = thresholdOfKeys([keys], count);
  let left = ties;
  return Uint8Array.from(keys, (k) => {
    if (k > key) return 1;
    if (k < key) return 0;
    if (left === 0) return 1;
    left--;
    return 0;
  });
}

/** Share of elements with magnitude at most `t`, from quantiles, linear between them. */
function shareBelow(quantiles: readonly number[], t: number): number {
  const n = quantiles.length - 1;
  if (n < 1 || t < (quantiles[0] ?? 0)) return 0;
  let lo = 0;
  let hi = n;
  while (hi - lo > 1) {
    const mid = (lo + hi) >> 1;
    if ((quantiles[mid] ?? 0) <= t) lo = mid;
    else hi = mid;
  }
  const [a, b] = [quantiles[lo] ?? 0, quantiles[hi] ?? 0];
  if (t >= b) return hi / n;
  return (lo + (b > a ? (t - a) / (b - a) : 0)) / n;
}

/** Estimated counts per tensor that remove `count` in all, from their summaries. Sums to `count` exactly. */
export function estimatedCounts(summaries: readonly MagnitudeSummary[], count: number): readonly number[] {
  let lo = 0;
  let hi = summaries.reduce((m, s) => Math.max(m, s.quantiles.at(-1) ?? 0), 0);
  const at = (t: number): number[] => summaries.map((s) => s.count * shareBelow(s.quantiles, t));
  for (let i = 0; i < 60; i++) {
    const mid = (lo + hi) / 2;
    if (at(mid).reduce((a, b) => a + b, 0) < count) lo = mid;
    else hi = mid;
  }
  const exact = at(hi);
  const out = exact.map((x) => Math.floor(x));
  let left = count - out.reduce((a, b) => a + b, 0);
  for (let i = 0; left !== 0 && i < out.length; i++) {
    const step = left > 0 ? Math.min(left, (summaries[i]?.count ?? 0) - (out[i] ?? 0)) : -Math.min(-left, out[i] ?? 0);
    out[i] = (out[i] ?? 0) + step;
    left -= step;
  }
  return out;
}
