/** Owns one epoch of a training: shuffled batches through the step, masks moved on their way. */
import { stepScale } from '../autodiff/optimizers.ts';
import { neverCancelled } from '../base/cancel.ts';
import { rng } from '../base/random.ts';
import type { Sample } from '../ports/dataset.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { augmented, sampleStream, standardAugment } from './augment.ts';
import { divergence } from './divergence.ts';
import { feedsOf, pick } from './judge-epoch.ts';
import type { Training } from './open-training.ts';
import { rateAt } from './settings.ts';
import type { TrainState, Values } from './train-state.ts';

const scalar = (v: number): RunTensor => ({ type: 'float', dims: [], data: Float32Array.of(v) });

/** Asks a technique for its masks: what they cut is zero at once. */
export function remasked(t: Training, values: Values, share: number): Values {
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

export interface EpochEnd {
  readonly values: Values;
  readonly loss: number;
  readonly rate: number;
  readonly steps: number;
  readonly firstLoss: number | null;
  readonly cancelled: boolean;
}

/** Epochs of the phases before and after. */
export interface Around {
  readonly before: number;
  readonly toCome: number;
}

/** Faults: `diverged`. */
export async function runEpoch(t: Training, before: TrainState, around: Around): Promise<EpochEnd> {
  const { settings, seed, cancel = neverCancelled } = t.parts;
  const local = before.epoch + 1;
  const epoch = around.before + local;
  const random = rng(seed).fork(`epoch ${epoch}`);
  const count = t.data.info.counts.train;
  const order = random.shuffle(Array.from({ length: count }, (_, i) => i));
  const steps = Math.max(1, Math.floor(count / t.batch));
  const epochs = around.before + settings.epochs + around.toCome;
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
    const share = (before.epoch + k / steps) / settings.epochs;
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
    t.parts.onProgress?.((epoch - 1 + (k + 1) / steps) / epochs, { epoch, epochs, loss: smooth, rate });
  }
  if (settings.remask !== undefined && local === settings.epochs) values = remasked(t, values, 1);
  return end(steps, false);
}
