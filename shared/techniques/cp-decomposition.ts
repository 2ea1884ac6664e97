/**
 * Owns cpFactors: a tensor of four axes as a sum of outer products, by alternating least squares (Kolda and Bader 2009, section 3.4),
 * with a small ridge so that components do not grow against each other.
 */
import { solveDefinite } from '../analysis/least-squares.ts';

import type { Rng } from '../base/random.ts';
import { squaredNorm } from './spectrum.ts';

export type Four = readonly [number, number, number, number];

export interface CpFactors {
  /** Per axis [size, rank], all components of even length. */
  readonly modes: readonly [Float64Array, Float64Array, Float64Array, Float64Array];
  /** Relative Frobenius error. */
  readonly error: number;
}

type Modes = [Float64Array, Float64Array, Float64Array, Float64Array];

/** Sum over all other axes of the tensor times the other factors: [size of the axis, rank]. */
function contracted(tensor: Float64Array, dims: Four, modes: Modes, axis: 0 | 1 | 2 | 3, rank: number): Float64Array {
  const [a, b, c, d] = dims;
  const out = new Float64Array(dims[axis] * rank);
  const weight = new Float64Array(rank);
  for (let at = 0, i = 0; i < a; i++)
    for (let j = 0; j < b; j++)
      for (let k = 0; k < c; k++)
        for (let l = 0; l < d; l++, at++) {
          const v = tensor[at] ?? 0;
          if (v === 0) continue;
          const index = [i, j, k, l];
          weight.fill(v);
          for (let m = 0; m < 4; m++) {
            if (m === axis) continue;
            const row = (index[m] ?? 0) * rank;
            const mode = modes[m as 0 | 1 | 2 | 3];
            for (let r = 0; r < rank; r++) weight[r] = (weight[r] ?? 0) * (mode[row + r] ?? 0);
          }
          const to = (index[axis] ?? 0) * rank;
          for (let r = 0; r < rank; r++) out[to + r] = (out[to + r] ?? 0) + (weight[r] ?? 0);
        }
  return out;
}

/** Elementwise product of the factors' Gram matrices but one's: [rank, rank]. */
function otherGrams(modes: Modes, axis: number, rank: number): Float64Array {
  const out = new Float64Array(rank * rank).fill(1);
  modes.forEach((mode, m) => {
    if (m === axis) return;
    for (let p = 0; p < rank; p++)
      for (let q = 0; q < rank; q++) {
        let sum = 0;
        for (let i = 0; i < mode.length; i += rank) sum += (mode[i + p] ?? 0) * (mode[i + q] ?? 0);
        out[p * rank + q] = (out[p * rank + q] ?? 0) * sum;
      }
  });
  return out;
}

function turned(data: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c] ?? 0;
  return out;
}

/** Every component's length shared evenly between its four factors. */
function evened(modes: Modes, rank: number): void {
  for (let r = 0; r < rank; r++) {
    const lengths = modes.map((mode) => {
      let sum = 0;
      for (let i = r; i < mode.length; i += rank) sum += (mode[i] ?? 0) ** 2;
      return Math.sqrt(sum);
    });
    const even = lengths.reduce((a, b) => a * b, 1) ** 0.25;
    modes.forEach((mode, m) => {
      const length = lengths[m] ?? 0;
      if (length > 0) for (let i = r; i < mode.length; i += rank) mode[i] = ((mode[i] ?? 0) * even) / length;
    });
  }
}

/** The error falls with every sweep; it ends where a sweep gains less than a thousandth of what is left, or after 60. */
export function cpFactors(tensor: Float64Array, dims: Four, rank: number, random: Rng): CpFactors {
  const modes = dims.map((n) => Float64Array.from({ length: n * rank }, () => random.normal())) as Modes;
  evened(modes, rank);
  const total = squaredNorm(tensor);
  let error = 1;
  for (let sweep = 0; sweep < 60 && total > 0; sweep++) {
    let inner = 0;
    let squared = 0;
    for (const axis of [0, 1, 2, 3] as const) {
      const rhs = contracted(tensor, dims, modes, axis, rank);
      const gram = otherGrams(modes, axis, rank);
      let mean = 0;
      for (let r = 0; r < rank; r++) mean += (gram[r * rank + r] ?? 0) / rank;
      const damped = gram.slice();
      for (let r = 0; r < rank; r++) damped[r * rank + r] = (damped[r * rank + r] ?? 0) + 1e-9 * mean;
      const n = dims[axis];
      const rows = solveDefinite(damped, rank, turned(rhs, n, rank), n);
      if (rows === undefined) break;
      const solved = turned(rows, rank, n);
      modes[axis] = solved;
      if (axis < 3) continue;
      // |W - M|^2 = |W|^2 - 2 <W, M> + |M|^2, both from what the last axis has at hand.
      inner = solved.reduce((s, v, i) => s + v * (rhs[i] ?? 0), 0);
      const own = otherGrams([solved, modes[0], modes[1], modes[2]] as Modes, 0, rank);
      for (let p = 0; p < rank; p++)
        for (let q = 0; q < rank; q++) {
          let sum = 0;
          for (let i = 0; i < solved.length; i += rank) sum += (solved[i + p] ?? 0) * (solved[i + q] ?? 0);
          squared += (own[p * rank + q] ?? 0) * sum;
        }
    }
    const now = Math.sqrt(Math.max(0, (total - 2 * inner + squared) / total));
    const gain = error - now;
    error = now;
    if (sweep > 4 && gain < 1e-3 * now) break;
  }
  evened(modes, rank);
  return { modes, error };
}
