/** Owns non-negative least squares: the x >= 0 that minimises |A x - b| (Lawson, Hanson 1974, chapter 23). */
import { Matrix, SingularValueDecomposition } from 'ml-matrix';

/** Least squares on the columns of `set`, by singular values, so that columns that say the same do no harm. */
function solveOn(a: Matrix, b: Matrix, set: readonly number[]): readonly number[] {
  const part = a.subMatrixColumn([...set]);
  return new SingularValueDecomposition(part, { autoTranspose: true }).solve(b).to1DArray();
}

/**
 * rows: [n][m], targets: [n]; gives [m]. Columns are scaled to length 1 inside, so that seconds a multiply-accumulate and
 * seconds a launch may stand side by side.
 */
export function nonNegative(rows: readonly (readonly number[])[], targets: readonly number[]): readonly number[] {
  const width = rows[0]?.length ?? 0;
  const lengths = Array.from(
    { length: width },
    (_, c) => Math.sqrt(rows.reduce((s, r) => s + (r[c] ?? 0) ** 2, 0)) || 1,
  );
  const a = new Matrix(rows.map((r) => r.map((v, c) => v / (lengths[c] ?? 1))));
  const b = Matrix.columnVector([...targets]);
  const x = new Array<number>(width).fill(0);
  const open = new Set<number>();
  const tolerance = 1e-10 * Math.max(1, b.norm());
  // Each round takes one column in; the bound only guards against cycling by rounding.
  for (let round = 0; round < 3 * width; round++) {
    const rest = Matrix.sub(b, a.mmul(Matrix.columnVector(x)));
    const slope = a.transpose().mmul(rest).to1DArray();
    let best = -1;
    for (let c = 0; c < width; c++)
      if (!open.has(c) && (slope[c] ?? 0) > tolerance && (best < 0 || (slope[c] ?? 0) > (slope[best] ?? 0))) best = c;
    if (best < 0) break;
    open.add(best);
    for (;;) {
      const set = [...open];
      const s = solveOn(a, b, set);
      const bad = set.filter((_, k) => (s[k] ?? 0) <= 0);
      if (bad.length === 0) {
        x.fill(0);
        for (const [k, c] of set.entries()) x[c] = s[k] ?? 0;
        break;
      }
      // As far towards s as stays non-negative; what reaches 0 leaves.
      let step = 1;
      for (const [k, c] of set.entries()) {
        const [now, next] = [x[c] ?? 0, s[k] ?? 0];
        if (next <= 0) step = Math.min(step, now / (now - next || 1));
      }
      for (const [k, c] of set.entries()) x[c] = (x[c] ?? 0) + step * ((s[k] ?? 0) - (x[c] ?? 0));
      for (const c of set)
        if ((x[c] ?? 0) <= 1e-14) {
          x[c] = 0;
          open.delete(c);
        }
      if (open.size === 0) break;
    }
  }
  return x.map((v, c) => v / (lengths[c] ?? 1));
}
