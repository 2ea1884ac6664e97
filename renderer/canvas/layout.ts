/**
 * Owns layout: layers by longest path, order by barycentres, coordinates by isotonic regression (Sugiyama, Tagawa and
 * Toda 1981 in outline). Linear passes over typed arrays, no recursion: 10,000 nodes take well under a second.
 */

export interface LayoutInput {
  /** Width and height of node i at 2 i and 2 i + 1. */
  readonly sizes: Float64Array;
  /** Source and target of edge e at 2 e and 2 e + 1. */
  readonly edges: Int32Array;
}

export interface LayoutResult {
  /** Top left corner of node i at 2 i and 2 i + 1. */
  readonly corners: Float64Array;
  /** Way points of edge e, from under its source to above its target: `points` from offsets[e] to offsets[e + 1]. */
  readonly offsets: Int32Array;
  readonly points: Float64Array;
  readonly layerOf: Int32Array;
}

const layerGap = 46;
const nodeGap = 36;
const laneGap = 18;
/** Way points allowed per node, in all; the longest edges go without them. */
const lanesPerNode = 6;

/** Longest path from the sources; sources with one level of slack come down to their first reader. */
function layers(n: number, edges: Int32Array, out: readonly number[][]): Int32Array {
  const waiting = new Int32Array(n);
  const count = edges.length / 2;
  for (let e = 0; e < count; e++) {
    const t = edges[2 * e + 1] ?? 0;
    waiting[t] = (waiting[t] ?? 0) + 1;
  }
  const isSource = Array.from(waiting, (w) => w === 0);
  const layer = new Int32Array(n);
  const queue: number[] = [];
  for (let i = 0; i < n; i++) if (waiting[i] === 0) queue.push(i);
  for (let head = 0; head < queue.length; head++) {
    const i = queue[head] ?? 0;
    for (const e of out[i] ?? []) {
      const t = edges[2 * e + 1] ?? 0;
      layer[t] = Math.max(layer[t] ?? 0, (layer[i] ?? 0) + 1);
      const left = (waiting[t] ?? 0) - 1;
      waiting[t] = left;
      if (left === 0) queue.push(t);
    }
  }
  for (let i = 0; i < n; i++) {
    const mine = out[i] ?? [];
    if (!isSource[i] || mine.length === 0) continue;
    let first = Number.POSITIVE_INFINITY;
    for (const e of mine) first = Math.min(first, layer[edges[2 * e + 1] ?? 0] ?? 0);
    layer[i] = Math.max(0, first - 1);
  }
  return layer;
}

interface Ranked {
  /** Item ids per layer: below n a node, from n on a lane (a way point of a long edge). */
  readonly rows: number[][];
  readonly up: number[][];
  readonly down: number[][];
  /** First lane of edge e, -1 for none; the others follow it. */
  readonly firstLane: Int32Array;
  readonly items: number;
}

/** Puts a lane on every layer that an edge passes, shortest edges first while the budget lasts. */
function rank(n: number, edges: Int32Array, layer: Int32Array): Ranked {
  const count = edges.length / 2;
  const depth = layer.reduce((a, b) => Math.max(a, b), 0) + 1;
  const rows: number[][] = Array.from({ length: depth }, () => []);
  for (let i = 0; i < n; i++) rows[layer[i] ?? 0]?.push(i);
  const up: number[][] = Array.from({ length: n }, () => []);
  const down: number[][] = Array.from({ length: n }, () => []);
  const firstLane = new Int32Array(count).fill(-1);
  const span = (e: number): number => (layer[edges[2 * e + 1] ?? 0] ?? 0) - (layer[edges[2 * e] ?? 0] ?? 0);
  const byLength = Array.from({ length: count }, (_, e) => e).sort((a, b) => span(a) - span(b) || a - b);
  let next = n;
  let budget = lanesPerNode * n + 64;
  const join = (a: number, b: number): void => {
    down[a]?.push(b);
    up[b]?.push(a);
  };
  for (const e of byLength) {
    const s = edges[2 * e] ?? 0;
    const t = edges[2 * e + 1] ?? 0;
    const lanes = span(e) - 1;
    if (lanes > budget) continue;
    budget -= lanes;
    if (lanes > 0) firstLane[e] = next;
    let last = s;
    for (let k = 0; k < lanes; k++) {
      up.push([]);
      down.push([]);
      rows[(layer[s] ?? 0) + 1 + k]?.push(next);
      join(last, next);
      last = next++;
    }
    join(last, t);
  }
  return { rows, up, down, firstLane, items: next };
}

/** Barycentre sweeps: each row sorted by the mean place of its neighbours in the row before it. */
function order(r: Ranked, n: number): Float64Array {
  const place = new Float64Array(r.items);
  const settle = (row: number[]): void => {
    row.forEach((i, k) => {
      place[i] = k - (row.length - 1) / 2;
    });
  };
  r.rows.forEach(settle);
  const mean = new Float64Array(r.items);
  const sweep = (row: number[], near: number[][]): void => {
    if (row.length < 2) return;
    for (const i of row) {
      const list = near[i] ?? [];
      let sum = 0;
      for (const j of list) sum += place[j] ?? 0;
      mean[i] = list.length === 0 ? (place[i] ?? 0) : sum / list.length;
    }
    // a lane goes right of the node it ties with, so that a trunk stays left and its shortcuts run beside it
    row.sort((a, b) => (mean[a] ?? 0) - (mean[b] ?? 0) || Number(a >= n) - Number(b >= n) || a - b);
    settle(row);
  };
  for (let round = 0; round < 3; round++) {
    for (let l = 1; l < r.rows.length; l++) sweep(r.rows[l] ?? [], r.up);
    for (let l = r.rows.length - 2; l >= 0; l--) sweep(r.rows[l] ?? [], r.down);
  }
  for (let l = 1; l < r.rows.length; l++) sweep(r.rows[l] ?? [], r.up);
  return place;
}

/**
 * Centres nearest (least squares) to `wanted` under least distances between neighbours: pool adjacent violators
 * (Ayer et al. 1955) on the coordinates less the summed distances.
 */
function separated(wanted: readonly number[], weight: readonly number[], distance: readonly number[]): number[] {
  const means: number[] = [];
  const weights: number[] = [];
  const sizes: number[] = [];
  let shift = 0;
  const shifts: number[] = [];
  for (let i = 0; i < wanted.length; i++) {
    if (i > 0) shift += distance[i - 1] ?? 0;
    shifts.push(shift);
    means.push((wanted[i] ?? 0) - shift);
    weights.push(weight[i] ?? 1);
    sizes.push(1);
    for (let k = means.length - 1; k > 0 && (means[k - 1] ?? 0) > (means[k] ?? 0); k--) {
      const w = (weights[k - 1] ?? 0) + (weights[k] ?? 0);
      means[k - 1] = ((means[k - 1] ?? 0) * (weights[k - 1] ?? 0) + (means[k] ?? 0) * (weights[k] ?? 0)) / w;
      weights[k - 1] = w;
      sizes[k - 1] = (sizes[k - 1] ?? 0) + (sizes[k] ?? 0);
      means.pop();
      weights.pop();
      sizes.pop();
    }
  }
  const out: number[] = [];
  means.forEach((m, k) => {
    for (let j = 0; j < (sizes[k] ?? 0); j++) out.push(m + (shifts[out.length] ?? 0));
  });
  return out;
}

/** Centre x of every item, by sweeps that pull each row to its neighbours. */
function across(r: Ranked, n: number, sizes: Float64Array): Float64Array {
  const x = new Float64Array(r.items);
  const half = (i: number): number => (i < n ? (sizes[2 * i] ?? 0) / 2 : 0);
  const distances = r.rows.map((row) =>
    row.slice(1).map((b, k) => {
      const a = row[k] ?? 0;
      return half(a) + half(b) + (a < n && b < n ? nodeGap : laneGap);
    }),
  );
  r.rows.forEach((row, l) => {
    const gaps = distances[l] ?? [];
    let at = -gaps.reduce((s, g) => s + g, 0) / 2;
    row.forEach((i, k) => {
      x[i] = at;
      at += gaps[k] ?? 0;
    });
  });
  // a node follows nodes, and lanes only where it has nothing else, so that a trunk stays straight beside its shortcuts
  const pull = (i: number, j: number): number => (i >= n && j >= n ? 6 : i < n && j < n ? 2 : i < n ? 0.01 : 0.5);
  const sweep = (l: number, sides: readonly number[][][]): void => {
    const row = r.rows[l] ?? [];
    const weights: number[] = [];
    const wanted = row.map((i) => {
      let sum = 0;
      let total = 0;
      for (const near of sides)
        for (const j of near[i] ?? []) {
          const p = pull(i, j);
          sum += p * (x[j] ?? 0);
          total += p;
        }
      // lanes give way to nodes, else every shortcut would push its trunk aside a little
      weights.push(i >= n ? 0.02 : total === 0 ? 0.1 : 12);
      return total === 0 ? (x[i] ?? 0) : sum / total;
    });
    separated(wanted, weights, distances[l] ?? []).forEach((v, k) => {
      x[row[k] ?? 0] = v;
    });
  };
  const rounds = n < 3000 ? 12 : 4;
  for (let round = 0; round < rounds; round++) {
    for (let l = 1; l < r.rows.length; l++) sweep(l, [r.up]);
    for (let l = r.rows.length - 2; l >= 0; l--) sweep(l, [r.down]);
  }
  for (let l = 0; l < r.rows.length; l++) sweep(l, [r.up, r.down]);
  return x;
}

export function layout({ sizes, edges }: LayoutInput): LayoutResult {
  const n = sizes.length / 2;
  const count = edges.length / 2;
  const out: number[][] = Array.from({ length: n }, () => []);
  for (let e = 0; e < count; e++) out[edges[2 * e] ?? 0]?.push(e);
  const layer = layers(n, edges, out);
  const r = rank(n, edges, layer);
  order(r, n);
  const x = across(r, n, sizes);

  const top = new Float64Array(r.rows.length);
  const height = new Float64Array(r.rows.length);
  let y = 0;
  r.rows.forEach((row, l) => {
    const h = row.reduce((m, i) => (i < n ? Math.max(m, sizes[2 * i + 1] ?? 0) : m), 0);
    top[l] = y;
    height[l] = h;
    y += h + layerGap;
  });
  const left = x.reduce((m, v, i) => Math.min(m, v - (i < n ? (sizes[2 * i] ?? 0) / 2 : 0)), Number.POSITIVE_INFINITY);

  const corners = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const l = layer[i] ?? 0;
    corners[2 * i] = Math.round((x[i] ?? 0) - (sizes[2 * i] ?? 0) / 2 - left);
    corners[2 * i + 1] = (top[l] ?? 0) + ((height[l] ?? 0) - (sizes[2 * i + 1] ?? 0)) / 2;
  }
  const offsets = new Int32Array(count + 1);
  const points: number[] = [];
  for (let e = 0; e < count; e++) {
    const s = edges[2 * e] ?? 0;
    const t = edges[2 * e + 1] ?? 0;
    const centre = (i: number): number => (corners[2 * i] ?? 0) + (sizes[2 * i] ?? 0) / 2;
    points.push(centre(s), (corners[2 * s + 1] ?? 0) + (sizes[2 * s + 1] ?? 0));
    const first = firstLaneOf(r, e);
    if (first >= 0)
      for (let l = (layer[s] ?? 0) + 1; l < (layer[t] ?? 0); l++) {
        const lane = Math.round((x[first + l - (layer[s] ?? 0) - 1] ?? 0) - left);
        points.push(lane, top[l] ?? 0, lane, (top[l] ?? 0) + (height[l] ?? 0));
      }
    points.push(centre(t), corners[2 * t + 1] ?? 0);
    offsets[e + 1] = points.length;
  }
  return { corners, offsets, points: Float64Array.from(points), layerOf: layer };
}

const firstLaneOf = (r: Ranked, e: number): number => r.firstLane[e] ?? -1;
