/** Owns low-rank approximation: the nearest product of two thin matrices (Eckart and Young 1936), for factorised layers and blocks. */
import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';

export interface LowRank {
  /** [rows, rank], row-major: left singular vectors times the square roots of the singular values. */
  readonly left: Float64Array;
  /** [rank, columns], row-major: the same of the right. */
  readonly right: Float64Array;
  readonly rank: number;
  /** All singular values, largest first. */
  readonly singular: Float64Array;
}

/** Above this, the short side's Gram matrix is decomposed: its cost grows with the short side alone. */
const directLimit = 96;

interface Factors {
  /** [rows, n] and [columns, n], n the short side. */
  readonly u: Matrix;
  readonly v: Matrix;
  readonly s: readonly number[];
}

function direct(a: Matrix): Factors {
  const svd = new SingularValueDecomposition(a, { autoTranspose: true });
  return { u: svd.leftSingularVectors, v: svd.rightSingularVectors, s: svd.diagonal };
}

/** A is m x n, n <= m: A^T A = V S^2 V^T, and U = A V / S. Small singular values lose half their digits: weights are float32. */
function throughGram(a: Matrix): Factors {
  const evd = new EigenvalueDecomposition(a.transpose().mmul(a), { assumeSymmetric: true });
  const order = evd.realEigenvalues
    .map((_, k) => k)
    .sort((p, q) => (evd.realEigenvalues[q] ?? 0) - (evd.realEigenvalues[p] ?? 0));
  const s = order.map((k) => Math.sqrt(Math.max(0, evd.realEigenvalues[k] ?? 0)));
  const v = evd.eigenvectorMatrix.subMatrixColumn(order);
  const u = a.mmul(v);
  for (const [k, value] of s.entries()) u.mulColumn(k, value > 0 ? 1 / value : 0);
  return { u, v, s };
}

function factors(a: Matrix): Factors {
  const short = Math.min(a.rows, a.columns);
  if (short <= directLimit) return direct(a);
  if (a.columns <= a.rows) return throughGram(a);
  const { u, v, s } = throughGram(a.transpose());
  return { u: v, v: u, s };
}

/**
 * The nearest matrix of at most `rank` to `values` [rows, columns] (row-major), as left x right. Rank above the short side is cut.
 * Non-finite numbers count as 0.
 */
export function lowRank(values: ArrayLike<number>, rows: number, columns: number, rank: number): LowRank {
  const a = new Matrix(rows, columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const x = values[i * columns + j] ?? 0;
      a.set(i, j, Number.isFinite(x) ? x : 0);
    }
  const { u, v, s } = factors(a);
  const kept = Math.max(1, Math.min(rank, s.length));
  const left = new Float64Array(rows * kept);
  const right = new Float64Array(kept * columns);
  for (let k = 0; k < kept; k++) {
    const root = Math.sqrt(s[k] ?? 0);
    for (let i = 0; i < rows; i++) left[i * kept + k] = u.get(i, k) * root;
    for (let j = 0; j < columns; j++) right[k * columns + j] = v.get(j, k) * root;
  }
  return { left, right, rank: kept, singular: Float64Array.from(s) };
}

/** left [rows, rank] times right [rank, columns]. */
export function product(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  rows: number,
  rank: number,
  columns: number,
): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < rank; k++) {
      const x = left[i * rank + k] ?? 0;
      if (x === 0) continue;
      for (let j = 0; j < columns; j++)
        out[i * columns + j] = (out[i * columns + j] ?? 0) + x * (right[k * columns + j] ?? 0);
    }
  return out;
}

/** ||a - b|| / ||a|| (Frobenius); 0 where both are zero. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let noise = 0;
  let signal = 0;
  for (let k = 0; k < a.length; k++) {
    const x = a[k] ?? 0;
    noise += (x - (b[k] ?? 0)) ** 2;
    signal += x * x;
  }
  return signal === 0 ? (noise === 0 ? 0 : Number.POSITIVE_INFINITY) : Math.sqrt(noise / signal);
}
