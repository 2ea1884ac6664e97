/** Training on a grid: what is latent decodes to what was stored, what is sealed stands on the grid, in a file of the same size. */
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../electron/host/datasets/open-dataset.ts';
import { openModelFile } from '../../electron/host/model-files.ts';
import { evidenceSource } from '../../electron/jobs/evidence-step.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { calibrate } from '../analysis/calibration.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { neverCancelled } from '../base/cancel.ts';
import type { Model } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset } from '../ports/dataset.ts';
import type { Runtime } from '../ports/runtime.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import { randomFeeds, runModel, sqnrDb } from '../testing/feeds.ts';
import { leNetLike } from '../testing/nets.ts';
import { gatherEvidence } from '../training/gather-evidence.ts';
import { defaultPreprocess } from '../training/preprocess.ts';
import { withoutTest } from '../training/test-guard.ts';
import { trainModel } from '../training/train-model.ts';
import { judgeTrials } from '../training/trials.ts';
import { latentIntegers } from './latent-integers.ts';
import type { StepHost } from './run-step.ts';

const runtime = nodeRuntime(1);
const clock = { now: () => performance.now() };

async function few(count: number): Promise<Dataset> {
  const digits = await openDataset('digits');
  const counts = { train: count, validation: 500, test: 0 };
  return withoutTest({ ...digits, info: { ...digits.info, counts } });
}

async function digitsHost(count: number): Promise<StepHost> {
  const dataset = await few(count);
  const source = evidenceSource({ dataset, preprocess: defaultPreprocess });
  return {
    cancel: neverCancelled,
    progress: () => {},
    log: () => {},
    calibrate: async (m, request) => {
      const feeds = [];
      for await (const b of source(m, 'train', request.samples)) feeds.push(b.feeds);
      return calibrate(runtime, m, request, feeds, neverCancelled);
    },
    evidence: (m, request, c) =>
      gatherEvidence({ runtime, model: m, request, source, seed: c.seed, cancel: neverCancelled }),
    train: async (m, settings, c) => {
      const t = await trainModel({ runtime, clock, model: m, dataset, settings, seed: c.seed, teacher: m });
      const { bestEpoch, bestValidation: validation, samplesPerSecond } = t;
      return { ...t, training: { epochs: t.curve.length, bestEpoch, validation, samplesPerSecond } };
    },
  };
}

const lenet = openModelFile(new URL('../../assets/models/lenet-5.onnx', import.meta.url).pathname);
const quantizeTo = (params: object) => ({ technique: 'quantize', params });
const train = (params: object) => ({
  technique: 'train',
  params: { epochs: 2, learningRate: 0.01, augment: false, weightDecay: 0, ...params },
});

describe.each([
  [{ mode: 'weight-only', bits: 2 }],
  [{ mode: 'weight-only', bits: 3 }],
  [{ mode: 'weight-only', bits: 4, block: 16 }],
  [{ mode: 'weight-only', bits: 5 }],
  [{ mode: 'weight-only', bits: 7 }],
  [{ mode: 'weight-only', bits: 8, perChannel: false }],
  [{ mode: 'static' }],
  [{ mode: 'static', perChannel: false }],
])('%j', (params) => {
  it('latent weights decode to the stored ones, and seal to the same file', async () => {
    const net = leNetLike();
    const host = {
      ...(await digitsHost(1)),
      calibrate: (m: Model, r: Parameters<typeof calibrate>[2]) =>
        calibrate(runtime, m, r, [randomFeeds(net, 1)], neverCancelled),
    };
    const { model } = await runRecipe(net, parseRecipe({ bantam: 1, steps: [quantizeTo(params)] }), host);
    const stored = readModel(writeModel(model));
    for (const learnt of [false, true]) {
      const form = latentIntegers(stored, inferFacts(stored), { learnScales: learnt })!;
      expect(form.layers.size).toBe(4);
      const sealed = form.seal(readModel(writeModel(form.model)));
      expect(Buffer.from(writeModel(sealed)).equals(Buffer.from(writeModel(stored)))).toBe(true);
      const feeds = randomFeeds(net, 7);
      // Not optimised: the runtime would quantize float weights between quantized values on grids of its own.
      const plain: Runtime = { ...runtime, open: (m, o) => runtime.open(m, { ...o, optimize: 'none' }) };
      const [was, is] = [await runModel(plain, stored, feeds), await runModel(plain, form.model, feeds)];
      expect(sqnrDb(was.y!, is.y!)).toBeGreaterThan(100);
    }
  });
});

const two = { mode: 'weight-only', bits: 2 };

/** The recipe run on LeNet-5 as it is and its 2-bit form, with what training validated and what the written file gives. */
async function trained(steps: readonly object[]) {
  const host = await digitsHost(960);
  const recipe = parseRecipe({ bantam: 1, seed: 1, steps });
  const predicted = previewRecipe(lenet, recipe).figures;
  const done = await runRecipe(lenet, recipe, host);
  const bytes = writeModel(done.model);
  expect(bytes.length).toBe(predicted.fileBytes);
  const trials = [
    { key: 'trained', model: () => readModel(bytes) },
    { key: 'untrained', model: () => untrained },
  ];
  const untrained = (await runRecipe(lenet, parseRecipe({ bantam: 1, steps: [quantizeTo(two)] }), host)).model;
  const source = evidenceSource({ dataset: await few(960), preprocess: defaultPreprocess });
  const judging = { runtime, model: lenet, trials, source, samples: 500, cancel: neverCancelled, report: () => {} };
  const scores = await judgeTrials(judging);
  const told = done.steps.at(-1)?.training?.validation;
  return { told, after: scores.get('trained')!.accuracy!, before: scores.get('untrained')!.accuracy!, done };
}

it.each([
  [[quantizeTo(two), train({ learningRate: 0.05 })]],
  [[quantizeTo({ ...two, epochs: 2 })]],
  [[quantizeTo({ ...two, epochs: 1, scales: 'learnt' })]],
])('LeNet-5 in 2 bits recovers on its grid: %j', async (steps) => {
  const { told, after, before } = await trained(steps);
  // What was validated while training is what the file gives.
  expect(after).toBe(told);
  expect(after).toBeGreaterThan(before + 0.005);
});

it('static int8 trains through its activations, biases and all', async () => {
  const { told, after } = await trained([quantizeTo({ mode: 'static', epochs: 1 })]);
  expect(told).not.toBeNull();
  expect(Math.abs(after - told!)).toBeLessThan(0.005);
});
