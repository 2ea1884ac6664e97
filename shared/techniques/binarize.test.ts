/** binarize: stored bits against eq. 6, the block order's arithmetic against a plain loop, and a training that learns through the sign. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { neverCancelled } from '../base/cancel.ts';
import { fieldDefaults } from '../base/fields.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { toNumbers } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset } from '../ports/dataset.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import { model as makeModel, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { leNetLike } from '../testing/nets.ts';
import { trainModel } from '../training/train-model.ts';
import { binarize } from './binarize.ts';

const runtime = nodeRuntime(1);
const context = (m: Model, params: Readonly<Record<string, string | number | boolean>>) => ({
  model: m,
  facts: inferFacts(m),
  selected: m.graph.nodes,
  params: { ...fieldDefaults(binarize.params), ...params },
  seed: 1,
  ranges: () => ({ min: 0, max: 0 }),
});

/** x [2, 6, 7, 7] -> conv 16 of 3x3, stride 2, padded. */
const convolution = (): Model =>
  makeModel({
    nodes: [node('Conv', ['x', 'w'], ['y'], [attr.ints('pads', [1, 1, 1, 1]), attr.ints('strides', [2, 2])])],
    initializers: [randomTensor('w', [16, 6, 3, 3], 1, 1)],
    inputs: [value('x', [2, 6, 7, 7])],
    outputs: [value('y', [2, 16, 4, 4])],
  });
const linear = (opset: number): Model =>
  makeModel({
    opset,
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: [randomTensor('w', [61, 70])],
    inputs: [value('x', [2, 61])],
    outputs: [value('y', [2, 70])],
  });

/** Sign times mean size, per filter; `filterOf` says which filter an element belongs to. */
function plain(w: ArrayLike<number>, filters: number, filterOf: (k: number) => number): number[] {
  const sums = new Array<number>(filters).fill(0);
  for (let k = 0; k < w.length; k++) sums[filterOf(k)]! += Math.abs(w[k]!);
  return Array.from(w, (v, k) => (v < 0 ? -1 : 1) * (sums[filterOf(k)]! / (w.length / filters)));
}

describe('weights', () => {
  it.each([13, 18, 21])('of opset %i come back as sign times mean size per filter', async (opset) => {
    const m = linear(opset);
    const eye: Model = {
      ...binarize.rewrite(context(m, { ends: true })).model,
    };
    const wide: Model = {
      ...eye,
      graph: { ...eye.graph, inputs: [value('x', [61, 61])], outputs: [value('y', null)] },
    };
    const data = Float32Array.from({ length: 61 * 61 }, (_, i) => (i % 62 === 0 ? 1 : 0));
    const got = (await runModel(runtime, wide, { x: { type: 'float', dims: [61, 61], data } })).y?.data;
    const expected = plain(toNumbers(m.graph.initializers[0]!), 70, (k) => k % 70);
    expected.forEach((v, k) => {
      expect(Number(got?.[k])).toBeCloseTo(v, 6);
    });
  });
  it('take a bit each', () => {
    const m = linear(13);
    const { model } = binarize.rewrite(context(m, { ends: true }));
    const bits = model.graph.initializers.find((t) => t.type === 'uint8' && t.dims.length === 2 && t.dims[0] !== 1);
    expect(bits?.bytes().length).toBe(Math.ceil((61 * 70) / 8));
  });
  it('first and last stay float', () => {
    const { layers } = binarize.rewrite(context(leNetLike(), {}));
    expect(layers.map((l) => l.taken)).toEqual([false, true, true, false]);
  });
  it.each(['weights', 'weights-activations'])('%s: the latent form computes what the stored one does', async (mode) => {
    for (const m of [convolution(), linear(18), leNetLike()]) {
      const c = context(m, { ends: true, mode });
      const feeds = randomFeeds(m);
      const stored = await runModel(runtime, binarize.rewrite(c).model, feeds);
      expect(maxError(await runModel(runtime, binarize.latent!(c), feeds), stored)).toBeLessThan(1e-5);
    }
  });
});

it('binary inputs: sign times sign, scaled by the mean size of the input at each place', async () => {
  const m = convolution();
  const feeds = randomFeeds(m);
  const { model } = binarize.rewrite(context(m, { ends: true, mode: 'weights-activations' }));
  const got = (await runModel(runtime, model, feeds)).y!;
  const x = Array.from(feeds.x!.data as Float32Array, (v) => v / Math.sqrt(1 + 1e-5));
  const w = plain(toNumbers(m.graph.initializers[0]!), 16, (k) => Math.floor(k / 54));
  const at = (n: number, c: number, i: number, j: number): number | undefined =>
    i < 0 || j < 0 || i > 6 || j > 6 ? undefined : x[((n * 6 + c) * 7 + i) * 7 + j];
  let k = 0;
  for (let n = 0; n < 2; n++)
    for (let o = 0; o < 16; o++)
      for (let i = 0; i < 4; i++)
        for (let j = 0; j < 4; j++) {
          let sum = 0;
          let size = 0;
          for (let c = 0; c < 6; c++)
            for (let a = 0; a < 3; a++)
              for (let b = 0; b < 3; b++) {
                const v = at(n, c, 2 * i + a - 1, 2 * j + b - 1) ?? 0;
                sum += Math.sign(v) * w[((o * 6 + c) * 3 + a) * 3 + b]!;
                size += Math.abs(v) / 6 / 9;
              }
          expect(Number(got.data[k++])).toBeCloseTo(sum * size, 4);
        }
});

/** Two classes by the sign of a product of sums: no linear net answers it. */
const stripes: Dataset = (() => {
  const sample = (i: number) => {
    const values = Float32Array.from({ length: 8 }, (_, k) => (Math.imul(i * 8 + k + 1, 2654435761) >>> 0) % 256);
    const half = (from: number): number => values.slice(from, from + 4).reduce((a, b) => a + b, 0) - 510;
    return { values, label: half(0) * half(4) > 0 ? 1 : 0 };
  };
  return {
    info: {
      id: 'stripes',
      source: 'made here',
      labelled: true,
      classes: ['no', 'yes'],
      sample: { kind: 'vector', length: 8 },
      counts: { train: 1500, validation: 300, test: 0 },
      splitRule: 'by index',
    },
    read: async (split, indices) => indices.map((i) => sample(split === 'train' ? i : i + 1500)),
  };
})();

it('trains latent weights through the sign, and stores what it learnt as bits', async () => {
  const net = makeModel({
    nodes: [
      node('Gemm', ['x', 'w1', 'b1'], ['h1']),
      node('Relu', ['h1'], ['r1']),
      node('Gemm', ['r1', 'w2', 'b2'], ['h2']),
      node('Relu', ['h2'], ['r2']),
      node('Gemm', ['r2', 'w3'], ['y']),
    ],
    initializers: [
      randomTensor('w1', [8, 64]),
      randomTensor('b1', [64]),
      randomTensor('w2', [64, 64], 2, 0.2),
      randomTensor('b2', [64], 3, 0.1),
      randomTensor('w3', [64, 2], 4, 0.2),
    ],
    inputs: [value('x', ['N', 8])],
    outputs: [value('y', ['N', 2])],
  });
  const recipe = parseRecipe({
    bantam: 1,
    steps: [{ technique: 'binarize', params: { epochs: 12, learningRate: 0.01 } }],
  });
  const preview = previewRecipe(net, recipe);
  let validation = 0;
  const done = await runRecipe(net, recipe, {
    cancel: neverCancelled,
    progress: () => {},
    log: () => {},
    train: async (model, settings, c) => {
      const trained = await trainModel({
        runtime,
        clock: { now: () => 0 },
        model,
        dataset: stripes,
        settings: { ...settings, augment: false },
        seed: c.seed,
      });
      validation = trained.bestValidation ?? 0;
      return trained;
    },
  });
  expect(validation).toBeGreaterThan(0.8);
  expect(writeModel(done.model).length).toBe(preview.figures.fileBytes);
  expect(done.steps[0]?.figures.nodes).toBe(preview.figures.nodes);
  const samples = await stripes.read(
    'validation',
    Array.from({ length: 300 }, (_, i) => i),
  );
  const data = Float32Array.from(samples.flatMap((s) => Array.from(s.values)));
  const { y } = await runModel(runtime, done.model, { x: { type: 'float', dims: [300, 8], data } });
  const right = samples.filter((s, n) => Number(Number(y?.data[2 * n + 1]) > Number(y?.data[2 * n])) === s.label);
  expect(right.length / 300).toBeCloseTo(validation, 2);
});
