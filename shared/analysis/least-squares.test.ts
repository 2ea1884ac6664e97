/** Least squares: finds the weights that made the outputs, and keeps those that no row shows. */
import { expect, it } from 'vitest';
import { product } from '../base/low-rank.ts';
import { rng } from '../base/random.ts';
import { gram, leastSquares, solveDefinite } from './least-squares.ts';

const random = (count: number, seed: number): Float64Array => {
  const draw = rng(seed);
  return Float64Array.from({ length: count }, () => draw.normal());
};

it('finds the weights that made the outputs, and keeps those that no row shows', () => {
  const [rows, columns, width] = [60, 7, 3];
  const x = random(rows * columns, 1);
  // Column 6 is never seen.
  for (let r = 0; r < rows; r++) x[r * columns + 6] = 0;
  const b = random(columns * width, 2);
  const outputs = product(x, b, rows, columns, width);
  const start = new Float64Array(columns * width).fill(0.25);
  const found = leastSquares({ rows, inputs: x, columns, outputs, width }, start, 1e-9);
  for (let i = 0; i < 6 * width; i++) expect(found[i]).toBeCloseTo(b[i] ?? 0, 5);
  for (let i = 6 * width; i < 7 * width; i++) expect(found[i]).toBe(0.25);
});

it('nothing seen leaves everything as it was', () => {
  const start = Float64Array.of(1, 2);
  const rows = { rows: 3, inputs: new Float64Array(6), columns: 2, outputs: new Float64Array(3).fill(5), width: 1 };
  expect(leastSquares(rows, start)).toEqual(start);
});

it('solves definite systems and says of others that they are not', () => {
  const x = random(20, 4);
  const a = gram(x, 5, 4);
  const solved = solveDefinite(a, 4, [1, 2, 3, 4], 1);
  expect(Array.from(product(a, solved ?? [], 4, 4, 1))).toEqual([1, 2, 3, 4].map((v) => expect.closeTo(v, 8)));
  expect(solveDefinite([1, 2, 2, 1], 2, [1, 1], 1)).toBeUndefined();
});
