import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LayoutInput, layout } from './layout.ts';

const graph = (n: number, pairs: readonly (readonly [number, number])[]): LayoutInput => ({
  sizes: Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 160 : 52)),
  edges: Int32Array.from(pairs.flat()),
  // one value a source
  values: Int32Array.from(pairs, ([s]) => s),
});

/** A random graph whose edges go from lower to higher numbers, so that it has no cycle. */
const acyclic = fc.integer({ min: 2, max: 40 }).chain((n) =>
  fc.tuple(
    fc.constant(n),
    fc
      .array(
        fc.tuple(fc.nat(n - 1), fc.nat(n - 1)).filter(([a, b]) => a !== b),
        { maxLength: 80 },
      )
      .map((list) => list.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)),
  ),
);

describe('layout', () => {
  it('puts every node below its makers, lets no two overlap, and joins edges to their ends', () => {
    fc.assert(
      fc.property(acyclic, ([n, pairs]) => {
        const input = graph(n, pairs);
        const { corners, offsets, points } = layout(input);
        const x = (i: number) => corners[2 * i]!;
        const y = (i: number) => corners[2 * i + 1]!;
        for (const [s, t] of pairs) expect(y(t)).toBeGreaterThanOrEqual(y(s) + 52);
        for (let a = 0; a < n; a++)
          for (let b = a + 1; b < n; b++)
            if (y(a) === y(b)) expect(Math.abs(x(a) - x(b))).toBeGreaterThanOrEqual(160 + 30);
        pairs.forEach(([s, t], e) => {
          const p = points.subarray(offsets[e]!, offsets[e + 1]!);
          expect([p[0], p[1]]).toEqual([x(s) + 80, y(s) + 52]);
          expect([p.at(-2), p.at(-1)]).toEqual([x(t) + 80, y(t)]);
        });
      }),
      { seed: 7 },
    );
  });

  it('is the same every time', () => {
    const input = graph(6, [
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 3],
      [3, 4],
      [0, 4],
      [4, 5],
    ]);
    expect(layout(input)).toEqual(layout(input));
  });

  it('keeps the trunk of a residual chain straight beside its shortcuts', () => {
    const pairs: [number, number][] = [];
    for (let b = 0; b < 30; b++)
      pairs.push([3 * b, 3 * b + 1], [3 * b + 1, 3 * b + 2], [3 * b + 2, 3 * b + 3], [3 * b, 3 * b + 3]);
    const { corners } = layout(graph(91, pairs));
    const left = Array.from({ length: 91 }, (_, i) => corners[2 * i]!);
    expect(Math.max(...left) - Math.min(...left)).toBeLessThan(40);
  });

  it('lays out a chain of 10,000 nodes without recursion', () => {
    const n = 10_000;
    const pairs = Array.from({ length: n - 1 }, (_, i) => [i, i + 1] as const);
    const { corners } = layout(graph(n, pairs));
    expect(corners[2 * (n - 1) + 1]).toBeGreaterThan(500_000);
  });
});
