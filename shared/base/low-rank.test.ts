import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lowRank, product, relativeError } from './low-rank.ts';
import { rng } from './random.ts';

const random = (seed: number, count: number): Float64Array => {
  const r = rng(seed);
  return Float64Array.from({ length: count }, () => r.normal());
};
const shapes = fc.tuple(
  fc.integer({ min: 1, max: 14 }),
  fc.integer({ min: 1, max: 14 }),
  fc.integer({ min: 1, max: 14 }),
);

it('gives back a matrix of full rank, and one of known rank by that rank', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 1000 }), ([rows, columns, rank], seed) => {
      const full = random(seed, rows * columns);
      const whole = lowRank(full, rows, columns, Math.min(rows, columns));
      expect(relativeError(full, product(whole.left, whole.right, rows, whole.rank, columns))).toBeLessThan(1e-9);
      const made = product(random(seed, rows * rank), random(seed + 1, rank * columns), rows, rank, columns);
      const back = lowRank(made, rows, columns, rank);
      expect(relativeError(made, product(back.left, back.right, rows, back.rank, columns))).toBeLessThan(1e-9);
    }),
  );
});

it('leaves as error exactly the singular values that were cut', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 1000 }), ([rows, columns, rank], seed) => {
      const a = random(seed, rows * columns);
      const cut = lowRank(a, rows, columns, rank);
      const left = cut.singular.slice(cut.rank).reduce((sum, s) => sum + s * s, 0);
      const all = cut.singular.reduce((sum, s) => sum + s * s, 0);
      const error = relativeError(a, product(cut.left, cut.right, rows, cut.rank, columns));
      expect(error).toBeCloseTo(Math.sqrt(left / all), 9);
    }),
  );
});

it('is the same through the Gram matrix, long side either way', () => {
  for (const [rows, columns] of [
    [130, 150],
    [150, 130],
  ] as const) {
    const a = random(7, rows * columns);
    const cut = lowRank(a, rows, columns, 40);
    const left = cut.singular.slice(40).reduce((sum, s) => sum + s * s, 0);
    const all = a.reduce((sum, x) => sum + x * x, 0);
    expect(relativeError(a, product(cut.left, cut.right, rows, 40, columns))).toBeCloseTo(Math.sqrt(left / all), 6);
  }
});

it.each([
  [96, 121],
  [384, 9],
  [9, 384],
  [130, 150],
  [1, 7],
])('ends on a matrix of one value, and on one of vanishing values: %d x %d', (rows, columns) => {
  for (const value of [0.02, 1e-40, 1e-300]) {
    const a = new Float64Array(rows * columns).fill(value);
    const cut = lowRank(a, rows, columns, 1);
    const back = product(cut.left, cut.right, rows, 1, columns);
    if (value > 1e-100)
      expect(
        relativeError(
          a.map((x) => x / value),
          back.map((x) => x / value),
        ),
      ).toBeLessThan(1e-6);
    expect([...cut.left, ...cut.right].every(Number.isFinite)).toBe(true);
  }
});

it('takes a matrix of zeros', () => {
  const cut = lowRank(new Float64Array(12), 3, 4, 2);
  expect([...cut.left, ...cut.right].every((x) => x === 0)).toBe(true);
});
