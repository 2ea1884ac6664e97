/** Adaptive rounding: never worse than the nearest on its rows, exact where that can be known, better on samples it never saw. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../electron/host/datasets/open-dataset.ts';
import { openModelFile } from '../../electron/host/model-files.ts';
import { evidenceSource } from '../../electron/jobs/evidence-step.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { neverCancelled } from '../base/cancel.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import { writeModel } from '../onnx/write.ts';
import type { RecipeOutcome } from '../recipes/run-recipe.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { randomFeeds, runModel, sqnrDb } from '../testing/feeds.ts';
import { runTechnique } from '../testing/run-technique.ts';
import { defaultPreprocess } from '../training/preprocess.ts';
import { judgeTrials } from '../training/trials.ts';
import { adaptiveLevels } from './adaptive-rounding.ts';

const runtime = nodeRuntime(1);

describe('levels', () => {
  const problem = (seed: number, columns: number, width: number, rows: number, top: number) => {
    const random = rng(seed);
    const normal = (): number => random.next() + random.next() - random.next() - random.next();
    // Correlated inputs: what one weight loses another can give back.
    const common = Array.from({ length: rows }, normal);
    const inputs = Float32Array.from({ length: rows * columns }, (_, k) => normal() + (common[k % rows] ?? 0));
    const weights = Float64Array.from({ length: width * columns }, normal);
    const scale = 1.5 / top;
    const r = { rows, inputs, stride: columns, offset: 0, columns, width };
    const w = { top, scale: () => scale, weight: (o: number, i: number) => weights[o * columns + i] ?? 0 };
    const error = (levels: ArrayLike<number>, o: number): number => {
      let sum = 0;
      for (let k = 0; k < rows; k++) {
        let e = 0;
        for (let i = 0; i < columns; i++)
          e += ((levels[o * columns + i] ?? 0) * scale - w.weight(o, i)) * (inputs[k * columns + i] ?? 0);
        sum += e * e;
      }
      return sum;
    };
    return { r, w, error, scale };
  };
  const clamp = (x: number, top: number): number => Math.min(top, Math.max(-top, x));

  it('stand below or above the weight, and are never worse than the nearest', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 3, 7), (seed, columns, top) => {
        const { r, w, error, scale } = problem(seed, columns, 2, 60, top);
        const { levels, before, after } = adaptiveLevels(r, w);
        const nearest = levels.map((_, k) =>
          clamp(Math.round(w.weight(Math.floor(k / columns), k % columns) / scale), top),
        );
        const all = (l: ArrayLike<number>): number => error(l, 0) + error(l, 1);
        expect(after).toBeCloseTo(all(levels), 2);
        expect(before).toBeCloseTo(all(nearest), 2);
        // The ridge may hold a weight that the rows alone would turn: never one that they would not.
        expect(after).toBeLessThanOrEqual(before * 1.0001);
        levels.forEach((q, k) => {
          const x = w.weight(Math.floor(k / columns), k % columns) / scale;
          expect([clamp(Math.floor(x), top), clamp(Math.ceil(x), top)]).toContain(q);
        });
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('are within a little of the best of all 1,024 choices', () => {
    let [best, found, nearest] = [0, 0, 0];
    for (let seed = 1; seed <= 12; seed++) {
      const { r, w, error, scale } = problem(seed, 10, 1, 80, 7);
      const choices = Array.from({ length: 1024 }, (_, mask) =>
        error(
          Array.from({ length: 10 }, (_, i) => clamp(Math.floor(w.weight(0, i) / scale) + ((mask >> i) & 1), 7)),
          0,
        ),
      );
      const done = adaptiveLevels(r, w);
      best += Math.min(...choices);
      found += done.after;
      nearest += done.before;
    }
    expect(found - best).toBeLessThan((nearest - best) / 4);
  });

  it('of unseen inputs are the nearest', () => {
    const { r, w, scale } = problem(5, 6, 1, 20, 7);
    const dark = { ...r, inputs: r.inputs.map((x, k) => (k % 6 < 3 ? 0 : x)) };
    const { levels } = adaptiveLevels(dark, w);
    for (let i = 0; i < 3; i++) expect(levels[i]).toBe(clamp(Math.round(w.weight(0, i) / scale), 7));
  });
});

it('a grouped convolution and both layouts of a product each meet their own inputs', async () => {
  const m = model({
    opset: 21,
    inputs: [value('x', [4, 8, 6, 6])],
    outputs: [value('y', [4, 12])],
    initializers: [
      randomTensor('w1', [16, 2, 3, 3], 1, 0.3),
      randomTensor('w2', [576, 20], 2, 0.1),
      randomTensor('w3', [12, 20], 3, 0.3),
    ],
    nodes: [
      node('Conv', ['x', 'w1'], ['c'], [attr.int('group', 4), attr.ints('pads', [1, 1, 1, 1])]),
      node('Relu', ['c'], ['r']),
      node('Flatten', ['r'], ['f']),
      node('MatMul', ['f', 'w2'], ['h']),
      node('Gemm', ['h', 'w3'], ['y'], [attr.int('transB', 1)]),
    ],
  });
  const db = async (rounding: string, only: string): Promise<number> => {
    const params = { mode: 'weight-only', bits: 3, rounding, samples: 400 };
    const done = await runTechnique(runtime, 'quantize', m, params, { select: { names: [only] } });
    const feeds = randomFeeds(m, 99);
    const [was, is] = [await runModel(runtime, m, feeds), await runModel(runtime, done.model, feeds)];
    return sqnrDb(was.y!, is.y!);
  };
  for (const n of m.graph.nodes.filter((k) => ['Conv', 'MatMul', 'Gemm'].includes(k.op)))
    expect(await db('adaround', n.id)).toBeGreaterThan((await db('nearest', n.id)) + 0.5);
});

it.each([
  ['lenet-5', 4, 6, 128],
  ['resnet-8-digits', 4, 4, 256],
  ['resnet-8-digits', 2, 4, 256],
])('%s at %i bits: %i dB nearer on validation digits than the nearest levels', async (name, bits, gain, samples) => {
  const digits = await openDataset('digits');
  const m = openModelFile(new URL(`../../assets/models/${name}.onnx`, import.meta.url).pathname);
  const source = evidenceSource({ dataset: digits, preprocess: defaultPreprocess });
  const of = (rounding: string): Promise<RecipeOutcome> =>
    runTechnique(runtime, 'quantize', m, { mode: 'weight-only', bits, rounding, samples }, { source });
  const [nearest, adaptive] = [await of('nearest'), await of('adaround')];
  expect(writeModel(adaptive.model)).toHaveLength(writeModel(nearest.model).length);
  const trials = [nearest, adaptive].map((r, k) => ({ key: `${k}`, model: () => r.model }));
  const judging = { runtime, model: m, trials, source, samples: 500, cancel: neverCancelled, report: () => {} };
  const scores = await judgeTrials(judging);
  const [a, b] = [scores.get('0')!, scores.get('1')!];
  expect(b.sqnrDb).toBeGreaterThan(a.sqnrDb + gain);
  expect(b.accuracy!).toBeGreaterThan(a.accuracy! - 0.004);
  if (bits === 2) expect(b.accuracy!).toBeGreaterThan(a.accuracy! + 0.05);
});
