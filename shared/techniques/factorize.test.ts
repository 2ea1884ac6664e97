/** factorize: weights of low rank come back exactly under every method and window; stated errors are the weights' own. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import type { Attribute, Model } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { leNetLike, residual } from '../testing/nets.ts';
import { runTechnique } from '../testing/run-technique.ts';
import { cpFactors } from './cp-decomposition.ts';

const runtime = nodeRuntime(1);

/** One Conv whose weight is a sum of `rank` outer products a group: of low rank under every method. */
function lowRankConv(
  o: number,
  c: number,
  kernel: readonly number[],
  group: number,
  rank: number,
  attributes: readonly Attribute[],
  x: readonly number[],
): Model {
  const random = rng(5);
  const sizes = [o / group, c / group, ...kernel];
  const each = sizes.reduce((a, b) => a * b, 1);
  const w = new Float64Array(group * each);
  for (let g = 0; g < group; g++)
    for (let r = 0; r < rank; r++) {
      const parts = sizes.map((n) => Array.from({ length: n }, () => random.normal()));
      for (let i = 0; i < each; i++) {
        let rest = i;
        let v = 1;
        for (let a = sizes.length - 1; a >= 0; a--) {
          v *= parts[a]?.[rest % (sizes[a] ?? 1)] ?? 0;
          rest = Math.floor(rest / (sizes[a] ?? 1));
        }
        w[g * each + i] = (w[g * each + i] ?? 0) + v;
      }
    }
  return model({
    nodes: [node('Conv', ['x', 'w', 'b'], ['y'], [attr.int('group', group), ...attributes])],
    inputs: [value('x', x)],
    outputs: [value('y', null)],
    initializers: [numbersTensor('w', 'float', [o, c / group, ...kernel], w), randomTensor('b', [o])],
  });
}

const windows: readonly (readonly [string, readonly Attribute[], readonly number[]])[] = [
  ['pads on all sides', [attr.ints('pads', [1, 2, 0, 1])], [3, 3]],
  ['strides and dilations', [attr.ints('strides', [2, 1]), attr.ints('dilations', [1, 2])], [3, 3]],
  ['SAME_UPPER with strides', [attr.string('auto_pad', 'SAME_UPPER'), attr.ints('strides', [2, 2])], [5, 3]],
  ['SAME_LOWER, even kernel', [attr.string('auto_pad', 'SAME_LOWER')], [4, 4]],
  ['a kernel shape written out', [attr.ints('kernel_shape', [3, 5]), attr.string('auto_pad', 'VALID')], [3, 5]],
];

const errorOf = async (from: Model, to: Model): Promise<number> => {
  const feeds = randomFeeds(from, 3);
  return maxError(await runModel(runtime, from, feeds), await runModel(runtime, to, feeds));
};

describe('weights of low rank come back', () => {
  it.each(
    windows.flatMap(([name, attributes, kernel]) =>
      (['channel', 'spatial', 'tucker'] as const).map((m) => [m, name, attributes, kernel] as const),
    ),
  )('%s: %s', async (convolution, _name, attributes, kernel) => {
    const m = lowRankConv(32, 24, kernel, 1, 2, attributes, [2, 24, 11, 12]);
    const done = await runTechnique(runtime, 'factorize', m, { by: 'energy', energy: 1, convolution });
    expect(done.model.graph.nodes.length).toBe(convolution === 'tucker' ? 3 : 2);
    expect(await errorOf(m, done.model)).toBeLessThan(2e-3);
  });

  it.each(['channel', 'spatial'])('%s: grouped', async (convolution) => {
    const m = lowRankConv(32, 32, [3, 3], 2, 2, [attr.ints('pads', [1, 1, 1, 1])], [1, 32, 9, 9]);
    const done = await runTechnique(runtime, 'factorize', m, { by: 'energy', energy: 1, convolution });
    expect(done.steps[0]?.layers[0]).toMatchObject({ taken: true });
    expect(await errorOf(m, done.model)).toBeLessThan(2e-3);
  });

  it.each([1, 3])('1x1 and one or three spatial axes (%i)', async (axes) => {
    const kernel = Array.from({ length: axes }, () => 3);
    const m = lowRankConv(24, 24, kernel, 1, 2, [], [1, 24, ...kernel.map(() => 6)]);
    const done = await runTechnique(runtime, 'factorize', m, { by: 'energy', energy: 1 });
    expect(await errorOf(m, done.model)).toBeLessThan(2e-3);
  });

  it.each(windows.slice(0, 3))('cp: %s', async (_name, attributes, kernel) => {
    const m = lowRankConv(24, 16, kernel, 1, 2, attributes, [1, 16, 11, 12]);
    const full = measureFigures(m).parameters - 24;
    // Room for rank 2 and no more.
    const ratio = 1 - (2.5 * (24 + 16 + (kernel[0] ?? 0) + (kernel[1] ?? 0))) / full;
    const done = await runTechnique(runtime, 'factorize', m, { ratio, convolution: 'cp' });
    expect(done.steps[0]?.layers[0]).toMatchObject({ taken: true });
    expect(done.steps[0]?.notes.map((n) => n.en).join()).toMatch(/Error of the weights .*: y 0\.\d %/);
    expect(await errorOf(m, done.model)).toBeLessThan(0.3);
  });

  it.each([
    [
      'Gemm transB with alpha and beta',
      node('Gemm', ['x', 'w', 'c'], ['y'], [attr.int('transB', 1), attr.float('alpha', 0.5), attr.float('beta', 2)]),
      [4, 30],
      [40, 30],
    ],
    ['Gemm transA', node('Gemm', ['x', 'w', 'c'], ['y'], [attr.int('transA', 1)]), [30, 4], [30, 40]],
    ['MatMul of three axes', node('MatMul', ['x', 'w'], ['y']), [2, 3, 30], [30, 40]],
  ] as const)('%s', async (_name, n, x, w) => {
    const [rows, columns] = w;
    const random = rng(2);
    const [a, b] = [rows * 2, 2 * columns].map((size) => Array.from({ length: size }, () => random.normal()));
    const data = Array.from({ length: rows * columns }, (_, i) => {
      const [r, c] = [Math.floor(i / columns), i % columns];
      return (a?.[r * 2] ?? 0) * (b?.[c] ?? 0) + (a?.[r * 2 + 1] ?? 0) * (b?.[columns + c] ?? 0);
    });
    const m = model({
      nodes: [n],
      inputs: [value('x', x)],
      outputs: [value('y', null)],
      initializers: [numbersTensor('w', 'float', w, data), ...(n.op === 'Gemm' ? [randomTensor('c', [40])] : [])],
    });
    const done = await runTechnique(runtime, 'factorize', m, { by: 'energy', energy: 1 });
    expect(measureFigures(done.model).parameters).toBe(2 * 70 + (n.op === 'Gemm' ? 40 : 0));
    expect(await errorOf(m, done.model)).toBeLessThan(1e-3);
  });
});

describe('amounts', () => {
  it.each(['macs', 'parameters'] as const)('a share of the %s of the model is met', (by) => {
    for (const make of [leNetLike, residual]) {
      const whole = measureFigures(make())[by] ?? 0;
      const recipe = parseRecipe({
        bantam: 1,
        steps: [{ technique: 'factorize', params: { by, ratio: 0.25, convolution: 'spatial' } }],
      });
      const preview = previewRecipe(make(), recipe);
      if (preview.steps[0]?.notes.length === 0) expect(preview.figures[by]).toBeLessThanOrEqual(whole * 0.75);
      else expect(preview.figures[by]).toBeGreaterThan(whole * 0.75);
    }
  });

  it('more energy, more parameters, less error', async () => {
    const m = lowRankConv(32, 24, [3, 3], 1, 12, [], [1, 24, 8, 8]);
    let [parameters, error] = [0, Number.POSITIVE_INFINITY];
    for (const energy of [0.5, 0.7, 0.9]) {
      const done = await runTechnique(runtime, 'factorize', m, { by: 'energy', energy });
      const now = measureFigures(done.model).parameters;
      const off = await errorOf(m, done.model);
      expect(now).toBeGreaterThan(parameters);
      expect(off).toBeLessThan(error);
      [parameters, error] = [now, off];
    }
  });

  it('refuses in words', () => {
    const grouped = lowRankConv(32, 32, [3, 3], 2, 2, [], [1, 32, 9, 9]);
    const preview = (m: Model, params: object) => () =>
      previewRecipe(m, parseRecipe({ bantam: 1, steps: [{ technique: 'factorize', params }] }));
    expect(preview(grouped, { convolution: 'tucker' })).toThrow('fits nothing');
    expect(preview(leNetLike(), { by: 'energy', convolution: 'cp' })).toThrow('only after a fit');
    const depthwise = lowRankConv(32, 32, [3, 3], 32, 1, [], [1, 32, 9, 9]);
    expect(preview(depthwise, {})).toThrow('fits nothing');
  });
});

describe('CP', () => {
  it('finds a tensor that is a sum of two outer products', () => {
    const random = rng(9);
    const dims = [6, 5, 3, 3] as const;
    const parts = dims.map((n) => Array.from({ length: 2 * n }, () => random.normal()));
    const tensor = new Float64Array(6 * 5 * 9);
    for (let at = 0, i = 0; i < 6; i++)
      for (let j = 0; j < 5; j++)
        for (let k = 0; k < 3; k++)
          for (let l = 0; l < 3; l++, at++)
            for (let r = 0; r < 2; r++)
              tensor[at] =
                (tensor[at] ?? 0) + [i, j, k, l].reduce((v, index, m) => v * (parts[m]?.[index * 2 + r] ?? 0), 1);
    expect(cpFactors(tensor, dims, 2, rng(1)).error).toBeLessThan(1e-2);
    expect(cpFactors(tensor, dims, 1, rng(1)).error).toBeGreaterThan(0.1);
  });
});
