/**
 * Owns the training loop: epochs of shuffled batches through the training graph, validation after each, the best epoch kept.
 * Chosen on validation alone; test samples are out of reach.
 */

import { stepScale } from '../autodiff/optimizers.ts';
import { withValues } from '../autodiff/parameters.ts';
import { type TrainingGraph, trainingGraph } from '../autodiff/training-graph.ts';
import { type Cancel, neverCancelled } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { rng } from '../base/random.ts';
import type { Model } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { Clock } from '../ports/clock.ts';
import type { Dataset, Sample } from '../ports/dataset.ts';
import type { RunTensor, Runtime, Session } from '../ports/runtime.ts';
import { type Augment, augmented, sampleStream, standardAugment } from './augment.ts';
import { argmax } from './class-scores.ts';
import { type ModelInput, modelInput } from './model-input.ts';
import { defaultPreprocess, preprocessBatch } from './preprocess.ts';
import type { Preprocess } from './preprocess-schema.ts';
import { withoutTest } from './test-guard.ts';

export interface TrainSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: 'sgd' | 'adam';
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly schedule: 'constant' | 'cosine';
  /** Of training pictures alone; true: the standard one. */
  readonly augment: boolean | Augment;
  /** Ids of the nodes that learn; all by default. */
  readonly layers?: readonly string[];
}

export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** Mean training loss of the epoch. */
  readonly loss: number;
  /** Share of validation samples answered right (without labels: as the teacher answers them). */
  readonly validation: number | null;
  readonly secondsLeft: number | null;
}

export interface TrainParts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly model: Model;
  readonly dataset: Dataset;
  readonly preprocess?: Preprocess;
  readonly settings: TrainSettings;
  readonly seed: number;
  /** Answers in place of labels; needed where the data has none. Trained by softmax of its scores. */
  readonly teacher?: Model;
  readonly output?: string;
  readonly batchStatistics?: boolean;
  readonly cancel?: Cancel;
  readonly onEpoch?: (report: EpochReport) => void;
  readonly onProgress?: (share: number) => void;
}

export interface Trained {
  readonly model: Model;
  /** Epoch whose weights these are; 0: none was better than the start. */
  readonly bestEpoch: number;
  readonly bestValidation: number | null;
  readonly curve: readonly EpochReport[];
  readonly cancelled: boolean;
  readonly samplesPerSecond: number;
}

type Values = Readonly<Record<string, RunTensor>>;

/** Learning rate at a share of the whole training. Cosine falls to zero (Loshchilov and Hutter 2017, eq. 5). */
export const rateAt = (s: TrainSettings, share: number): number =>
  s.schedule === 'cosine' ? (s.learningRate * (1 + Math.cos(Math.PI * share))) / 2 : s.learningRate;

const scalar = (v: number): RunTensor => ({ type: 'float', dims: [], data: Float32Array.of(v) });

/** One row per sample: 1 at the label. Rows without a label stay zero and count for nothing. */
function oneHot(samples: readonly Sample[], classes: number): RunTensor {
  const data = new Float32Array(samples.length * classes);
  for (const [n, s] of samples.entries()) if (s.label !== null && s.label < classes) data[n * classes + s.label] = 1;
  return { type: 'float', dims: [samples.length, classes], data };
}

function softmaxRows(scores: Float32Array, classes: number): Float32Array {
  const out = new Float32Array(scores.length);
  for (let from = 0; from < scores.length; from += classes) {
    const row = scores.subarray(from, from + classes);
    const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((a, b) => a + Math.exp(b - top), 0);
    for (let k = 0; k < classes; k++) out[from + k] = Math.exp((row[k] ?? 0) - top) / sum;
  }
  return out;
}

interface Loop {
  readonly parts: TrainParts;
  readonly data: Dataset;
  readonly graph: TrainingGraph;
  readonly input: ModelInput;
  readonly batch: number;
  readonly step: Session;
  readonly forward: Session;
  /** Softmax of the teacher's scores. */
  readonly teach?: (feed: RunTensor) => Promise<Float32Array>;
}

const feedOf = (l: Loop, samples: readonly Sample[]): RunTensor =>
  preprocessBatch(samples, l.data.info.sample, l.input, l.parts.preprocess ?? defaultPreprocess);

async function targetOf(l: Loop, samples: readonly Sample[], feed: RunTensor): Promise<RunTensor> {
  if (l.teach === undefined) return oneHot(samples, l.graph.classes);
  return { type: 'float', dims: [l.batch, l.graph.classes], data: await l.teach(feed) };
}

/** Accuracy (or agreement with the teacher) on the validation split, the last batch filled up; cut short when cancelled. */
async function validate(l: Loop, values: Values): Promise<number | null> {
  const count = l.data.info.counts.validation;
  if (count === 0) return null;
  const fixed = Object.fromEntries(l.graph.learnt.map((name) => [name, values[name]] as const)) as Values;
  let right = 0;
  for (let from = 0; from < count; from += l.batch) {
    if (l.parts.cancel?.requested === true) return null;
    const real = Math.min(l.batch, count - from);
    const indices = Array.from({ length: l.batch }, (_, i) => Math.min(from + i, count - 1));
    const samples = await l.data.read('validation', indices);
    const feed = feedOf(l, samples);
    const out = await l.forward.run({ ...fixed, [l.graph.names.data]: feed });
    const scores = out[l.graph.names.scores]?.data as Float32Array;
    const target = l.teach === undefined ? undefined : await l.teach(feed);
    for (let n = 0; n < real; n++) {
      const wanted = target === undefined ? samples[n]?.label : argmax(target, n, l.graph.classes);
      if (argmax(scores, n, l.graph.classes) === wanted) right++;
    }
  }
  return right / count;
}

const diverged = (epoch: number): Fault =>
  new Fault('diverged', 'the loss is no number any more', {
    where: `epoch ${epoch}`,
    hint: 'Take a learning rate a tenth of this one, and check the preprocessing.',
  });

/** The samples of a batch as they are trained, each changed by its own stream. */
function augmentedBatch(
  l: Loop,
  samples: readonly Sample[],
  indices: readonly number[],
  epoch: number,
): readonly Sample[] {
  const { augment } = l.parts.settings;
  if (augment === false) return samples;
  const how = augment === true ? standardAugment : augment;
  return samples.map((s, i) =>
    augmented(s, l.data.info.sample, sampleStream(l.parts.seed, epoch, indices[i] ?? 0), how),
  );
}

interface EpochEnd {
  readonly values: Values;
  readonly loss: number;
  readonly steps: number;
  readonly cancelled: boolean;
}

async function runEpoch(l: Loop, epoch: number, start: Values, stepsBefore: number): Promise<EpochEnd> {
  const { settings, seed, cancel = neverCancelled } = l.parts;
  const random = rng(seed).fork(`epoch ${epoch}`);
  const count = l.data.info.counts.train;
  const order = random.shuffle(Array.from({ length: count }, (_, i) => i));
  const steps = Math.max(1, Math.floor(count / l.batch));
  const { names } = l.graph;
  let values = start;
  let loss = 0;
  for (let k = 0; k < steps; k++) {
    if (cancel.requested) return { values, loss: loss / Math.max(1, k), steps: stepsBefore + k, cancelled: true };
    const indices = Array.from({ length: l.batch }, (_, i) => order[(k * l.batch + i) % count] ?? 0);
    const plain = await l.data.read('train', indices);
    const samples = augmentedBatch(l, plain, indices, epoch);
    const feed = feedOf(l, samples);
    const rate = rateAt(settings, (epoch - 1 + k / steps) / settings.epochs);
    const out = await l.step.run({
      ...values,
      [names.data]: feed,
      [names.target]: await targetOf(l, samples, feed),
      [names.rate]: scalar(rate),
      [names.step]: scalar(rate * stepScale({ ...settings }, stepsBefore + k + 1)),
    });
    const now = Number(out[names.loss]?.data[0] ?? Number.NaN);
    if (!Number.isFinite(now)) throw diverged(epoch);
    loss += now;
    values = Object.fromEntries(l.graph.carried.map((c) => [c.input, out[c.output]] as const)) as Values;
    l.parts.onProgress?.((epoch - 1 + (k + 1) / steps) / settings.epochs);
  }
  return { values, loss: loss / steps, steps: stepsBefore + steps, cancelled: false };
}

/**
 * The last epoch within one standard error of the best so far is kept (Breiman et al. 1984): single epochs that validate
 * best by luck do not win over later ones.
 */
const keeps = (validation: number, top: number, samples: number): boolean =>
  validation >= top - Math.sqrt((top * (1 - top)) / Math.max(1, samples));

async function runLoop(l: Loop): Promise<Trained> {
  const { settings, clock, onEpoch } = l.parts;
  let values: Values = Object.fromEntries(
    l.graph.carried.map((c) => [c.input, { type: 'float', dims: c.dims, data: c.initial }]),
  );
  let best = { epoch: 0, validation: await validate(l, values), values };
  let top = best.validation ?? 0;
  const start = top;
  const curve: EpochReport[] = [];
  const started = clock.now();
  let steps = 0;
  let cancelled = false;
  for (let epoch = 1; epoch <= settings.epochs && !cancelled; epoch++) {
    const end = await runEpoch(l, epoch, values, steps);
    ({ values, steps, cancelled } = end);
    const validation = cancelled ? null : await validate(l, values);
    cancelled ||= l.parts.cancel?.requested === true;
    // An epoch that was cut short, or could not be judged, is not kept.
    if (cancelled && (end.cancelled || validation === null)) break;
    top = Math.max(top, validation ?? 0);
    const worse = validation !== null && validation < start;
    if (validation === null || (!worse && keeps(validation, top, l.data.info.counts.validation)))
      best = { epoch, validation, values };
    const seconds = (clock.now() - started) / 1000;
    const report = { epoch, loss: end.loss, validation, secondsLeft: (seconds / epoch) * (settings.epochs - epoch) };
    curve.push(report);
    onEpoch?.(report);
  }
  const seconds = (clock.now() - started) / 1000;
  const learnt = new Map(l.graph.learnt.map((name) => [name, best.values[name]?.data as Float32Array]));
  return {
    model: withValues(l.parts.model, learnt),
    bestEpoch: best.epoch,
    bestValidation: best.validation,
    curve,
    cancelled,
    samplesPerSecond: seconds > 0 ? (steps * l.batch) / seconds : 0,
  };
}

/**
 * Trains a model on the train split; the weights of the epoch that validated best (the start included) come back in the
 * model as it stands. Cancelling keeps the best so far. Faults: `no-data` (no labels and no teacher), `diverged`, `no-rule`,
 * `does-not-fit`, `unsupported`, `runtime`.
 */
export async function trainModel(parts: TrainParts): Promise<Trained> {
  const data = withoutTest(parts.dataset);
  const { runtime, settings, teacher } = parts;
  if (!data.info.labelled && teacher === undefined)
    throw new Fault('no-data', 'the data has no labels, and there is no model to learn from', { where: data.info.id });
  if (data.info.counts.train === 0)
    throw new Fault('no-data', 'the data has no training samples', { where: data.info.id });
  const batch = Math.max(1, Math.min(settings.batch, data.info.counts.train));
  const input = modelInput(parts.model);
  const { layers, ...plain } = settings;
  const graphSettings = {
    ...plain,
    batch,
    loss: 'cross-entropy',
    batchStatistics: parts.batchStatistics ?? batch >= 8,
    ...(parts.output === undefined ? {} : { output: parts.output }),
  } as const;
  const graph = trainingGraph(parts.model, input.name, {
    ...graphSettings,
    ...(layers === undefined ? {} : { layers: new Set(layers) }),
  });
  const opened: Session[] = [];
  const open = async (model: Model): Promise<Session> => {
    const session = await runtime.open({ bytes: writeModel(model) });
    opened.push(session);
    return session;
  };
  try {
    const loop: Loop = {
      parts,
      data,
      graph,
      input,
      batch,
      step: await open(graph.step),
      forward: await open(graph.forward),
    };
    if (teacher === undefined || data.info.labelled) return await runLoop(loop);
    const other = trainingGraph(teacher, modelInput(teacher).name, graphSettings);
    const session = await open(other.forward);
    const fixed: Values = Object.fromEntries(
      other.carried
        .filter((c) => other.learnt.includes(c.input))
        .map((c) => [c.input, { type: 'float', dims: c.dims, data: c.initial }]),
    );
    const teach = async (feed: RunTensor): Promise<Float32Array> => {
      const out = await session.run({ ...fixed, [other.names.data]: feed });
      return softmaxRows(out[other.names.scores]?.data as Float32Array, other.classes);
    };
    return await runLoop({ ...loop, teach });
  } finally {
    for (const session of opened) await session.release();
  }
}
