/**
 * Owns `bantam reproduce deep-compression`: prune, retrain, share, retrain the codebook, pack (Han et al. 2016, Table 1) on
 * LeNet-300-100 and LeNet-5 with the digits. Everything is chosen on validation alone; test digits are only reported.
 */
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { pack, unpack } from '#shared/archive/archive.ts';
import { Fault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { nodeDeflate } from '../../host/node-deflate.ts';
import {
  controlLenet,
  denseLenet,
  type Epochs,
  gradualStep,
  keptName,
  type Lenet,
  leNet5,
  leNet300,
  retrainStep,
} from './lenet-study.ts';
import { afterSteps, type Errors, errorsOf, type Study } from './study.ts';

/** Han et al. 2016, Tables 1 to 3: ratios after pruning, with sharing, with Huffman coding; errors in percent. */
interface Paper {
  readonly ratios: readonly [pruned: number, shared: number, packed: number];
  readonly errorBefore: number;
  readonly errorAfter: number;
}

export interface Net extends Lenet {
  /** Share of all weights that goes. */
  readonly ratio: number;
  /** Bits of an index, by layer. */
  readonly bits: Readonly<Record<string, number>>;
  readonly paper: Paper;
  readonly epochs: Schedule;
}

export interface Schedule extends Epochs {
  readonly codebook: number;
}

export const deepCompressionNets: readonly Net[] = [
  {
    ...leNet300,
    ratio: 0.91,
    bits: { fc1: 4, fc2: 4, scores: 4 },
    paper: { ratios: [12, 32, 40], errorBefore: 1.64, errorAfter: 1.58 },
    epochs: { dense: 40, retrain: 50, codebook: 8 },
  },
  {
    ...leNet5,
    ratio: 0.92,
    bits: { conv1: 6, conv2: 5, fc1: 4, scores: 4 },
    paper: { ratios: [12, 33, 39], errorBefore: 0.8, errorAfter: 0.74 },
    epochs: { dense: 24, retrain: 24, codebook: 6 },
  },
];

/** The recipe of the paper on one of its nets, in its two halves. */
export function deepCompression(
  net: Net,
  s: Schedule,
): { readonly pruning: readonly Step[]; readonly sharing: readonly Step[] } {
  const share = Object.entries(net.bits).map(
    ([name, bits]): Step => ({ technique: 'share-weights', select: { names: [name] }, params: { bits } }),
  );
  return {
    pruning: [gradualStep(net.ratio, s.retrain, net.rate * 0.6)],
    sharing: [...share, retrainStep(s.codebook, net.rate / 10)],
  };
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
  readonly controlErrors: Errors;
  readonly stages: readonly Stage[];
  /** That its trainings took. */
  readonly seconds: number;
}

/** One net, one seed: dense, pruned, shared, packed, and the dense control. */
export async function runSeed(study: Study, net: Net, seed: number, s: Schedule = net.epochs): Promise<SeedRun> {
  const { log } = study.parts.report;
  const name = (what: string): string => keptName(net, seed, what);
  const dense = await denseLenet(study, net, seed, s.dense);
  const denseBytes = 4 * measureFigures(dense.model).parameters;
  const stages: Stage[] = [];
  const stage = async (of: Stage['stage'], model: Model, bytes: number, paperRatio: number): Promise<Errors> => {
    const errors = await errorsOf(study, model);
    stages.push({ stage: of, bytes, ratio: denseBytes / bytes, paperRatio, ...errors });
    log(
      `${name(of)}: ${bytes} bytes, ${(denseBytes / bytes).toFixed(1)}x, ${errors.validation.toFixed(2)} % wrong on validation`,
    );
    return errors;
  };
  const before = await stage('dense', dense.model, denseBytes, 1);
  const { pruning, sharing } = deepCompression(net, s);
  const pruned = await afterSteps(study, name('pruned'), dense, pruning, seed);
  await stage('pruned', pruned.model, writeModel(pruned.model).length, net.paper.ratios[0]);
  const shared = await afterSteps(study, name('shared'), pruned, sharing, seed, dense);
  const file = writeModel(shared.model);
  await stage('shared', shared.model, file.length, net.paper.ratios[1]);
  const archive = pack(file, readModel(file), nodeDeflate).bytes;
  const restored = unpack(archive, nodeDeflate);
  if (Buffer.compare(restored, file) !== 0) throw new Fault('internal', 'the archive does not restore its file');
  const after = await stage('packed', readModel(restored), archive.length, net.paper.ratios[2]);
  // As many epochs, in as many trainings: the first is also the control of pruning alone.
  const half = await controlLenet(study, net, seed, dense, [retrainStep(s.retrain, net.rate * 0.6)]);
  const control = await afterSteps(study, name('control-again'), half, sharing.slice(-1), seed, dense);
  const controlErrors = await errorsOf(study, control.model);
  return {
    seed,
    archiveBytes: archive.length,
    ratio: denseBytes / archive.length,
    errorBefore: before.error,
    errorAfter: after.error,
    control: controlErrors.error,
    controlErrors,
    stages,
    seconds: [dense, pruned, shared, half, control].reduce((sum, k) => sum + k.seconds, 0),
  };
}
