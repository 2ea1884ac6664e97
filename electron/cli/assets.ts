/** Owns `npm run assets`: trains the sample models on the digits and writes them with a card each. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { Fault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { evaluate } from '#shared/training/evaluate.ts';
import { defaultPreprocess } from '#shared/training/preprocess.ts';
import { type TrainSettings, trainModel } from '#shared/training/train-model.ts';
import { lenet5, lenet300 } from '#shared/zoo/lenet.ts';
import { resnet8 } from '#shared/zoo/resnet.ts';
import { openDataset } from '../host/datasets/open-dataset.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';

interface Sample {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly make: (seed: number) => Model;
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

export const sampleModels: readonly Sample[] = [
  {
    id: 'lenet-300-100',
    title: 'LeNet-300-100',
    note: 'Three fully connected layers; the first net that pruning papers measure.',
    make: lenet300,
    settings: { ...common, epochs: 40, learningRate: 0.05 },
  },
  {
    id: 'lenet-5',
    title: 'LeNet-5',
    note: 'Two convolutions and two fully connected layers (Caffe).',
    make: lenet5,
    settings: { ...common, epochs: 40, learningRate: 0.03 },
  },
  {
    id: 'resnet-8-digits',
    title: 'ResNet-8',
    note: 'Three residual blocks with BatchNormalization: coupled channels to see.',
    make: resnet8,
    settings: { ...common, epochs: 30, learningRate: 0.1 },
  },
];

const seed = 1;

/** Trains one sample model and writes NAME.onnx and its card NAME.json into `folder`. */
async function trainSample(s: Sample, folder: string, threads: number): Promise<void> {
  const runtime = nodeRuntime(threads);
  const clock = { now: () => performance.now() };
  const dataset = await openDataset('digits');
  const trained = await trainModel({
    runtime,
    clock,
    model: s.make(seed),
    dataset,
    settings: s.settings,
    seed,
    onEpoch: (r) =>
      process.stderr.write(
        `${s.id} epoch ${r.epoch}: loss ${r.loss.toFixed(4)}, validation ${((r.validation ?? 0) * 100).toFixed(2)} %\n`,
      ),
  });
  const bytes = writeModel(trained.model);
  const e = await evaluate(runtime, clock, { model: trained.model, source: { bytes } }, dataset);
  const figures = measureFigures(trained.model);
  const card = {
    title: s.title,
    note: s.note,
    data: 'digits',
    preprocess: defaultPreprocess,
    parameters: figures.parameters,
    macs: figures.macs,
    fileBytes: bytes.length,
    accuracy: { top1: e.top1, interval95: e.interval95, samples: e.samples, split: e.split },
    training: {
      ...s.settings,
      seed,
      samples: dataset.info.counts.train,
      bestEpoch: trained.bestEpoch,
      validation: trained.bestValidation,
      runtime: runtime.name,
    },
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  writeFileSync(join(folder, `${s.id}.onnx`), bytes);
  writeFileSync(join(folder, `${s.id}.json`), `${JSON.stringify(card, null, 2)}\n`);
  process.stderr.write(
    `${s.id}: ${((e.top1 ?? 0) * 100).toFixed(2)} % on ${e.samples} test digits, ${Math.round(trained.samplesPerSecond)} samples/s\n`,
  );
}

/** Trains all sample models, or those named, into `folder`. */
export async function runAssets(folder = 'assets/models', only: readonly string[] = [], threads = 0): Promise<void> {
  const unknown = only.find((id) => !sampleModels.some((s) => s.id === id));
  if (unknown !== undefined)
    throw new Fault('not-found', `there is no sample model "${unknown}"`, {
      hint: `Known: ${sampleModels.map((s) => s.id).join(', ')}.`,
    });
  mkdirSync(folder, { recursive: true });
  for (const s of sampleModels) if (only.length === 0 || only.includes(s.id)) await trainSample(s, folder, threads);
}
