/**
 * Owns the training loop: epochs of shuffled batches through the training graph, validation after each, the best epoch kept.
 * Chosen on validation alone; test samples are out of reach.
 */
import { stepScale } from '../autodiff/optimizers.ts';
import { withValues } from '../autodiff/parameters.ts';
import type { TrainingGraph } from '../autodiff/training-graph.ts';
import { type Cancel, neverCancelled } from '../base/cancel.ts';
import { rng } from '../base/random.ts';
import type { Model } from '../ir/model.ts';
import type { Clock } from '../ports/clock.ts';
import type { Dataset, Sample } from '../ports/dataset.ts';
import type { RunTensor, Runtime, Session } from '../ports/runtime.ts';
import { augmented, sampleStream, standardAugment } from './augment.ts';
import { argmax } from './class-scores.ts';
import { divergence } from './divergence.ts';
import type { ModelInput } from './model-input.ts';
import { openTraining } from './open-training.ts';
import { preprocessBatch } from './preprocess.ts';
import type { Preprocess } from './preprocess-schema.ts';
import { rateAt, type TrainSettings } from './settings.ts';
import { labelRows, rowWeights, type TargetRule } from './targets.ts';
import type { Teachers } from './teachers.ts';
import {
  type Best,
  type EpochReport,
  fits,
  initialValues,
  type Judged,
  type TrainState,
  type Values,
} from './train-state.ts';

export { rateAt, type TrainSettings } from './settings.ts';
export type { EpochReport, TrainState } from './train-state.ts';

export interface TrainParts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly model: Model;
  readonly dataset: Dataset;
  readonly preprocess?: Preprocess;
  readonly settings: TrainSettings;
  readonly seed: number;
  /** The original: teaches where the settings say so, and where the data has no labels. */
  readonly teacher?: Model;
  /** Opens a teacher that the settings name by its file. */
  readonly openTeacher?: (path: string) => Model;
  readonly batchStatistics?: boolean;
  readonly cancel?: Cancel;
  /** Where a broken training goes on; ignored where it belongs to another one. */
  readonly state?: TrainState;
  /** Awaited after every epoch. */
  readonly onState?: (state: TrainState) => Promise<void>;
  readonly onEpoch?: (report: EpochReport) => void;
  /** Share of the whole training, and where it stands: after every step. */
  readonly onProgress?: (share: number, live: LiveLoss) => void;
}

export interface Trained {
  readonly model: Model;
  /** Epoch whose weights these are; 0: none was better than the start. */
  readonly bestEpoch: number;
  readonly bestValidation: number | null;
  readonly curve: readonly EpochReport[];
  readonly cancelled: boolean;
  readonly samplesPerSecond: number;
  /** Parameters of the settings' penalty, as it listed them. */
  readonly own: readonly Float32Array[];
}

export interface LiveLoss {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Smoothed over the last steps. */
  readonly loss: number;
  readonly rate: number;
}

/** A training, opened: its graph, sessions and rules. */
export interface Training {
  readonly parts: TrainParts;
  readonly data: Dataset;
  readonly graph: TrainingGraph;
  readonly input: ModelInput;
  /** As asked for, or what the data starts with. */
  readonly preprocess: Preprocess;
  readonly batch: number;
  readonly step: Session;
  readonly judge: Session;
  readonly target: TargetRule;
  /** Answers are class scores: argmax (or the sign of a single one) is an answer. */
  readonly answers: boolean;
  readonly teachers?: Teachers;
}

const scalar = (v: number): RunTensor => ({ type: 'float', dims: [], data: Float32Array.of(v) });

/** What a batch is fed, whatever the step or the judge declares of it. */
async function feedsOf(t: Training, samples: readonly Sample[], real: number): Promise<Values> {
  const { names } = t.graph;
  const { info } = t.data;
  const feed = preprocessBatch(samples, info.sample, t.input, t.preprocess);
  const taught = await t.teachers?.teach(samples, feed);
  if (t.target.kind === 'cross-entropy') taught?.soft.fill(0, real * t.graph.classes);
  const soft: RunTensor | undefined =
    taught === undefined ? undefined : { type: 'float', dims: [t.batch, t.graph.classes], data: taught.soft };
  const hints = names.hints.map((name, k) => [name, taught?.hints[k]] as const);
  const all: Readonly<Record<string, RunTensor | undefined>> = {
    [names.data]: feed,
    [names.target]: labelRows(samples, t.target, real),
    [names.rows]: rowWeights(samples, t.target, info.labelled, real),
    [names.soft]: soft,
    ...Object.fromEntries(hints),
  };
  return all as Values;
}

const pick = (from: Values, names: readonly string[]): Values =>
  Object.fromEntries(names.flatMap((n) => (from[n] === undefined ? [] : [[n, from[n]]])));

/** What one row of scores or probabilities says: a class. `middle`: where a single number turns from 0 to 1. */
const answerOf = (rows: Float32Array, n: number, classes: number, middle: number): number =>
  classes === 1 ? Number((rows[n] ?? 0) > middle) : argmax(rows, n, classes);

/** Accuracy (or agreement with the teachers) and loss on the validation split; nulls when cancelled, or where there is none. */
async function judge(t: Training, values: Values): Promise<Judged> {
  const count = t.data.info.counts.validation;
  const { names, classes } = t.graph;
  const unknown = { validation: null, validationLoss: null };
  if (count === 0) return unknown;
  const fixed = pick(values, t.judge.inputNames);
  let right = 0;
  let loss = 0;
  for (let from = 0; from < count; from += t.batch) {
    if (t.parts.cancel?.requested === true) return unknown;
    const real = Math.min(t.batch, count - from);
    // The last batch is filled up; what fills it counts for nothing.
    const indices = Array.from({ length: t.batch }, (_, i) => Math.min(from + i, count - 1));
    const samples = await t.data.read('validation', indices);
    const feeds = await feedsOf(t, samples, real);
    const out = await t.judge.run({ ...pick(feeds, t.judge.inputNames), ...fixed });
    loss += Number(out[names.loss]?.data[0] ?? Number.NaN);
    const scores = out[names.scores]?.data as Float32Array;
    const soft = t.data.info.labelled ? undefined : (feeds[names.soft]?.data as Float32Array | undefined);
    const middle = t.graph.end === 'sigmoid' && t.target.kind !== 'mean-squared-error' ? 0 : 0.5;
    for (let n = 0; n < real; n++) {
      const wanted = soft === undefined ? samples[n]?.label : answerOf(soft, n, classes, 0.5);
      if (answerOf(scores, n, classes, middle) === wanted) right++;
    }
  }
  return { validation: t.answers ? right / count : null, validationLoss: (loss * t.batch) / count };
}

/** Asks a technique for its masks: what they cut is zero at once. */
function remasked(t: Training, values: Values, share: number): Values {
  const { remask } = t.parts.settings;
  if (remask === undefined) return values;
  const now = new Map(t.graph.masks.map((m) => [m.parameter, values[m.parameter]?.data as Float32Array]));
  const masks = remask.masks(share, now);
  const next: Record<string, RunTensor> = { ...values };
  for (const m of t.graph.masks) {
    const mask = masks.get(m.parameter);
    const held = now.get(m.parameter);
    if (mask === undefined || held === undefined) continue;
    next[m.input] = { type: 'float', dims: m.dims, data: mask };
    next[m.parameter] = { type: 'float', dims: m.dims, data: held.map((v, i) => (mask[i] === 0 ? 0 : v)) };
  }
  return next;
}

/** The samples of a batch as they are trained, each changed by its own stream. */
function augmentedBatch(
  t: Training,
  samples: readonly Sample[],
  indices: readonly number[],
  epoch: number,
): readonly Sample[] {
  const { augment } = t.parts.settings;
  if (augment === false) return samples;
  const how = augment === true ? standardAugment : augment;
  return samples.map((s, i) =>
    augmented(s, t.data.info.sample, sampleStream(t.parts.seed, epoch, indices[i] ?? 0), how),
  );
}

interface EpochEnd {
  readonly values: Values;
  readonly loss: number;
  readonly rate: number;
  readonly steps: number;
  readonly firstLoss: number | null;
  readonly cancelled: boolean;
}

async function runEpoch(t: Training, before: TrainState): Promise<EpochEnd> {
  const { settings, seed, cancel = neverCancelled } = t.parts;
  const epoch = before.epoch + 1;
  const random = rng(seed).fork(`epoch ${epoch}`);
  const count = t.data.info.counts.train;
  const order = random.shuffle(Array.from({ length: count }, (_, i) => i));
  const steps = Math.max(1, Math.floor(count / t.batch));
  const { names } = t.graph;
  const watch = divergence(t.target, before.firstLoss);
  let { values } = before;
  let sum = 0;
  let rate = 0;
  const end = (k: number, cancelled: boolean): EpochEnd => {
    const loss = sum / Math.max(1, k);
    return { values, loss, rate, steps: before.steps + k, firstLoss: watch.firstLoss(), cancelled };
  };
  for (let k = 0; k < steps; k++) {
    if (cancel.requested) return end(k, true);
    const share = (epoch - 1 + k / steps) / settings.epochs;
    const at = before.steps + k;
    if (settings.remask !== undefined && at % Math.max(1, settings.remask.everySteps) === 0)
      values = remasked(t, values, share);
    const indices = Array.from({ length: t.batch }, (_, i) => order[(k * t.batch + i) % count] ?? 0);
    const plain = await t.data.read('train', indices);
    const samples = augmentedBatch(t, plain, indices, epoch);
    rate = rateAt(settings, share);
    const feeds: Values = {
      ...(await feedsOf(t, samples, samples.length)),
      [names.rate]: scalar(rate),
      [names.step]: scalar(rate * stepScale(settings, at + 1)),
      [names.share]: scalar(share),
    };
    const out = await t.step.run({ ...pick(feeds, t.step.inputNames), ...values });
    const now = Number(out[names.loss]?.data[0] ?? Number.NaN);
    const smooth = watch.take(now, `epoch ${epoch}`);
    sum += now;
    const next: Record<string, RunTensor> = { ...values };
    for (const c of t.graph.carried) next[c.input] = out[c.output] as RunTensor;
    values = next;
    const { epochs } = settings;
    t.parts.onProgress?.((epoch - 1 + (k + 1) / steps) / epochs, { epoch, epochs, loss: smooth, rate });
  }
  if (settings.remask !== undefined && epoch === settings.epochs) values = remasked(t, values, 1);
  return end(steps, false);
}

/**
 * Whether an epoch takes the place of the best so far. By accuracy: the last one within one standard error of the top is kept
 * (Breiman et al. 1984), so that single epochs that validate best by luck do not win over later ones; none worse than the
 * start. Without accuracy: by loss.
 */
function wins(t: Training, now: Judged, s: TrainState, top: number): boolean {
  if (t.parts.settings.keep === 'last' || s.best.epoch < 0) return true;
  if (now.validation !== null) {
    const error = Math.sqrt((top * (1 - top)) / Math.max(1, t.data.info.counts.validation));
    return now.validation >= top - error && now.validation >= (s.start.validation ?? 0);
  }
  return now.validationLoss === null || now.validationLoss <= (s.best.validationLoss ?? Number.POSITIVE_INFINITY);
}

/** What of the carried values is kept of the best epoch. */
const results = (t: Training, values: Values): Values => pick(values, [...t.graph.learnt, ...t.graph.own]);

async function firstState(t: Training): Promise<TrainState> {
  const values = remasked(t, initialValues(t.graph), 0);
  const start = await judge(t, values);
  // Masks that are still to move: what stands before they are final is no result.
  const best: Best = { epoch: t.parts.settings.remask === undefined ? 0 : -1, ...start, values: results(t, values) };
  const top = best.epoch < 0 ? 0 : (start.validation ?? 0);
  return { epoch: 0, steps: 0, values, best, start, top, topEpoch: 0, firstLoss: null, curve: [], seconds: 0 };
}

async function runLoop(t: Training): Promise<Trained> {
  const { settings, clock, onEpoch, onState, cancel = neverCancelled } = t.parts;
  const { patience = 0 } = settings;
  const kept = t.parts.state;
  let s = kept !== undefined && fits(kept, t.graph) ? kept : await firstState(t);
  const started = clock.now() - s.seconds * 1000;
  let cancelled = false;
  while (s.epoch < settings.epochs) {
    if (patience > 0 && s.epoch - s.topEpoch >= patience) break;
    const end = await runEpoch(t, s);
    const epoch = s.epoch + 1;
    const judged = end.cancelled ? { validation: null, validationLoss: null } : await judge(t, end.values);
    cancelled = end.cancelled || cancel.requested;
    // An epoch that was cut short, or could not be judged, is not kept.
    if (cancelled && judged.validationLoss === null) break;
    const final = settings.remask === undefined || epoch / settings.epochs >= settings.remask.until;
    const better =
      judged.validation === null
        ? (judged.validationLoss ?? 0) < (s.best.validationLoss ?? Number.POSITIVE_INFINITY)
        : judged.validation > s.top;
    const top: number = final ? Math.max(s.top, judged.validation ?? 0) : s.top;
    const best = final && wins(t, judged, s, top) ? { epoch, ...judged, values: results(t, end.values) } : s.best;
    const seconds = (clock.now() - started) / 1000;
    const secondsLeft = (seconds / epoch) * (settings.epochs - epoch);
    const report: EpochReport = { epoch, loss: end.loss, ...judged, rate: end.rate, secondsLeft };
    const { values, steps, firstLoss } = end;
    const topEpoch: number = better || !final ? epoch : s.topEpoch;
    const curve = [...s.curve, report];
    s = { epoch, steps, values, best, start: s.start, top, topEpoch, firstLoss, curve, seconds };
    await onState?.(s);
    onEpoch?.(report);
    if (cancelled) break;
  }
  const seconds = (clock.now() - started) / 1000;
  const bestOf = (name: string): Float32Array => s.best.values[name]?.data as Float32Array;
  return {
    model: withValues(t.parts.model, new Map(t.graph.learnt.map((name) => [name, bestOf(name)]))),
    bestEpoch: Math.max(0, s.best.epoch),
    bestValidation: s.best.validation,
    curve: s.curve,
    cancelled,
    samplesPerSecond: seconds > 0 ? (s.steps * t.batch) / seconds : 0,
    own: t.graph.own.map(bestOf),
  };
}

/**
 * Trains a model on the train split; the weights of the epoch that validated best (the start included) come back in the
 * model as it stands. Cancelling keeps the best so far. Faults: `no-data` (no labels and no teacher), `diverged`, `no-rule`,
 * `does-not-fit`, `unsupported`, `runtime`.
 */
export async function trainModel(parts: TrainParts): Promise<Trained> {
  const opened: Session[] = [];
  try {
    return await runLoop(await openTraining(parts, opened));
  } finally {
    for (const session of opened) await session.release();
  }
}
