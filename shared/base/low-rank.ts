/** Owns low-rank approximation: the nearest product of two thin matrices (Eckart and Young 1936), for factorised layers and blocks. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

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

/** Sweeps over all pairs of columns; they settle within ten. */
const sweeps = 40;

/**
 * One-sided Jacobi on A [m, n], n <= m (Hestenes 1958): columns are turned in pairs until all are orthogonal. Ends on any matrix,
 * also on one of equal or vanishing columns, where a bidiagonal iteration may not.
 */
function jacobi(given: Matrix): Factors {
  const n = given.columns;
  const columns = Array.from({ length: n }, (_, k) => Float64Array.from(given.getColumn(k)));
  const turned = Array.from({ length: n }, (_, k) => Float64Array.from({ length: n }, (_, i) => Number(i === k)));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let moved = false;
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        const angle = angleOf(columns[p] as Float64Array, columns[q] as Float64Array);
        if (angle === undefined) continue;
        moved = true;
        turn(columns[p] as Float64Array, columns[q] as Float64Array, angle);
        turn(turned[p] as Float64Array, turned[q] as Float64Array, angle);
      }
    if (!moved) break;
  }
  const lengths = columns.map((c) => Math.sqrt(c.reduce((sum, x) => sum + x * x, 0)));
  const order = lengths.map((_, k) => k).sort((p, q) => (lengths[q] ?? 0) - (lengths[p] ?? 0));
  const s = order.map((k) => lengths[k] ?? 0);
  const side = (of: readonly Float64Array[], scale: (k: number) => number): Matrix =>
    new Matrix(order.map((from, k) => Array.from(of[from] ?? [], (x) => x * scale(k)))).transpose();
  return { u: side(columns, (k) => ((s[k] ?? 0) > 0 ? 1 / (s[k] ?? 1) : 0)), v: side(turned, () => 1), s };
}

interface Angle {
  readonly cosine: number;
  readonly sine: number;
}

/** By how much two columns are to be turned to become orthogonal; undefined where they are. */
function angleOf(x: Float64Array, y: Float64Array): Angle | undefined {
  let [alpha, beta, gamma] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] ?? 0, y[i] ?? 0];
    alpha += a * a;
    beta += b * b;
    gamma += a * b;
  }
  if (gamma === 0 || Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta)) return undefined;
  const zeta = (beta - alpha) / (2 * gamma);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  return { cosine, sine: cosine * tangent };
}

function turn(x: Float64Array, y: Float64Array, { cosine, sine }: Angle): void {
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] ?? 0, y[i] ?? 0];
    x[i] = cosine * a - sine * b;
    y[i] = sine * a + cosine * b;
  }
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
  const decompose = Math.min(a.rows, a.columns) <= directLimit ? jacobi : throughGram;
  if (a.columns <= a.rows) return decompose(a);
  const { u, v, s } = decompose(a.transpose());
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
