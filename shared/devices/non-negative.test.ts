/** Non-negative least squares against its own conditions of optimality, and by hand. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nonNegative } from './non-negative.ts';

it('by hand: what plain least squares would make negative becomes 0', () => {
  expect(
    nonNegative(
      [
        [1, 0],
        [0, 1],
      ],
      [2, 3],
    ).map((v) => Math.round(v * 1e9) / 1e9),
  ).toEqual([2, 3]);
  // Best with x2 = -1; held at 0 the best x1 is the projection.
  const [x1 = 0, x2 = 0] = nonNegative(
    [
      [1, 1],
      [1, 2],
    ],
    [1, 0],
  );
  expect(x2).toBe(0);
  expect(x1).toBeCloseTo(0.5, 9);
});

it('meets the conditions of Karush, Kuhn and Tucker, and columns of any size', () => {
  const column = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(
      fc.array(column, { minLength: 1, maxLength: 4 }),
      column,
      fc.integer({ min: -9, max: 9 }),
      (columns, b, power) => {
        const size = 10 ** power;
        const rows = b.map((_, r) => columns.map((c, k) => (c[r] ?? 0) * (k === 0 ? size : 1)));
        const x = nonNegative(rows, b);
        const rest = b.map((v, r) => v - (rows[r] ?? []).reduce((s, a, k) => s + a * (x[k] ?? 0), 0));
        for (const [k, column_] of columns.entries()) {
          const scale = Math.sqrt(column_.reduce((s, v) => s + v * v, 0)) || 1;
          const slope = column_.reduce((s, v, r) => s + v * (rest[r] ?? 0), 0) / scale;
          expect(x[k]).toBeGreaterThanOrEqual(0);
          expect(slope).toBeLessThan(1e-6);
          if ((x[k] ?? 0) > 1e-9 / (k === 0 ? size : 1)) expect(Math.abs(slope)).toBeLessThan(1e-5);
        }
      },
    ),
    { numRuns: 100 },
  );
});
