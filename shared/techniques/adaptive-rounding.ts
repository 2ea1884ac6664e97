/**
 * Owns adaptive rounding of the weights of one layer (Nagel et al. 2020): each weight goes to the level below it or above it, whichever
 * keeps what the layer gives on sampled rows, where rounding to the nearest looks at each weight alone.
 */
import { gram } from '../analysis/least-squares.ts';

/** The weights that one output sums over, next to the inputs that they meet. */
export interface RoundingRows {
  readonly rows: number;
  /** [rows, stride] */
  readonly inputs: ArrayLike<number>;
  readonly stride: number;
  /** Outputs that read the same `columns` inputs from column `offset` on (a group of a convolution). */
  readonly offset: number;
  readonly columns: number;
  readonly width: number;
}

/** Of output o and column i of the group: the weight, its scale, and where its level goes. */
export interface RoundingWeights {
  weight(o: number, i: number): number;
  scale(o: number, i: number): number;
  /** Levels run from -top to top. */
  readonly top: number;
}

/** Columns that are settled together: their Gram matrix is held, [columns, columns]. */
const most = 512;
const passes = 12;
/** Weight on |w - w'|^2 in units of the mean input power: directions that the rows never show are rounded to the nearest. */
const ridge = 0.01;

const levelAt = (x: number, top: number): number => Math.min(top, Math.max(-top, x));

export interface AdaptiveLevels {
  /** [width, columns] */
  readonly levels: Float64Array;
  /** Squared errors of the outputs over all rows, with the nearest levels and with these. */
  readonly before: number;
  readonly after: number;
}

/**
 * Levels that leave a small squared error of the outputs on the rows (the layer's own task, a quadratic binary problem for each
 * output), found by turning single weights between floor and ceil as long as that lowers it. The paper relaxes the choice to a
 * rectified sigmoid instead; on rows that neither had seen, single turns left 0.3 of the nearest's error where 1,000 steps of the
 * sigmoid left 0.4, in a twentieth of the time (ResNet-8 and LeNet-5 on digits, 3 and 4 bits).
 */
export function adaptiveLevels(r: RoundingRows, w: RoundingWeights): AdaptiveLevels {
  const { rows, columns, width } = r;
  const levels = new Float64Array(width * columns);
  const other = new Float64Array(width * columns);
  for (let o = 0; o < width; o++)
    for (let i = 0; i < columns; i++) {
      const x = w.weight(o, i) / w.scale(o, i);
      const low = levelAt(Math.floor(x), w.top);
      const high = levelAt(Math.ceil(x), w.top);
      const up = Math.abs(high - x) < Math.abs(x - low);
      levels[o * columns + i] = up ? high : low;
      other[o * columns + i] = up ? low : high;
    }
  // What is left of each output's error, [width, rows].
  const residual = new Float32Array(width * rows);
  const blocks = Math.ceil(columns / most);
  for (let b = 0; b < blocks; b++) {
    const from = b * most;
    addErrors(r, w, levels, from, Math.min(columns, from + most), residual);
  }
  const before = powerOf(residual);
  for (let b = 0; b < blocks; b++) settle(r, w, levels, other, b * most, Math.min(columns, (b + 1) * most), residual);
  return { levels, before, after: powerOf(residual) };
}

const powerOf = (residual: Float32Array): number => residual.reduce((sum, e) => sum + e * e, 0);

/** [n, rows] of the block's inputs, so that a column lies together. */
function turned(r: RoundingRows, from: number, to: number): Float32Array {
  const out = new Float32Array((to - from) * r.rows);
  for (let k = 0; k < r.rows; k++)
    for (let i = from; i < to; i++) out[(i - from) * r.rows + k] = r.inputs[k * r.stride + r.offset + i] ?? 0;
  return out;
}

function addErrors(
  r: RoundingRows,
  w: RoundingWeights,
  levels: Float64Array,
  from: number,
  to: number,
  residual: Float32Array,
): void {
  const x = turned(r, from, to);
  for (let o = 0; o < r.width; o++)
    for (let i = from; i < to; i++) {
      const d = (levels[o * r.columns + i] ?? 0) * w.scale(o, i) - w.weight(o, i);
      if (d !== 0) addScaled(residual, o * r.rows, x, (i - from) * r.rows, r.rows, d);
    }
}

function addScaled(to: Float32Array, at: number, x: Float32Array, start: number, n: number, by: number): void {
  for (let k = 0; k < n; k++) to[at + k] = (to[at + k] ?? 0) + by * (x[start + k] ?? 0);
}

/** Turns the weights of one block of columns until no single one helps; `levels` and `residual` follow. */
function settle(
  r: RoundingRows,
  w: RoundingWeights,
  levels: Float64Array,
  other: Float64Array,
  from: number,
  to: number,
  residual: Float32Array,
): void {
  const n = to - from;
  const x = turned(r, from, to);
  const block = new Float32Array(n * r.rows);
  for (let i = 0; i < n; i++) for (let k = 0; k < r.rows; k++) block[k * n + i] = x[i * r.rows + k] ?? 0;
  const h = gram(block, r.rows, n);
  let power = 0;
  for (let i = 0; i < n; i++) power += (h[i * n + i] ?? 0) / n;
  const pull = ridge * power;
  const g = new Float64Array(n);
  for (let o = 0; o < r.width; o++) {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = 0; k < r.rows; k++) sum += (x[i * r.rows + k] ?? 0) * (residual[o * r.rows + k] ?? 0);
      g[i] = sum;
    }
    const at = o * r.columns + from;
    for (let pass = 0, turns = 1; pass < passes && turns > 0; pass++) {
      turns = 0;
      for (let i = 0; i < n; i++) {
        const now = levels[at + i] ?? 0;
        const then = other[at + i] ?? 0;
        if (now === then) continue;
        const scale = w.scale(o, from + i);
        const weight = w.weight(o, from + i);
        const step = (then - now) * scale;
        const was = now * scale - weight;
        const gain =
          2 * step * (g[i] ?? 0) + step * step * (h[i * n + i] ?? 0) + pull * ((was + step) ** 2 - was * was);
        if (!(gain < -1e-12 * power * step * step)) continue;
        levels[at + i] = then;
        other[at + i] = now;
        turns++;
        for (let j = 0; j < n; j++) g[j] = (g[j] ?? 0) + step * (h[i * n + j] ?? 0);
        addScaled(residual, o * r.rows, x, i * r.rows, r.rows, step);
      }
    }
  }
}
