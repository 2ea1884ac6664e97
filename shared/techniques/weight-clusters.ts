/**
 * Owns clusterWeights: k-means of the numbers of one tensor (Han et al. 2016, section 3). Exact zeros, where there are any, are
 * a cluster of their own, so that what was pruned stays pruned.
 */
import type { Rng } from '../base/random.ts';

/** How the first centroids are chosen (Han et al. 2016, section 3.2). */
export type ClusterStart = 'linear' | 'density' | 'random';

export interface Clusters {
  /** `count` centroids, ascending; those that no number needs repeat the last. */
  readonly codebook: Float64Array;
  /** Index into the codebook, one per number. */
  readonly indices: Uint8Array;
}

const rounds = 200;

/** First index at which the ascending `sorted` exceeds `x`. */
function upperBound(sorted: Float64Array, x: number): number {
  let lo = 0;
  let hi = sorted.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if ((sorted[mid] ?? 0) <= x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/** First centroids, ascending. `sorted` is not empty. */
function starts(sorted: Float64Array, count: number, start: ClusterStart, random: Rng): Float64Array {
  const low = sorted[0] ?? 0;
  const high = sorted.at(-1) ?? 0;
  const share = (k: number): number => (count === 1 ? 0.5 : k / (count - 1));
  const at = (s: number): number => sorted[Math.min(sorted.length - 1, Math.floor(s * sorted.length))] ?? 0;
  if (start === 'linear') return Float64Array.from({ length: count }, (_, k) => low + (high - low) * share(k));
  if (start === 'density') return Float64Array.from({ length: count }, (_, k) => at((k + 0.5) / count));
  return Float64Array.from({ length: count }, () => at(random.next())).sort();
}

/** Upper ends of the clusters but the last: halfway between neighbouring centroids. */
const bordersOf = (centroids: Float64Array): Float64Array =>
  Float64Array.from({ length: centroids.length - 1 }, (_, k) => ((centroids[k] ?? 0) + (centroids[k + 1] ?? 0)) / 2);

/** Lloyd's rounds on sorted numbers, each by prefix sums in O(count log n), until nothing moves. */
function lloyd(sorted: Float64Array, first: Float64Array): Float64Array {
  const sums = new Float64Array(sorted.length + 1);
  for (let i = 0; i < sorted.length; i++) sums[i + 1] = (sums[i] ?? 0) + (sorted[i] ?? 0);
  let centroids = first;
  for (let round = 0; round < rounds; round++) {
    const borders = bordersOf(centroids);
    let from = 0;
    let moved = false;
    const next = centroids.map((was, k) => {
      const to = k === borders.length ? sorted.length : upperBound(sorted, borders[k] ?? 0);
      // A cluster that nothing is nearest to stays where it is.
      const mean = ((sums[to] ?? 0) - (sums[from] ?? 0)) / (to - from);
      // Rounding of the sums must not carry a mean past its members.
      const now = to > from ? Math.min(Math.max(mean, sorted[from] ?? 0), sorted[to - 1] ?? 0) : was;
      from = to;
      moved ||= now !== was;
      return now;
    });
    centroids = next;
    if (!moved) break;
  }
  return centroids;
}

/**
 * Clusters `values` into at most `count` (1 to 256) centroids. With zeros among the values one centroid is exactly 0 and theirs
 * alone. Numbers that are not finite take no part and fall to the nearest end. The same seed gives the same clusters.
 */
export function clusterWeights(values: ArrayLike<number>, count: number, start: ClusterStart, random: Rng): Clusters {
  const all = values instanceof Float64Array ? values : new Float64Array(values);
  const others = sortedOthers(all);
  const zero = all.includes(0) ? 1 : 0; // also finds -0
  const distinct = distinctUpTo(others, count - zero);
  const free = Math.max(0, count - zero);
  const centroids =
    distinct ??
    (free === 0 || others.length === 0 ? new Float64Array() : lloyd(others, starts(others, free, start, random)));
  const below = centroids.filter((c) => c < 0).length;
  const sorted =
    zero === 1 ? Float64Array.from([...centroids.slice(0, below), 0, ...centroids.slice(below)]) : centroids;
  const codebook = Float64Array.from({ length: count }, (_, k) => sorted[Math.min(k, sorted.length - 1)] ?? 0);
  return { codebook, indices: indicesOf(all, centroids, zero === 1 ? below : undefined) };
}

/** The finite numbers but zero, ascending. Plain loops: a layer has millions of them. */
function sortedOthers(all: Float64Array): Float64Array {
  const kept = new Float64Array(all.length);
  let count = 0;
  for (let i = 0; i < all.length; i++) {
    const v = all[i] ?? 0;
    if (v !== 0 && Number.isFinite(v)) kept[count++] = v;
  }
  return kept.subarray(0, count).sort();
}

/** The distinct numbers themselves where there are at most `count`: nothing is lost then. */
function distinctUpTo(sorted: Float64Array, count: number): Float64Array | undefined {
  const found: number[] = [];
  for (let i = 0; i < sorted.length; i++) {
    const v = sorted[i] ?? 0;
    if (i > 0 && sorted[i - 1] === v) continue;
    if (found.length === count) return undefined;
    found.push(v);
  }
  return Float64Array.from(found);
}

/** The nearest centroid of each number; zeros go to place `zeroAt`, before which and after which the others keep their order. */
function indicesOf(values: Float64Array, centroids: Float64Array, zeroAt: number | undefined): Uint8Array {
  const borders = centroids.length === 0 ? new Float64Array() : bordersOf(centroids);
  const indices = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const v = values[i] ?? 0;
    if (zeroAt !== undefined && (v === 0 || centroids.length === 0)) {
      indices[i] = zeroAt;
      continue;
    }
    let lo = 0;
    let hi = borders.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (v > (borders[mid] ?? 0)) lo = mid + 1;
      else hi = mid;
    }
    indices[i] = zeroAt === undefined || lo < zeroAt ? lo : lo + 1;
  }
  return indices;
}
