/** Mixed precision: bits within the budget, near the best of all choices; nearer on validation samples than the same bits for all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../electron/host/datasets/open-dataset.ts';
import { openModelFile } from '../../electron/host/model-files.ts';
import { evidenceSource } from '../../electron/jobs/evidence-step.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { evidenceFrom, type TrialScore } from '../analysis/evidence.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { neverCancelled } from '../base/cancel.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { contextOf } from '../testing/quantized.ts';
import { runTechnique } from '../testing/run-technique.ts';
import { defaultPreprocess } from '../training/preprocess.ts';
import { judgeTrials } from '../training/trials.ts';
import { quantize } from './quantize.ts';
import { chooseWidths, type MixedLayer, widths } from './quantize-mixed.ts';

const runtime = nodeRuntime(1);

/** Noise falls to about a quarter with every bit. */
const layer = (id: string, weights: number, noise: number): MixedLayer => ({
  id,
  weights,
  noise: widths.map((w) => noise * 4 ** (2 - w)),
});
const spent = (layers: readonly MixedLayer[], at: readonly number[]): number =>
  layers.reduce((n, l, i) => n + l.weights * widths[at[i]!]!, 0);
const noiseOf = (layers: readonly MixedLayer[], at: readonly number[]): number =>
  layers.reduce((n, l, i) => n + l.noise[at[i]!]!, 0);

describe('the choice', () => {
  it('keeps the budget, and is near the best of all choices', () => {
    const some = fc.array(fc.tuple(fc.integer({ min: 10, max: 1000 }), fc.double({ min: 1e-6, max: 1, noNaN: true })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(some, fc.double({ min: 2, max: 8, noNaN: true }), (sizes, budget) => {
        const layers = sizes.map(([n, noise], i) => layer(`l${i}`, n, noise));
        const total = layers.reduce((n, l) => n + l.weights, 0);
        const chosen = chooseWidths(layers, budget);
        expect(spent(layers, chosen)).toBeLessThanOrEqual(budget * total + 1e-3);
        let best = Number.POSITIVE_INFINITY;
        for (let code = 0; code < 7 ** layers.length; code++) {
          const at = layers.map((_, i) => Math.floor(code / 7 ** i) % 7);
          if (spent(layers, at) <= budget * total) best = Math.min(best, noiseOf(layers, at));
        }
        // One step of the largest layer is what a greedy choice can miss.
        expect(noiseOf(layers, chosen)).toBeLessThanOrEqual(16 * best + 1e-9);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it('gives more bits where they count, and all of them where there is room', () => {
    const layers = [layer('small and loud', 100, 1), layer('large and quiet', 900, 0.001)];
    const [loud, quiet] = chooseWidths(layers, 3);
    expect(loud!).toBeGreaterThan(quiet! + 2);
    expect(chooseWidths(layers, 8)).toEqual([6, 6]);
    expect(chooseWidths(layers, 2)).toEqual([0, 0]);
  });
});

describe('trials whose output is no number', () => {
  const m = model({
    opset: 21,
    inputs: [value('x', [1, 64])],
    outputs: [value('y', [1, 64])],
    initializers: [randomTensor('a', [64, 64], 1), randomTensor('b', [64, 64], 2), randomTensor('c', [64, 64], 3)],
    nodes: [node('MatMul', ['x', 'a'], ['h']), node('MatMul', ['h', 'b'], ['g']), node('MatMul', ['g', 'c'], ['y'])],
  });
  const c = contextOf(m, { mode: 'weight-only', precision: 'mixed', budget: 4 });
  const [first, second, third] = c.selected.map((n) => n.id);
  const bits = (db: number): ReadonlyMap<string, number> => {
    const score = (sqnrDb: number): TrialScore => ({ accuracy: null, baseAccuracy: null, agreement: null, sqnrDb });
    const trials = new Map([first, second, third].map((id, k) => [`mixed ${id}`, score([20, db, 30][k]!)]));
    const none = { channels: new Map(), rows: new Map(), gradients: new Map(), taylor: new Map() };
    const { layers } = quantize.rewrite({ ...c, evidence: [evidenceFrom({ ...none, trials })] });
    return new Map(layers.map((l) => [l.id, Number(/^(\d)-bit/.exec(l.taken ? l.what : '')?.[1])]));
  };
  it.each([Number.NaN, Number.NEGATIVE_INFINITY])('%s dB gets the most bits', (db) => {
    const given = bits(db);
    for (const other of [first, third]) expect(given.get(second!)!).toBeGreaterThan(given.get(other!)!);
  });
  it('an output that stays the same gets the fewest', () => {
    expect(bits(Number.POSITIVE_INFINITY).get(second!)).toBe(2);
  });
});

it('ResNet-8 at 3 bits on average: nearer than 3 bits everywhere, in no more bits of weights', async () => {
  const digits = await openDataset('digits');
  const m = openModelFile(new URL('../../assets/models/resnet-8-digits.onnx', import.meta.url).pathname);
  const source = evidenceSource({ dataset: digits, preprocess: defaultPreprocess });
  const of = (params: object) =>
    runTechnique(runtime, 'quantize', m, { mode: 'weight-only', samples: 64, ...params }, { source });
  const [same, mixed] = [await of({ bits: 3 }), await of({ precision: 'mixed', budget: 3 })];
  const step = mixed.steps[0]!;
  // What the step says is what the file holds.
  expect(measureFigures(readModel(writeModel(mixed.model))).fileBytes).toBe(step.figures.fileBytes);
  const bits = step.layers.map((l) => Number(/^(\d)-bit/.exec(l.taken ? l.what : '')?.[1]));
  expect(new Set(bits).size).toBeGreaterThan(1);
  expect(step.notes.map((n) => n.en).join()).toContain('Bits by layer');
  const trials = [same, mixed].map((r, k) => ({ key: `${k}`, model: () => r.model }));
  const judging = { runtime, model: m, trials, source, samples: 500, cancel: neverCancelled, report: () => {} };
  const scores = await judgeTrials(judging);
  expect(scores.get('1')!.sqnrDb).toBeGreaterThan(scores.get('0')!.sqnrDb + 1);
  expect(writeModel(mixed.model).length).toBeLessThan(writeModel(same.model).length * 1.1);
});
