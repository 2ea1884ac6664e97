/** The whole way on a sample: a residual block replaced, fitted on activations, reconstructed, fine-tuned, judged on validation digits. */
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { neverCancelled } from '#shared/base/cancel.ts';
import type { Model } from '#shared/ir/model.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { runRecipe } from '#shared/recipes/run-recipe.ts';
import { evaluate } from '#shared/training/evaluate.ts';
import { defaultPreprocess } from '#shared/training/preprocess.ts';
import { root } from '../../scripts/build.mjs';
import { openDataset } from '../host/datasets/open-dataset.ts';
import { openModelFile } from '../host/model-files.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { stepHost } from './step-host.ts';
import { clock } from './work-parts.ts';

const runtime = nodeRuntime(1);
const report = { progress: () => {}, log: () => {}, curve: () => {}, training: () => {} };
let digits: Dataset;
let original: Model;

/** Every eighth training sample: enough to learn a block, and soon done. */
function fewer(all: Dataset, every: number): Dataset {
  const { counts } = all.info;
  return {
    info: { ...all.info, counts: { ...counts, train: Math.floor(counts.train / every) } },
    read: (split, indices) => all.read(split, split === 'train' ? indices.map((i) => i * every) : indices),
  };
}

beforeAll(async () => {
  digits = fewer(await openDataset('digits'), 8);
  original = openModelFile(join(root, 'assets/models/resnet-8-digits.onnx'));
});

const accuracy = async (model: Model): Promise<number> =>
  (await evaluate(runtime, clock, { model }, digits, { split: 'validation', preprocess: defaultPreprocess })).top1 ?? 0;

async function after(from: Model, steps: readonly Step[]): Promise<Model> {
  const data = { dataset: digits, preprocess: defaultPreprocess, original };
  const host = stepHost({ runtime, cancel: neverCancelled, report }, data);
  return (await runRecipe(from, { bantam: 1, seed: 1, steps: [...steps] }, host)).model;
}

it('a residual block gives way to a depthwise separable one, and fine-tuning brings the accuracy back', async () => {
  const names = original.graph.nodes.flatMap((n) => (n.name.startsWith('block3.') ? [n.name] : []));
  const block = { block: 'depthwise-separable', span: 'run', multiplier: 2, activation: 'relu' };
  const replace = (params: Step['params']): Step => ({
    technique: 'replace-block',
    select: { names },
    params: { ...block, ...params },
  });
  const fit = { fit: 'activations', samples: 256 };
  const tune: Step = { technique: 'train', select: { all: true }, params: { epochs: 3, learningRate: 0.01 } };
  const seeded = await after(original, [replace({})]);
  const fitted = await after(original, [replace(fit)]);
  const reconstructed = await after(original, [replace({ ...fit, reconstruct: 2 })]);
  const tuned = await after(reconstructed, [tune]);
  const shares = await Promise.all([original, seeded, fitted, reconstructed, tuned].map(accuracy));
  const [was = 0, start = 0, near = 0, nearer = 0, end = 0] = shares;
  // Two thirds of the parameters are gone.
  expect(measureFigures(tuned).parameters).toBeLessThan(0.4 * measureFigures(original).parameters);
  expect(start).toBeLessThan(0.3);
  expect(near).toBeGreaterThan(0.85);
  expect(nearer).toBeGreaterThan(near - 0.01);
  expect(end).toBeGreaterThan(nearer);
  expect(end).toBeGreaterThan(was - 0.025);
});
