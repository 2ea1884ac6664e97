/** widen: the same function right after, in every family of coupling; what is copied, and what is refused. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { attr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { toFloat32 } from '../ir/values.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { fire, formedWeight, leNetLike, Net, nets, residual } from '../testing/nets.ts';
import { buildFromZoo, zoo } from '../zoo/index.ts';
import { unitsToAdd } from './widen.ts';

const runtime = nodeRuntime(1);
type Params = Readonly<Record<string, string | number | boolean>>;

const preview = (model: Model, params: Params, select: object = { all: true }) =>
  previewRecipe(model, parseRecipe({ bantam: 1, steps: [{ technique: 'widen', select, params }] }));
const dimsOf = (model: Model, name: string): string =>
  graphIndex(model.graph).initializer.get(name)?.dims.join() ?? 'none';
const valuesOf = (model: Model, name: string): Float32Array => {
  const tensor = graphIndex(model.graph).initializer.get(name);
  if (tensor === undefined) throw new Error(`no ${name}`);
  return toFloat32(tensor);
};

/** Largest difference of outputs over their largest value. */
async function relativeError(a: Model, b: Model): Promise<number> {
  const feeds = randomFeeds(a);
  const [was, is] = [await runModel(runtime, a, feeds), await runModel(runtime, b, feeds)];
  const zero = Object.fromEntries(
    Object.entries(was).map(([k, v]) => [k, { ...v, data: new Float32Array(v.data.length) } as typeof v]),
  );
  return maxError(was, is) / maxError(was, zero);
}

const small = [
  ...Object.entries(nets),
  ...zoo
    .filter((e) => e.input[1] <= 32 && !/-(56|110|32)$/.test(e.id))
    .map((e) => [e.id, () => buildFromZoo(e.id, { width: 0.5 })] as const),
];

describe.each(small)('widen on %s', (_, make) => {
  it('keeps the outputs to 1e-5', async () => {
    const model = make();
    const wide = preview(model, { factor: 1.7 });
    expect(wide.figures.parameters).toBeGreaterThan(wide.before.parameters);
    expect(await relativeError(model, wide.model)).toBeLessThan(1e-5);
  });
});

describe('widen', () => {
  it('copies filters and divides what reads them', () => {
    const model = leNetLike();
    const wide = preview(model, { factor: 2, noise: 0 }, { names: ['c1'] }).model;
    expect([dimsOf(wide, 'c1.w'), dimsOf(wide, 'c1.b'), dimsOf(wide, 'c2.w')]).toEqual(['16,3,3,3', '16', '12,16,3,3']);
    const [old, now] = [valuesOf(model, 'c1.w'), valuesOf(wide, 'c1.w')];
    for (let c = 0; c < 8; c++)
      for (const copy of [0, 1])
        expect(now.slice((2 * c + copy) * 27, (2 * c + copy + 1) * 27)).toEqual(old.slice(c * 27, (c + 1) * 27));
    const [readOld, readNow] = [valuesOf(model, 'c2.w'), valuesOf(wide, 'c2.w')];
    for (let o = 0; o < 12; o++)
      for (let i = 0; i < 16; i++)
        expect(readNow[(o * 16 + i) * 9]).toBe(Math.fround((readOld[(o * 8 + Math.floor(i / 2)) * 9] ?? 0) / 2));
  });

  it('makes copies unlike by what reads them, without a change of the outputs', async () => {
    const model = leNetLike();
    const wide = preview(model, { factor: 2, noise: 0.8 }, { names: ['c1'] }).model;
    const read = valuesOf(wide, 'c2.w');
    expect(read[0]).not.toBe(read[9]);
    expect((read[0] ?? 0) + (read[9] ?? 0)).toBeCloseTo(valuesOf(model, 'c2.w')[0] ?? 0, 6);
    expect(await relativeError(model, wide)).toBeLessThan(1e-5);
  });

  it('widens what goes together, together: shortcut and Concat', () => {
    const shortcut = preview(residual(), { factor: 2 }, { names: ['stem'] }).model;
    expect([dimsOf(shortcut, 'stem.w'), dimsOf(shortcut, 'a2.w'), dimsOf(shortcut, 'bn0.var')]).toEqual([
      '32,3,3,3',
      '32,8,3,3',
      '32',
    ]);
    const concat = preview(fire(), { factor: 2 }, { names: ['e1'] }).model;
    expect([dimsOf(concat, 'e1.w'), dimsOf(concat, 'e3.w'), dimsOf(concat, 'out.w')]).toEqual([
      '20,6,1,1',
      '12,6,3,3',
      '4,32,3,3',
    ]);
  });

  it('puts a constant factor before a reader whose weight other nodes form', async () => {
    const model = formedWeight();
    const wide = preview(model, { factor: 2, noise: 0 }, { op: 'MatMul' });
    const factors = wide.model.graph.nodes.filter((n) => n.op === 'Mul');
    expect(factors.map((n) => n.outputs)).toEqual([['y.w2.divided']]);
    expect(await relativeError(model, wide.model)).toBeLessThan(1e-5);
  });

  it('refuses what would see the copies, and says which', () => {
    const n = new Net();
    const c = n.conv('x', 'c', 3, 6);
    const l = n.add('LRN', [c], 'lrn', [attr.int('size', 3)]);
    n.add('GlobalAveragePool', [n.conv(l, 'out', 6, 4, 1)], 'y');
    const model = n.done([1, 4, 1, 1]);
    expect(() => preview(model, { factor: 2 }, { names: ['c'] })).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/LRN would see the copies/) }),
    );
  });

  it('reaches the multiple nearest to the width asked for, never below what is there', () => {
    expect(unitsToAdd({ units: 10, channelsPerUnit: 1 }, 1.5, 1)).toBe(5);
    expect(unitsToAdd({ units: 10, channelsPerUnit: 1 }, 1.5, 8)).toBe(6);
    expect(unitsToAdd({ units: 10, channelsPerUnit: 1 }, 1, 8)).toBe(6);
    expect(unitsToAdd({ units: 6, channelsPerUnit: 4 }, 2, 16)).toBe(6);
    expect(unitsToAdd({ units: 8, channelsPerUnit: 1 }, 1, 8)).toBe(0);
  });
});
