/** Owns what a batch is fed, and judging weights on the validation split. */
import type { Sample } from '../ports/dataset.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { argmax } from './class-scores.ts';
import type { Training } from './open-training.ts';
import { preprocessBatch } from './preprocess.ts';
import { labelRows, rowWeights } from './targets.ts';
import type { Judged, Values } from './train-state.ts';

/** What a batch is fed, whatever the step or the judge declares of it. */
export async function feedsOf(t: Training, samples: readonly Sample[], real: number): Promise<Values> {
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

export const pick = (from: Values, names: readonly string[]): Values =>
  Object.fromEntries(names.flatMap((n) => (from[n] === undefined ? [] : [[n, from[n]]])));

/** What one row of scores or probabilities says: a class. `middle`: where a single number turns from 0 to 1. */
const answerOf = (rows: Float32Array, n: number, classes: number, middle: number): number =>
  classes === 1 ? Number((rows[n] ?? 0) > middle) : argmax(rows, n, classes);

/** Accuracy (or agreement with the teachers) and loss on the validation split; nulls when cancelled, or where there is none. */
export async function judge(t: Training, values: Values): Promise<Judged> {
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
