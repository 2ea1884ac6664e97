/** share-weights: clusters against a plain definition, every width and form decoded exactly by the runtime, and training through the codebook. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { parametersOf, withValues } from '../autodiff/parameters.ts';
import { trainingGraph } from '../autodiff/training-graph.ts';
import { rng } from '../base/random.ts';
import { elementCount } from '../ir/element-type.ts';
import type { Model } from '../ir/model.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { model as makeModel, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { leNetLike } from '../testing/nets.ts';
import { techniqueLaw } from '../testing/technique-law.ts';
import { shareWeights } from './share-weights.ts';
import { type ClusterStart, clusterWeights } from './weight-clusters.ts';
import '../testing/seed.ts';

const runtime = nodeRuntime(1);
const starts = ['linear', 'density', 'random'] as const;

const weights = fc.array(
  fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true, min: -8, max: 8 }), fc.constantFrom(0, -0, 1, -1)),
  { minLength: 1, maxLength: 80 },
);

describe('clusters', () => {
  it('put every number to its nearest centroid, which is the mean of its members; zeros alone', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 2, max: 16 }), fc.constantFrom<ClusterStart>(...starts), (w, k, start) => {
        const { codebook, indices } = clusterWeights(w, k, start, rng(1));
        expect(codebook).toHaveLength(k);
        expect([...codebook]).toEqual([...codebook].sort((a, b) => a - b));
        const zeros = w.includes(0);
        const members = new Map<number, number[]>();
        w.forEach((v, i) => {
          const centroid = codebook[indices[i]!]!;
          members.set(centroid, [...(members.get(centroid) ?? []), v]);
          const others = [...codebook].filter((c) => !zeros || v === 0 || c !== 0);
          if (zeros && v === 0) expect(centroid).toBe(0);
          else if (others.length > 0)
            expect(Math.abs(v - centroid)).toBeLessThanOrEqual(Math.min(...others.map((c) => Math.abs(v - c))) + 1e-9);
        });
        for (const [centroid, own] of members)
          expect(centroid).toBeCloseTo(own.reduce((a, b) => a + b, 0) / own.length, 6);
      }),
    );
  });
  it('lose nothing where there are no more distinct numbers than centroids', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0.25, -3, 8), { minLength: 1 }), (w) => {
        const { codebook, indices } = clusterWeights(w, 4, 'linear', rng(1));
        expect(w.map((_, i) => codebook[indices[i]!])).toEqual(w);
      }),
    );
  });
});

const product = (rows: number, columns: number, opset: number, irVersion: number): Model =>
  makeModel({
    opset,
    irVersion,
    nodes: [node('MatMul', ['x', 'm.w'], ['y'])],
    initializers: [randomTensor('m.w', [rows, columns])],
    inputs: [value('x', [2, rows])],
    outputs: [value('y', [2, columns])],
  });

/** The model after one step of sharing, its weights written out dense by clustering anew. */
function shared(m: Model, params: Readonly<Record<string, number | string>>): Model {
  return previewRecipe(m, parseRecipe({ bantam: 1, steps: [{ technique: 'share-weights', params }] })).model;
}

/** What the runtime decodes: the weight itself as the product with the identity. */
async function decoded(m: Model, rows: number): Promise<Float32Array> {
  const eye = Float32Array.from({ length: rows * rows }, (_, i) => (i % (rows + 1) === 0 ? 1 : 0));
  const wide: Model = {
    ...m,
    graph: { ...m.graph, inputs: [value('x', [rows, rows])], outputs: [value('y', null)] },
  };
  const out = await runModel(runtime, wide, { x: { type: 'float', dims: [rows, rows], data: eye } });
  return out.y?.data as Float32Array;
}

describe.each([
  [13, 8],
  [21, 10],
  [25, 13],
])('opset %i', (opset, ir) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i bits come back as clustered', async (bits) => {
    const m = product(67, 41, opset, ir);
    const w = toNumbers(m.graph.initializers[0]!);
    const { codebook, indices } = clusterWeights(w, 2 ** bits, 'linear', rng(1).fork('share m.w'));
    expect(Array.from(await decoded(shared(m, { bits }), 67))).toEqual(
      Array.from(indices, (i) => Math.fround(codebook[i] ?? 0)),
    );
  });
});

it('takes bits * n / 8 bytes and the decoding', () => {
  const m = product(200, 200, 13, 8);
  for (const bits of [1, 2, 4, 5, 6, 7, 8]) {
    const bytes = writeModel(shared(m, { bits })).length;
    const plain = (40_000 * bits) / 8 + 4 * 2 ** bits;
    expect(bytes).toBeGreaterThan(plain);
    expect(bytes).toBeLessThan(plain + 1900);
  }
});

it.each([
  { granularity: 'channel', bits: 2 },
  { granularity: 'block', block: 64, bits: 3 },
  { granularity: 'block', block: 1000, bits: 4 },
])('groups have codebooks of their own: %j', async (params) => {
  const m = product(67, 41, 13, 8);
  const w = toNumbers(m.graph.initializers[0]!);
  const got = await decoded(shared(m, params), 67);
  const groupOf = (k: number): number =>
    params.granularity === 'channel' ? k % 41 : Math.floor(k / (params.block ?? 1));
  const distinct = new Map<number, Set<number>>();
  let error = 0;
  w.forEach((v, k) => {
    const set = distinct.get(groupOf(k)) ?? new Set();
    distinct.set(groupOf(k), set.add(got[k]!));
    error += (v - got[k]!) ** 2;
  });
  for (const set of distinct.values()) expect(set.size).toBeLessThanOrEqual(2 ** params.bits);
  const layer = await decoded(shared(m, { bits: params.bits }), 67);
  expect(error).toBeLessThan(w.reduce((n, v, k) => n + (v - layer[k]!) ** 2, 0));
});

describe('after pruning', () => {
  const recipe = (ratio: number, bits: number) =>
    parseRecipe({
      bantam: 1,
      steps: [
        { technique: 'prune-weights', params: { ratio } },
        { technique: 'share-weights', params: { bits } },
      ],
    });
  it.each([0.6, 0.98])('share %d removed: zeros stay zeros, and predicted = written', async (ratio) => {
    const m = product(300, 200, 13, 8);
    const preview = previewRecipe(m, recipe(ratio, 4));
    const bytes = writeModel(preview.model);
    expect(bytes.length).toBe(preview.figures.fileBytes);
    const got = await decoded(readModel(bytes), 300);
    expect(got.filter((v) => v === 0)).toHaveLength(60_000 * ratio);
    expect(new Set(got).size).toBeLessThanOrEqual(17);
    const pruned = await decoded(preview.steps[0]!.model, 300);
    expect(got.map((v) => (v === 0 ? 0 : 1))).toEqual(pruned.map((v) => (v === 0 ? 0 : 1)));
  });
  it('refuses what is shared already, and says why', () => {
    const steps = [4, 3].map((bits) => ({ technique: 'share-weights', params: { bits } }));
    expect(() => previewRecipe(product(67, 41, 13, 8), parseRecipe({ bantam: 1, steps }))).toThrow('fits nothing');
  });
});

describe('training', () => {
  it('moves the codebook: the gradient of an entry is the sum over its members', async () => {
    const m = product(30, 20, 13, 8);
    const light = shared(m, { bits: 2 });
    const [codebook] = parametersOf(light);
    expect(codebook?.dims).toEqual([4]);
    const settings = {
      batch: 2,
      loss: 'mean-squared-error',
      optimizer: 'sgd',
      momentum: 0,
      weightDecay: 0,
      batchStatistics: false,
    } as const;
    const feeds = randomFeeds(m);
    const gradientOf = async (from: Model): Promise<Map<string, Float32Array>> => {
      const graph = trainingGraph(from, 'x', settings);
      const { names } = graph;
      const values = Object.fromEntries(
        graph.carried.map((c) => [c.input, { type: 'float' as const, dims: c.dims, data: c.initial }]),
      );
      const one = { type: 'float' as const, dims: [], data: Float32Array.of(1) };
      const target = { type: 'float' as const, dims: [2, 20], data: new Float32Array(40) };
      const out = await runModel(runtime, graph.step, {
        ...values,
        ...feeds,
        [names.target]: target,
        [names.rate]: one,
        [names.step]: one,
      });
      return new Map(
        graph.carried.map((c) => [c.input, c.initial.map((v, i) => v - Number(out[c.output]?.data[i] ?? 0))]),
      );
    };
    const { indices } = clusterWeights(toNumbers(m.graph.initializers[0]!), 4, 'linear', rng(1).fork('share m.w'));
    const full = numbersTensor(
      'm.w',
      'float',
      [30, 20],
      Array.from(indices, (i) => codebook?.values[i] ?? 0),
    );
    const dense: Model = { ...m, graph: { ...m.graph, initializers: [full] } };
    const byWeight = (await gradientOf(dense)).get('m.w')!;
    const sums = [0, 0, 0, 0];
    byWeight.forEach((g, i) => {
      sums[indices[i]!]! += g;
    });
    const got = (await gradientOf(light)).get(codebook!.name)!;
    for (const [k, s] of sums.entries()) expect(got[k]).toBeCloseTo(s, 3);
    const moved = withValues(light, new Map([[codebook!.name, codebook!.values.map((v) => v * 2)]]));
    expect(maxError(await runModel(runtime, dense, feeds), await runModel(runtime, moved, feeds))).toBeGreaterThan(0.1);
  });
});

describe('law', () => {
  it.each(shareWeights.cases)('%j on LeNet’s shape', async (one) => {
    expect((await techniqueLaw(shareWeights, one, leNetLike(), { runtime })).broken).toEqual([]);
  });
  it('computes no weight in a preview', () => {
    const m = leNetLike();
    const blind: Model = {
      ...m,
      graph: {
        ...m.graph,
        initializers: m.graph.initializers.map((t) =>
          elementCount(t.dims) < 50
            ? t
            : {
                ...t,
                bytes: () => {
                  throw new Error('read');
                },
              },
        ),
      },
    };
    const steps = [{ technique: 'share-weights', params: { bits: 4 } }];
    expect(previewRecipe(blind, parseRecipe({ bantam: 1, steps })).figures).toEqual(
      previewRecipe(m, parseRecipe({ bantam: 1, steps })).figures,
    );
  });
});
