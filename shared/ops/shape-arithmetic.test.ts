/** Shape arithmetic folds during inference, and symbols survive it. */
import fc from 'fast-check';
import '../testing/seed.ts';
import { describe, expect, it } from 'vitest';
import { inferFacts } from '../analysis/infer-facts.ts';
import { attr } from '../ir/attribute.ts';
import type { Dim, Node } from '../ir/model.ts';
import { int64Tensor } from '../ir/values.ts';
import { model, node, value } from '../testing/build.ts';
import { reshapeShape } from './reshape.ts';
import { matchReshape } from './reshape-match.ts';

const ints = (name: string, values: readonly number[], dims = [values.length]) => int64Tensor(name, dims, values);
const shapeOf = (nodes: readonly Node[], x: readonly Dim[], consts: readonly ReturnType<typeof ints>[]) =>
  inferFacts(model({ nodes, inputs: [value('x', x)], outputs: [value('y', null)], initializers: consts })).get('y')
    ?.shape;

describe('contents of shapes', () => {
  // The exporter's flatten: Reshape(x, Concat(Unsqueeze(Gather(Shape(x), 0)), -1)).
  const flatten = [
    node('Shape', ['x'], ['s']),
    node('Gather', ['s', 'zero'], ['n'], [attr.int('axis', 0)]),
    node('Unsqueeze', ['n', 'axes'], ['n1']),
    node('Concat', ['n1', 'rest'], ['t'], [attr.int('axis', 0)]),
    node('Reshape', ['x', 't'], ['y']),
  ];
  const consts = [ints('zero', [0], []), ints('axes', [0]), ints('rest', [-1])];
  it('keep a symbol symbolic', () => {
    expect(shapeOf(flatten, ['N', 16, 5, 5], consts)).toEqual(['N', 400]);
  });
  it('guess nothing where a dimension has not even a name', () => {
    expect(shapeOf(flatten, [null, 16, 5, 5], consts)).toEqual([null, null]);
  });
  it('follow numbers through arithmetic', () => {
    const nodes = [
      node('Shape', ['x'], ['s']),
      node('Slice', ['s', 'two', 'four', 'zeroAxis'], ['hw']),
      node('Cast', ['hw'], ['f'], [attr.int('to', 1)]),
      node('Cast', ['f'], ['i'], [attr.int('to', 7)]),
      node('Mul', ['i', 'twice'], ['big']),
      node('ReduceProd', ['big'], ['area'], [attr.int('keepdims', 1)]),
      node('ConstantOfShape', ['area'], ['y']),
    ];
    const more = [ints('two', [2]), ints('four', [4]), ints('zeroAxis', [0]), ints('twice', [2, 2])];
    expect(shapeOf(nodes, ['N', 3, 4, 5], more)).toEqual([80]);
  });
  it('give null, not a guess, for arithmetic on a symbol', () => {
    const nodes = [
      node('Shape', ['x'], ['s']),
      node('Mul', ['s', 'two'], ['t']),
      node('ConstantOfShape', ['t'], ['y']),
    ];
    expect(shapeOf(nodes, ['N', 3], [ints('two', [2, 2])])).toEqual([null, 6]);
    expect(shapeOf(nodes, ['N', 3], [ints('two', [1, 2])])).toEqual(['N', 6]);
  });
});

const dims = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
const size = (s: readonly number[]): number => s.reduce((a, b) => a * b, 1);

describe('reshape', () => {
  it('with one -1 keeps the number of elements', () => {
    fc.assert(
      fc.property(dims, fc.nat(), (shape, pick) => {
        const target: number[] = [...shape].reverse();
        target[pick % target.length] = -1;
        const out = reshapeShape(shape, target, false);
        expect(size(out as number[])).toBe(size(shape));
      }),
    );
  });
  it('cuts two shapes of equal size into runs of equal products, in order, each axis once', () => {
    fc.assert(
      fc.property(dims, fc.array(fc.nat({ max: 3 }), { maxLength: 4 }), (shape, merges) => {
        // Another shape of the same size: neighbours merged.
        const other: number[] = [...shape];
        for (const m of merges)
          if (other.length > 1)
            other.splice(
              m % (other.length - 1),
              2,
              (other[m % (other.length - 1)] ?? 1) * (other[(m % (other.length - 1)) + 1] ?? 1),
            );
        const runs = matchReshape(shape, other)?.runs;
        expect(runs).toBeDefined();
        for (const r of runs ?? [])
          expect(size(r.from.map((a) => shape[a] ?? 0))).toBe(size(r.to.map((a) => other[a] ?? 0)));
        expect((runs ?? []).flatMap((r) => r.from)).toEqual(shape.flatMap((d, i) => (d === 1 ? [] : [i])));
        expect((runs ?? []).flatMap((r) => r.to)).toEqual(other.flatMap((d, i) => (d === 1 ? [] : [i])));
      }),
    );
  });
  it('cuts the trailing axes where leading sizes are unknown, and says what is left over', () => {
    expect(matchReshape(['n', 7, 8], [null, 8])).toEqual({
      runs: [{ from: [2], to: [1] }],
      rest: { from: [0, 1], to: [0] },
    });
    expect(matchReshape(['n', 7, 8], ['n', null, 2, 4])?.runs).toEqual([{ from: [2], to: [2, 3] }]);
    expect(matchReshape([3, 8], [5, 8])).toBeUndefined();
    expect(matchReshape([null, 3], [null, 4])).toBeUndefined();
  });
  it('trailing runs of an open batch are those that every batch has', () => {
    fc.assert(
      fc.property(dims, fc.nat({ max: 3 }), fc.integer({ min: 2, max: 5 }), (shape, merge, n) => {
        // [N, ...] -> [?, ...], the first axes merged into what is unknown.
        const other = [null, ...shape.slice(merge)];
        const cut = matchReshape(['n', ...shape], other);
        const whole = [n, ...shape];
        const merged = [n * size(shape.slice(0, merge)), ...shape.slice(merge)];
        for (const r of cut?.runs ?? [])
          expect(size(r.from.map((a) => whole[a] ?? 0))).toBe(size(r.to.map((a) => merged[a] ?? 0)));
      }),
    );
  });
});
