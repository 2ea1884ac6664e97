/** deepen: the same function right after, bit for bit where no normalisation is put in; where it goes, and what is refused. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import type { Model } from '../ir/model.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { leNetLike, Net, residual } from '../testing/nets.ts';
import { buildFromZoo } from '../zoo/index.ts';

const runtime = nodeRuntime(1);
const deeper = (model: Model, params: object = {}, select: object = { all: true }) =>
  previewRecipe(model, parseRecipe({ bantam: 1, steps: [{ technique: 'deepen', select, params }] }));

async function error(a: Model, b: Model): Promise<number> {
  const feeds = randomFeeds(a);
  return maxError(await runModel(runtime, a, feeds), await runModel(runtime, b, feeds));
}

describe('deepen', () => {
  it.each(['resnet-8', 'bottleneck', 'densenet', 'squeezenet', 'mobilenet', 'mobilenet-v2', 'shufflenet'])(
    'keeps the outputs of the small %s net',
    async (id) => {
      const model = buildFromZoo(`${id}-digits`);
      expect(await error(model, deeper(model).model)).toBeLessThan(1e-5);
      expect(await error(model, deeper(model, { norm: true, kernel: 1 }).model)).toBeLessThan(1e-4);
    },
  );

  it('puts a convolution behind the activation of a convolution, a Gemm behind that of a Gemm', async () => {
    const model = leNetLike();
    const { model: deep, before, figures } = deeper(model, {}, { names: ['c1', 'f1'] });
    expect(deep.graph.nodes.map((n) => n.op).join(' ')).toBe(
      'Conv Relu Conv Relu MaxPool Conv Relu MaxPool Flatten Gemm Relu Gemm Relu Gemm',
    );
    expect(figures.parameters - before.parameters).toBe(8 * 8 * 9 + 8 + 20 * 20 + 20);
    expect(await error(model, deep)).toBe(0);
  });

  it('goes behind the sum where a shortcut joins, once for all that lead there', () => {
    const { model, steps } = deeper(residual(), {}, { names: ['b2', 'proj'] });
    expect(model.graph.nodes.filter((n) => n.id.includes('deeper')).map((n) => n.op)).toEqual(['Conv', 'Relu']);
    expect(steps[0]?.layers.map((l) => l.taken)).toEqual([true, true]);
  });

  it('with noise the outputs change, a little', async () => {
    const model = leNetLike();
    const far = await error(model, deeper(model, { noise: 0.05 }).model);
    expect(far).toBeGreaterThan(1e-4);
    expect(deeper(model, { noise: 0.05 }).figures).toEqual(deeper(model).figures);
  });

  it('refuses behind an activation that is not idempotent, naming it', () => {
    const n = new Net();
    n.add('GlobalAveragePool', [n.conv(n.add('LeakyRelu', [n.conv('x', 'c', 3, 6)], 'leaky'), 'out', 6, 4, 1)], 'y');
    expect(() => deeper(n.done([1, 4, 1, 1]), {}, { names: ['c'] })).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/LeakyRelu of LeakyRelu is not LeakyRelu/) }),
    );
  });
});
