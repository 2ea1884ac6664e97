/** Laws of prune-weights: exact counts, the runtime's output of every storage form, folding at load, the global estimate. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { model as makeModel, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { checkLaw } from '../testing/laws.ts';
import { leNetLike, nets } from '../testing/nets.ts';
import { estimatedCounts, keptMask, removedCounts, thresholdOf } from './magnitude.ts';
import '../testing/seed.ts';

const runtime = nodeRuntime(1);

/** The plain definition: sort by magnitude, ties by index, drop the first. */
function plainMask(values: ArrayLike<number>, count: number): number[] {
  const order = Array.from(values, (_, i) => i).sort(
    (a, b) => Math.abs(values[a] ?? 0) - Math.abs(values[b] ?? 0) || a - b,
  );
  const mask = order.map(() => 1);
  for (const i of order.slice(0, count)) mask[i] = 0;
  return mask;
}

const tensor = (values: readonly number[]): Tensor => numbersTensor('w', 'float', [values.length], values);

describe('magnitude', () => {
  it('removes exactly the smallest, ties by index', () => {
    const number = fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 1, -1, 0.5));
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (v, s) => {
          const count = Math.round(v.length * s);
          const values = Array.from(Float32Array.from(v));
          expect(Array.from(keptMask(tensor(values), count))).toEqual(plainMask(values, count));
        },
      ),
    );
  });

  it('shares one threshold between tensors, to the exact total', () => {
    const tensors = [randomTensor('a', [300], 1, 1), randomTensor('b', [200], 2, 0.1)];
    const counts = removedCounts(tensors, thresholdOf(tensors, 250));
    expect(counts[0] ?? 0).toBeLessThan(counts[1] ?? 0);
    expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(250);
  });

  it('estimates those counts from quantiles within 2 %', () => {
    const tensors = [randomTensor('a', [5000], 1, 1), randomTensor('b', [3000], 2, 0.3)];
    const exact = removedCounts(tensors, thresholdOf(tensors, 4000));
    const summaries = tensors.map((t) => {
      const sorted = toNumbers(t).map(Math.abs).sort();
      const quantiles = Array.from({ length: 101 }, (_, i) => sorted[Math.round((i / 100) * (sorted.length - 1))] ?? 0);
      return { count: sorted.length, zeros: 0, quantiles };
    });
    const estimate = estimatedCounts(summaries, 4000);
    expect(estimate.reduce((a, b) => a + b, 0)).toBe(4000);
    estimate.forEach((n, i) => {
      expect(Math.abs(n - (exact[i] ?? 0))).toBeLessThan(0.02 * (tensors[i]?.dims[0] ?? 0));
    });
  });
});

/** The model with its pruned weights written out dense. */
function dense(model: Model, ratio: number): Model {
  const initializers = model.graph.initializers.map((t) => {
    if (!t.name.endsWith('.w')) return t;
    const values = toNumbers(t);
    const mask = plainMask(values, Math.round(values.length * ratio));
    return numbersTensor(
      t.name,
      t.type,
      t.dims,
      values.map((v, i) => v * (mask[i] ?? 0)),
    );
  });
  return { ...model, graph: { ...model.graph, initializers } };
}

describe.each(Object.entries(nets))('prune-weights on %s', (_, make) => {
  it.each([0, 0.5, 0.97, 1])('share %d: law holds and the output is that of the masked weights', async (ratio) => {
    const model = make();
    const feeds = randomFeeds(model);
    const law = await checkLaw('prune-weights', model, { ratio }, { runtime, feeds });
    expect(law.broken).toEqual([]);
    expect(maxError(await runModel(runtime, dense(model, ratio), feeds), law.outputs ?? {})).toBeLessThan(1e-6);
  });
  it('global scope: law holds', async () => {
    const law = await checkLaw('prune-weights', make(), { ratio: 0.6, scope: 'global' }, { runtime });
    expect(law.broken).toEqual([]);
  });
});

const matMul = (type: 'float' | 'float16' | 'double', rows: number): Model =>
  makeModel({
    nodes: [node('MatMul', ['x', 'm.w'], ['y'])],
    initializers: [numbersTensor('m.w', type, [rows, 40], toNumbers(randomTensor('m.w', [rows, 40])))],
    inputs: [value('x', [2, rows], type)],
    outputs: [value('y', [2, 40], type)],
  });

describe('storage', () => {
  const kindsAt = (model: Model, ratio: number): string => {
    const step = { technique: 'prune-weights', params: { ratio } };
    const layer = previewRecipe(model, parseRecipe({ bantam: 1, steps: [step] })).steps[0]?.layers[0];
    return layer?.taken === true ? (layer.what.split(', ')[1] ?? '') : '';
  };
  it('takes whichever form is smallest', () => {
    const model = matMul('float', 201);
    expect(kindsAt(model, 0)).toBe('kept dense');
    expect(kindsAt(model, 0.5)).toBe('stored as bit mask');
    expect(kindsAt(model, 0.99)).toBe('stored sparse');
  });
  it('is smaller than dense by what the mask saves', () => {
    const model = matMul('float', 201);
    const step = { technique: 'prune-weights', params: { ratio: 0.5 } };
    const preview = previewRecipe(model, parseRecipe({ bantam: 1, steps: [step] }));
    // 8,040 weights: half of 32,160 bytes, and 1,005 bytes of bits, and the nodes that decode.
    expect(preview.figures.fileBytes).toBeGreaterThan(16_080 + 1005);
    expect(preview.figures.fileBytes).toBeLessThan(16_080 + 1005 + 1500);
  });
  it.each(['float16', 'double'] as const)('stores %s', async (type) => {
    const law = await checkLaw('prune-weights', matMul(type, 64), { ratio: 0.6 }, { runtime });
    expect(law.broken).toEqual([]);
  });
  it('decodes at load: no decoding operator runs per call', async () => {
    const preview = previewRecipe(
      leNetLike(),
      parseRecipe({ bantam: 1, steps: [{ technique: 'prune-weights', params: { ratio: 0.6 } }] }),
    );
    expect(preview.model.graph.nodes.some((n) => n.op === 'CumSum')).toBe(true);
    const session = await runtime.open({ bytes: writeModel(preview.model) }, { threads: 1, profile: true });
    await session.run(randomFeeds(preview.model));
    const ops = new Set((await session.endProfile()).map((e) => e.op));
    await session.release();
    expect([...ops].filter((op) => ['CumSum', 'Gather', 'BitShift', 'Mod', 'Cast', 'Mul'].includes(op))).toEqual([]);
    expect(ops.size).toBeGreaterThan(2);
  });
  it('prunes a weight that two nodes share once', () => {
    const shared = makeModel({
      nodes: [node('MatMul', ['x', 'm.w'], ['h']), node('MatMul', ['h', 'm.w'], ['y'])],
      initializers: [randomTensor('m.w', [40, 40])],
      inputs: [value('x', [1, 40])],
      outputs: [value('y', [1, 40])],
    });
    const step = { technique: 'prune-weights', params: { ratio: 0.5 } };
    const { model } = previewRecipe(shared, parseRecipe({ bantam: 1, steps: [step] }));
    expect(graphIndex(model.graph).uses.get('m.w')?.length).toBe(2);
    expect(model.graph.nodes.filter((n) => n.outputs[0] === 'm.w').length).toBe(1);
  });
  it('twice gives unique names, and says what is stored already', () => {
    const steps = [0.5, 0.8].map((ratio) => ({ technique: 'prune-weights', params: { ratio } }));
    const preview = previewRecipe(leNetLike(), parseRecipe({ bantam: 1, steps }));
    const made = preview.model.graph.nodes.flatMap((n) => n.outputs);
    expect(new Set(made).size).toBe(made.length);
    expect(new Set(preview.model.graph.nodes.map((n) => n.id)).size).toBe(preview.model.graph.nodes.length);
    expect(preview.steps[1]?.layers.find((l) => l.id === 'f1')).toMatchObject({ taken: false });
  });
});
