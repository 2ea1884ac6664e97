/** Owns least squares over rows: normal equations with a ridge, solved by Cholesky in float64. */
import { CholeskyDecomposition, Matrix } from 'ml-matrix';

export interface Rows {
  readonly rows: number;
  /** [rows, columns] */
  readonly inputs: ArrayLike<number>;
  readonly columns: number;
  /** [rows, width] */
  readonly outputs: ArrayLike<number>;
  readonly width: number;
}

/** X'X [columns, columns], symmetric. */
export function gram(inputs: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const out = new Float64Array(columns * columns);
  const row = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < columns; i++) row[i] = inputs[r * columns + i] ?? 0;
    for (let i = 0; i < columns; i++) {
      const v = row[i] ?? 0;
      // Activations after Relu are mostly zeros.
      if (v === 0) continue;
      const at = i * columns;
      for (let j = i; j < columns; j++) out[at + j] = (out[at + j] ?? 0) + v * (row[j] ?? 0);
    }
  }
  for (let i = 0; i < columns; i++) for (let j = 0; j < i; j++) out[i * columns + j] = out[j * columns + i] ?? 0;
  return out;
}

/** X'Y [columns, width]. */
export function cross({ rows, inputs, columns, outputs, width }: Rows): Float64Array {
  const out = new Float64Array(columns * width);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < columns; i++) {
      const v = inputs[r * columns + i] ?? 0;
      if (v === 0) continue;
      for (let o = 0; o < width; o++)
        out[i * width + o] = (out[i * width + o] ?? 0) + v * (outputs[r * width + o] ?? 0);
    }
  return out;
}

const matrixOf = (data: ArrayLike<number>, rows: number, columns: number): Matrix => {
  const out = new Matrix(rows, columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out.set(r, c, data[r * columns + c] ?? 0);
  return out;
};

/** The solution [n, width] of A X = rhs for a symmetric A [n, n]; undefined where A is not positive definite. */
export function solveDefinite(
  a: ArrayLike<number>,
  n: number,
  rhs: ArrayLike<number>,
  width: number,
): Float64Array | undefined {
  const factor = new CholeskyDecomposition(matrixOf(a, n, n));
  if (!factor.isPositiveDefinite()) return undefined;
  return Float64Array.from(factor.solve(matrixOf(rhs, n, width)).to1DArray());
}

/**
 * B [columns, width] that minimises |X (B0 + D) - Y|^2 + ridge |D|^2 with B = B0 + D: pulled to `start`, not to zero, so that a
 * direction that the rows never show keeps its weights. `ridge` is a share of the mean diagonal of X'X.
 */
export function leastSquares(rows: Rows, start: ArrayLike<number>, ridge = 1e-4): Float64Array {
  const { columns, width } = rows;
  const a = gram(rows.inputs, rows.rows, columns);
  // X'(Y - X B0) = X'Y - (X'X) B0
  const rhs = cross(rows);
  for (let i = 0; i < columns; i++)
    for (let k = 0; k < columns; k++) {
      const v = a[i * columns + k] ?? 0;
      if (v === 0) continue;
      for (let o = 0; o < width; o++) rhs[i * width + o] = (rhs[i * width + o] ?? 0) - v * (start[k * width + o] ?? 0);
    }
  let mean = 0;
  for (let i = 0; i < columns; i++) mean += (a[i * columns + i] ?? 0) / columns;
  if (!(mean > 0)) return Float64Array.from({ length: columns * width }, (_, i) => start[i] ?? 0);
  for (let share = ridge; share < 1; share *= 10) {
    const damped = a.slice();
    for (let i = 0; i < columns; i++) damped[i * columns + i] = (damped[i * columns + i] ?? 0) + share * mean;
    const step = solveDefinite(damped, columns, rhs, width);
    if (step !== undefined) return step.map((d, i) => d + (start[i] ?? 0));
  }
  return Float64Array.from({ length: columns * width }, (_, i) => start[i] ?? 0);
}
