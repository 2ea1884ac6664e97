/** Owns least squares over rows: normal equations with a ridge, solved by Cholesky in float64. */

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

/** Lower Cholesky factor of a symmetric positive definite [n, n], in place in a copy; undefined where it is not definite. */
export function cholesky(matrix: Float64Array, n: number): Float64Array | undefined {
  const l = matrix.slice();
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = l[i * n + j] ?? 0;
      const [a, b] = [i * n, j * n];
      for (let k = 0; k < j; k++) sum -= (l[a + k] ?? 0) * (l[b + k] ?? 0);
      if (i === j) {
        if (!(sum > 0)) return undefined;
        l[a + j] = Math.sqrt(sum);
      } else l[a + j] = sum / (l[b + j] ?? 1);
    }
  }
  return l;
}

/** Solves L L' B = rhs for B [n, width]. */
export function solveCholesky(l: Float64Array, n: number, rhs: Float64Array, width: number): Float64Array {
  const x = rhs.slice();
  for (let i = 0; i < n; i++)
    for (let o = 0; o < width; o++) {
      let sum = x[i * width + o] ?? 0;
      for (let k = 0; k < i; k++) sum -= (l[i * n + k] ?? 0) * (x[k * width + o] ?? 0);
      x[i * width + o] = sum / (l[i * n + i] ?? 1);
    }
  for (let i = n - 1; i >= 0; i--)
    for (let o = 0; o < width; o++) {
      let sum = x[i * width + o] ?? 0;
      for (let k = i + 1; k < n; k++) sum -= (l[k * n + i] ?? 0) * (x[k * width + o] ?? 0);
      x[i * width + o] = sum / (l[i * n + i] ?? 1);
    }
  return x;
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
    const l = cholesky(damped, columns);
    if (l === undefined) continue;
    return solveCholesky(l, columns, rhs, width).map((d, i) => d + (start[i] ?? 0));
  }
  return Float64Array.from({ length: columns * width }, (_, i) => start[i] ?? 0);
}
