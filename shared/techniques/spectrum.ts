/** Owns the spectrum of a matrix: decomposed once, when first asked, and cut at any rank. */
import { lazy } from '../base/lazy.ts';
import { lowRank } from '../base/low-rank.ts';

/** Row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export function transposed({ rows, columns, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c] ?? 0;
  return { rows: columns, columns: rows, data: out };
}

export const squaredNorm = (data: Float64Array): number => data.reduce((s, v) => s + v * v, 0);

export interface Spectrum {
  /** Squared singular values, descending, min(rows, columns) of them. */
  readonly energies: () => Float64Array;
  /** The best approximation of this rank, left [rows, rank] times right [rank, columns], both of even length. */
  readonly factors: (rank: number) => { readonly left: Matrix; readonly right: Matrix };
  /** Orthonormal basis [rank, rows] of the strongest directions of the rows' space (left singular vectors). */
  readonly basis: (rank: number) => Matrix;
}

export function spectrum(matrix: () => Matrix): Spectrum {
  const whole = lazy(() => {
    const { rows, columns, data } = matrix();
    return { rows, columns, ...lowRank(data, rows, columns, Math.min(rows, columns)) };
  });
  return {
    energies: lazy(() => whole().singular.map((s) => s * s)),
    factors: (rank) => {
      const { rows, columns, left, right, rank: full } = whole();
      const cut = new Float64Array(rows * rank);
      for (let r = 0; r < rows; r++) for (let k = 0; k < rank; k++) cut[r * rank + k] = left[r * full + k] ?? 0;
      return {
        left: { rows, columns: rank, data: cut },
        right: { rows: rank, columns, data: right.slice(0, rank * columns) },
      };
    },
    basis: (rank) => {
      const { rows, left, rank: full, singular } = whole();
      const out = new Float64Array(rank * rows);
      for (let k = 0; k < rank; k++) {
        const root = Math.sqrt(singular[k] ?? 0);
        for (let r = 0; r < rows; r++) out[k * rows + r] = root > 0 ? (left[r * full + k] ?? 0) / root : 0;
      }
      return { rows: rank, columns: rows, data: out };
    },
  };
}
