/**
 * Owns `bantam reproduce deep-compression`: prune, retrain, share, retrain the codebook, pack (Han et al. 2016, Table 1) on
 * LeNet-300-100 and LeNet-5 with the digits. Epochs are chosen on validation alone; test digits are only reported.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { pack } from '#shared/archive/archive.ts';
import type { Model } from '#shared/ir/model.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { parseRecipe, type Recipe, type Step } from '#shared/recipes/recipe.ts';
import { runRecipe } from '#shared/recipes/run-recipe.ts';
import { evaluate } from '#shared/training/evaluate.ts';
import { defaultPreprocess } from '#shared/training/preprocess.ts';
import { lenet5, lenet300 } from '#shared/zoo/lenet.ts';
import { openDataset } from '../../host/datasets/open-dataset.ts';
import { nodeDeflate } from '../../host/node-deflate.ts';
import { stepHost } from '../../jobs/step-host.ts';
import { clock, type WorkParts } from '../../jobs/work-parts.ts';

/** Han et al. 2016, Tables 1 to 3: ratios after pruning, with sharing, with Huffman coding; errors in percent. */
interface Paper {
  readonly ratios: readonly [pruned: number, shared: number, packed: number];
  readonly errorBefore: number;
  readonly errorAfter: number;
}

interface Net {
  readonly name: string;
  readonly make: (seed: number) => Model;
  readonly rate: number;
  /** Share of the weights that stays, and bits of an index, by layer. */
  readonly layers: readonly { readonly names: readonly string[]; readonly keep: number; readonly bits: number }[];
  readonly paper: Paper;
}

const nets: readonly Net[] = [
  {
    name: 'LeNet-300-100',
    make: lenet300,
    rate: 0.05,
    layers: [
      { names: ['fc1'], keep: 0.06, bits: 4 },
      { names: ['fc2'], keep: 0.11, bits: 4 },
      { names: ['scores'], keep: 0.3, bits: 4 },
    ],
    paper: { ratios: [12, 32, 40], errorBefore: 1.64, errorAfter: 1.58 },
  },
  {
    name: 'LeNet-5',
    make: lenet5,
    rate: 0.03,
    layers: [
      { names: ['conv1'], keep: 0.66, bits: 6 },
      { names: ['conv2'], keep: 0.12, bits: 5 },
      { names: ['fc1'], keep: 0.05, bits: 4 },
      { names: ['scores'], keep: 0.19, bits: 4 },
    ],
    paper: { ratios: [12, 33, 39], errorBefore: 0.8, errorAfter: 0.74 },
  },
];

export interface Schedule {
  readonly dense: number;
  readonly retrain: number;
  readonly codebook: number;
}
export const fullSchedule: Schedule = { dense: 60, retrain: 60, codebook: 15 };

const trainStep = (epochs: number, learningRate: number): Step => ({
  technique: 'train',
  select: { all: true },
  params: { epochs, learningRate, weightDecay: 5e-4 },
});

/** The recipe of the paper on one of its nets. */
export function deepCompression(net: Net, seed: number, s: Schedule): Recipe {
  const prune = net.layers.map(
    ({ names, keep }): Step => ({
      technique: 'prune-weights',
      select: { names: [...names] },
      params: { ratio: 1 - keep },
    }),
  );
  const share = net.layers.map(
    ({ names, bits }): Step => ({ technique: 'share-weights', select: { names: [...names] }, params: { bits } }),
  );
  const steps = [...prune, trainStep(s.retrain, net.rate / 2), ...share, trainStep(s.codebook, net.rate / 20)];
  return parseRecipe({ bantam: 1, seed, preprocess: defaultPreprocess, steps });
}

/** Errors in percent on the test digits, and on the corpus's MNIST test digits where they are. */
interface Errors {
  readonly error: number;
  readonly mnistTest: number | null;
}

export interface Stage extends Errors {
  readonly stage: 'dense' | 'pruned' | 'shared' | 'packed';
  readonly bytes: number;
  readonly ratio: number;
  readonly paperRatio: number;
}

export interface SeedRun {
  readonly seed: number;
  readonly archiveBytes: number;
  readonly ratio: number;
  readonly errorBefore: number;
  readonly errorAfter: number;
  readonly control: number;
  readonly stages: readonly Stage[];
  readonly seconds: number;
}

/** Data of one run of the experiment. */
export interface Digits {
  readonly digits: Dataset;
  /** The 10,000 MNIST test digits, disjoint from the package's, where this machine has them. */
  readonly mnist: Dataset | undefined;
}

export async function openDigits(corpus: string | undefined): Promise<Digits> {
  const folder = corpus === undefined ? '' : join(corpus, 'data', 'mnist');
  return { digits: await openDataset('digits'), mnist: existsSync(folder) ? await openDataset(folder) : undefined };
}

async function errorsOf(parts: WorkParts, model: Model, data: Digits): Promise<Errors> {
  const bytes = writeModel(model);
  const on = async (dataset: Dataset): Promise<number> => {
    const subject = { model, source: { bytes } };
    const done = await evaluate(parts.runtime, clock, subject, dataset, { preprocess: defaultPreprocess });
    return (1 - (done.top1 ?? 0)) * 100;
  };
  return { error: await on(data.digits), mnistTest: data.mnist === undefined ? null : await on(data.mnist) };
}

/** One net, one seed: dense, pruned, shared, packed, and the dense control. */
export async function runSeed(parts: WorkParts, data: Digits, net: Net, seed: number, s: Schedule): Promise<SeedRun> {
  const started = clock.now();
  const say = (what: string): void => parts.report.log(`${net.name}, seed ${seed}: ${what}`);
  const run = async (model: Model, steps: readonly Step[], original: Model): Promise<Model> => {
    const host = stepHost(parts, { dataset: data.digits, preprocess: defaultPreprocess, original });
    return (await runRecipe(model, { bantam: 1, seed, steps: [...steps] }, host)).model;
  };
  say('dense');
  const fresh = net.make(seed);
  const dense = await run(fresh, [trainStep(s.dense, net.rate)], fresh);
  const denseBytes = 4 * measureFigures(dense).parameters;
  const stages: Stage[] = [];
  const stage = async (name: Stage['stage'], model: Model, bytes: number, paperRatio: number): Promise<Errors> => {
    const errors = await errorsOf(parts, model, data);
    stages.push({ stage: name, bytes, ratio: denseBytes / bytes, paperRatio, ...errors });
    say(`${name}: ${bytes} bytes, ${(denseBytes / bytes).toFixed(1)}x, error ${errors.error.toFixed(2)} %`);
    return errors;
  };
  const before = await stage('dense', dense, denseBytes, 1);
  const { steps } = deepCompression(net, seed, s);
  const split = net.layers.length + 1;
  const pruned = await run(dense, steps.slice(0, split), dense);
  await stage('pruned', pruned, writeModel(pruned).length, net.paper.ratios[0]);
  const shared = await run(pruned, steps.slice(split), dense);
  const file = writeModel(shared);
  await stage('shared', shared, file.length, net.paper.ratios[1]);
  const archive = pack(file, readModel(file), nodeDeflate);
  const after = await stage('packed', shared, archive.bytes.length, net.paper.ratios[2]);
  say('dense control');
  const control = await run(dense, [trainStep(s.retrain, net.rate / 2), trainStep(s.codebook, net.rate / 20)], dense);
  const controlled = await errorsOf(parts, control, data);
  return {
    seed,
    archiveBytes: archive.bytes.length,
    ratio: denseBytes / archive.bytes.length,
    errorBefore: before.error,
    errorAfter: after.error,
    control: controlled.error,
    stages,
    seconds: (clock.now() - started) / 1000,
  };
}

export { nets as deepCompressionNets };
