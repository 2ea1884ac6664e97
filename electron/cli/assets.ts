/** Owns `npm run assets`: trains the sample models on the digits and writes them with a card each. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { Fault } from '#shared/base/fault.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import { evaluate } from '#shared/training/evaluate.ts';
import { defaultPreprocess } from '#shared/training/preprocess.ts';
import { type TrainSettings, trainModel } from '#shared/training/train-model.ts';
import { buildFromZoo, zooEntry } from '#shared/zoo/index.ts';
import { openDataset } from '../host/datasets/open-dataset.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';

interface Sample {
  /** Entry of the zoo. */
  readonly id: string;
  readonly settings: TrainSettings;
}

const common = {
  batch: 64,
  optimizer: 'sgd',
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: 'cosine',
  augment: true,
} as const;

const residual = { ...common, epochs: 24, learningRate: 0.1 } as const;

/** In the order in which they are shown; the first opens by itself. */
export const sampleModels: readonly Sample[] = [
  { id: 'lenet-5', settings: { ...common, epochs: 40, learningRate: 0.03 } },
  { id: 'lenet-300-100', settings: { ...common, epochs: 40, learningRate: 0.05 } },
  { id: 'resnet-8-digits', settings: { ...common, epochs: 30, learningRate: 0.1 } },
  { id: 'bottleneck-digits', settings: residual },
  { id: 'densenet-digits', settings: residual },
  { id: 'squeezenet-digits', settings: { ...residual, learningRate: 0.03 } },
  { id: 'mobilenet-digits', settings: residual },
  { id: 'mobilenet-v2-digits', settings: residual },
  { id: 'shufflenet-digits', settings: residual },
];

/** Of the model that is kept, said beforehand; further seeds only show the spread. */
const keptSeed = 1;

async function trainOnce(s: Sample, seed: number, runtime: Runtime) {
  const clock = { now: () => performance.now() };
  const dataset = await openDataset('digits');
  const trained = await trainModel({
    runtime,
    clock,
    model: buildFromZoo(s.id, { seed }),
    dataset,
    settings: s.settings,
    seed,
    onEpoch: (r) =>
      process.stderr.write(
        `${s.id} seed ${seed} epoch ${r.epoch}: loss ${r.loss.toFixed(4)}, validation ${((r.validation ?? 0) * 100).toFixed(2)} %\n`,
      ),
  });
  const bytes = writeModel(trained.model);
  const evaluation = await evaluate(runtime, clock, { model: trained.model, source: { bytes } }, dataset);
  process.stderr.write(
    `${s.id} seed ${seed}: ${((evaluation.top1 ?? 0) * 100).toFixed(2)} % on ${evaluation.samples} test digits, ${Math.round(trained.samplesPerSecond)} samples/s\n`,
  );
  return { seed, trained, bytes, evaluation, samples: dataset.info.counts.train };
}

/** Trains one sample model, with every seed asked for, and writes NAME.onnx and its card NAME.json into `folder`. */
async function trainSample(s: Sample, folder: string, threads: number, seeds: number): Promise<void> {
  const runtime = nodeRuntime(threads);
  const kept = await trainOnce(s, keptSeed, runtime);
  const all = [{ seed: kept.seed, top1: kept.evaluation.top1, validation: kept.trained.bestValidation }];
  for (let seed = keptSeed + 1; seed < keptSeed + seeds; seed++) {
    const { evaluation, trained } = await trainOnce(s, seed, runtime);
    all.push({ seed, top1: evaluation.top1, validation: trained.bestValidation });
  }
  const { trained, bytes, evaluation: e } = kept;
  const { title, summary, source } = zooEntry(s.id);
  const figures = measureFigures(trained.model);
  const card = {
    title: title.en,
    order: sampleModels.indexOf(s),
    note: summary.en,
    source,
    data: 'digits',
    preprocess: defaultPreprocess,
    parameters: figures.parameters,
    macs: figures.macs,
    fileBytes: bytes.length,
    accuracy: { top1: e.top1, interval95: e.interval95, samples: e.samples, split: e.split },
    /** The model here is the first one's; which is kept was not chosen by accuracy. */
    seeds: all,
    training: {
      ...s.settings,
      seed: kept.seed,
      samples: kept.samples,
      bestEpoch: trained.bestEpoch,
      validation: trained.bestValidation,
      runtime: runtime.name,
    },
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  writeFileSync(join(folder, `${s.id}.onnx`), bytes);
  writeFileSync(join(folder, `${s.id}.json`), `${JSON.stringify(card, null, 2)}\n`);
}

export interface AssetsOptions {
  readonly threads?: number;
  /** Trainings a model; the first is kept. */
  readonly seeds?: number;
}

/** Trains all sample models, or those named, into `folder`. */
export async function runAssets(
  folder = 'assets/models',
  only: readonly string[] = [],
  options: AssetsOptions = {},
): Promise<void> {
  const unknown = only.find((id) => !sampleModels.some((s) => s.id === id));
  if (unknown !== undefined)
    throw new Fault('not-found', `there is no sample model "${unknown}"`, {
      hint: `Known: ${sampleModels.map((s) => s.id).join(', ')}.`,
    });
  mkdirSync(folder, { recursive: true });
  for (const s of sampleModels)
    if (only.length === 0 || only.includes(s.id))
      await trainSample(s, folder, options.threads ?? 0, options.seeds ?? 1);
}
