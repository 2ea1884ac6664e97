import fc from 'fast-check';
import { expect, it } from 'vitest';
import { largestDifference, noiseDb, sharesOf } from './scores.ts';

const row = (...values: number[]) => ({
  y: { type: 'float' as const, dims: [1, values.length], data: Float32Array.of(...values) },
});
const numbers = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 2, maxLength: 40 });

it('shares sum to 1 over all classes, and keep the order of the scores', () => {
  fc.assert(
    fc.property(numbers, (scores) => {
      const found = sharesOf(row(...scores), scores.length);
      expect(found?.top.reduce((a, t) => a + t.share, 0)).toBeCloseTo(1, 4);
      const ordered = found?.top.map((t) => Math.fround(scores[t.index] ?? 0)) ?? [];
      expect(ordered).toEqual([...ordered].sort((a, b) => b - a));
    }),
  );
});

it('leaves shares as they are, and says when it made them', () => {
  expect(sharesOf(row(0.25, 0.75))).toEqual({
    top: [
      { index: 1, share: 0.75 },
      { index: 0, share: 0.25 },
    ],
    softmaxed: false,
  });
  expect(sharesOf(row(2, -1))?.softmaxed).toBe(true);
});

it('reads no classes from a picture', () => {
  expect(sharesOf({ y: { type: 'float', dims: [1, 3, 4, 4], data: new Float32Array(48) } })).toBeUndefined();
});

it('measures distance both ways', () => {
  expect(largestDifference(row(1, 2), row(1, 4))).toBe(2);
  expect(noiseDb(row(3, 4), row(3, 4))).toBe(Number.POSITIVE_INFINITY);
  expect(noiseDb(row(3, 4), row(3.5, 4))).toBeCloseTo(10 * Math.log10(25 / 0.25));
  expect(noiseDb(row(1, 2), row(1, 2, 3))).toBeNull();
});
