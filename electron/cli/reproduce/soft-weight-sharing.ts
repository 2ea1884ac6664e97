/**
 * Owns `bantam reproduce soft-weight-sharing`: LeNet-300-100 trained on under a mixture of 16 Gaussians, merged, assigned and packed
 * (Ullrich, Meeds, Welling 2017, Table 1), beside a dense control. The strength is fixed beforehand; test digits are only told.
 */
import { mean } from 'simple-statistics';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { pack, unpack } from '#shared/archive/archive.ts';
import { Fault } from '#shared/base/fault.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { nodeDeflate } from '../../host/node-deflate.ts';
import { count } from '../table.ts';
import { decodedWeights } from './decoded-weights.ts';
import { controlLenet, denseLenet, type Epochs, keptName, leNet300 } from './lenet-study.ts';
import { type Page, points, publish, signed, spread, spreadOrUnknown, times } from './page.ts';
import { afterSteps, type Errors, errorsOf, type Study, type StudyOptions, seedsUpTo, withStudy } from './study.ts';

const net = leNet300;
const weights = ['fc1.weight', 'fc2.weight', 'scores.weight'];
const rate = 0.02;

export const softEpochs: Epochs = { dense: 40, retrain: 60 };

/** Ullrich et al. 2017, Table 1, LeNet-300-100 on MNIST: errors in percent, ratio. */
const paper = { errorBefore: 1.89, errorAfter: 1.94, ratio: 32.4 };

const shareStep = (epochs: number): Step => ({
  technique: 'share-weights',
  select: { all: true },
  params: { method: 'mixture', bits: 4, epochs, learningRate: rate },
});
const controlStep = (epochs: number): Step => ({
  technique: 'train',
  select: { all: true },
  params: { epochs, batch: 128, learningRate: rate, weightDecay: 0 },
});

export interface SoftSeed {
  readonly seed: number;
  readonly dense: Errors;
  readonly control: Errors;
  readonly shared: Errors;
  readonly denseBytes: number;
  readonly fileBytes: number;
  readonly archiveBytes: number;
  readonly ratio: number;
  /** Share of the weights that are zero, and distinct values among them, as the runtime decodes them. */
  readonly zeros: number;
  readonly values: number;
}

export async function softSeed(study: Study, seed: number, epochs: Epochs): Promise<SoftSeed> {
  const dense = await denseLenet(study, net, seed, epochs.dense);
  const control = await controlLenet(study, net, seed, dense, [controlStep(epochs.retrain)]);
  const shared = await afterSteps(study, keptName(net, seed, 'soft'), dense, [shareStep(epochs.retrain)], seed);
  const file = writeModel(shared.model);
  const archive = pack(file, readModel(file), nodeDeflate);
  if (!Buffer.from(unpack(archive.bytes, nodeDeflate)).equals(Buffer.from(file)))
    throw new Fault('internal', 'the archive does not give the file back');
  const decoded = await decodedWeights(study.parts.runtime, shared.model, weights);
  const all = weights.flatMap((w) => Array.from(decoded.get(w) ?? []));
  const denseBytes = 4 * measureFigures(dense.model).parameters;
  return {
    seed,
    dense: await errorsOf(study, dense.model),
    control: await errorsOf(study, control.model),
    shared: await errorsOf(study, shared.model),
    denseBytes,
    fileBytes: file.length,
    archiveBytes: archive.bytes.length,
    ratio: denseBytes / archive.bytes.length,
    zeros: all.filter((w) => w === 0).length / all.length,
    values: new Set(all).size,
  };
}

export interface SoftResult {
  readonly name: string;
  readonly denseBytes: number;
  readonly archiveBytes: number;
  readonly ratio: number;
  readonly errorBefore: number;
  readonly errorAfter: number;
  readonly control: number;
  readonly seeds: readonly SoftSeed[];
}

export function softResult(seeds: readonly SoftSeed[]): SoftResult {
  const of = (pick: (s: SoftSeed) => number): number => mean(seeds.map(pick));
  return {
    name: net.name,
    denseBytes: of((s) => s.denseBytes),
    archiveBytes: of((s) => s.archiveBytes),
    ratio: of((s) => s.ratio),
    errorBefore: of((s) => s.dense.error),
    errorAfter: of((s) => s.shared.error),
    control: of((s) => s.control.error),
    seeds,
  };
}

export function softPage(r: SoftResult, epochs: Epochs): Page {
  const row = (name: string, pick: (s: SoftSeed) => Errors, bytes: string, ratio: string): readonly string[] => [
    name,
    spread(r.seeds.map((s) => pick(s).validation)),
    spread(r.seeds.map((s) => pick(s).error)),
    spreadOrUnknown(r.seeds.map((s) => pick(s).mnistTest)),
    bytes,
    ratio,
  ];
  return {
    title: 'Soft weight sharing on LeNet-300-100',
    about: [
      'Ullrich, Meeds, Welling 2017: the trained net is trained on under a mixture of 16 Gaussians, one of them held at zero; components are then merged, every weight takes the mean of its component, and nothing is trained after.',
      `Trained with the 7,000 training digits, augmented: ${epochs.dense} epochs dense, ${epochs.retrain} under the prior; the dense control has as many more. Errors in percent, of 1,000 validation digits, 2,000 test digits, and MNIST's own 10,000 test digits where they are here; mean and standard deviation over seeds. The ratio is 4 bytes a parameter over the bytes of the archive, graph and tables included. The paper, on MNIST's 60,000: ${points(paper.errorBefore)} before, ${points(paper.errorAfter)} after, ${times(paper.ratio)}.`,
    ],
    sections: [
      {
        title: 'Means',
        parts: [
          {
            head: ['', 'validation', 'test', 'MNIST test', 'bytes', 'ratio'],
            rows: [
              row('dense', (s) => s.dense, count(r.denseBytes), times(1)),
              row('dense control', (s) => s.control, count(r.denseBytes), times(1)),
              row(
                'shared, packed',
                (s) => s.shared,
                count(Math.round(r.archiveBytes)),
                `${spread(
                  r.seeds.map((s) => s.ratio),
                  1,
                )}x`,
              ),
            ],
          },
          `On the test digits ${signed(r.errorAfter - r.errorBefore)} points from the dense net.`,
        ],
      },
      {
        title: 'Every seed',
        parts: [
          {
            head: ['seed', 'dense', 'control', 'shared', 'zeros', 'values', 'file bytes', 'archive bytes', 'ratio'],
            rows: r.seeds.map((s) => [
              String(s.seed),
              points(s.dense.error),
              points(s.control.error),
              points(s.shared.error),
              points(s.zeros * 100),
              String(s.values),
              count(s.fileBytes),
              count(s.archiveBytes),
              times(s.ratio),
            ]),
          },
        ],
      },
    ],
  };
}

export async function reproduceSoftWeightSharing(options: StudyOptions): Promise<void> {
  const seedCount = options.seeds ?? 1;
  await withStudy(options, async (study) => {
    const seeds: SoftSeed[] = [];
    for (const seed of seedsUpTo(seedCount)) seeds.push(await softSeed(study, seed, softEpochs));
    const result = softResult(seeds);
    const page = softPage(result, softEpochs);
    publish(options, study.parts.runtime.name, { models: [result] }, page, `soft-weight-sharing --seeds ${seedCount}`);
  });
}
