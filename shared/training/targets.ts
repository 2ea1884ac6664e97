/** Owns what scores are held against: rows from labels, with smoothing and class weights, and probabilities from scores. */
import type { LossKind } from '../autodiff/losses.ts';
import type { Dataset, Sample } from '../ports/dataset.ts';
import type { RunTensor } from '../ports/runtime.ts';

export interface TargetRule {
  readonly kind: LossKind;
  /** Scores per sample; 1: one score whose sign tells class 1 from class 0. */
  readonly classes: number;
  readonly smoothing: number;
  /** One factor a class; empty: all count alike. */
  readonly weights: readonly number[];
}

/** How often a sample counts: its class's weight; 0 without a label, and for one that only fills a batch up. */
const counts = (s: Sample | undefined, r: TargetRule, fills: boolean): number =>
  fills || s === undefined || s.label === null ? 0 : (r.weights[s.label] ?? 1);

const tensor = (rows: number, width: number, data: Float32Array): RunTensor => ({
  type: 'float',
  dims: [rows, width],
  data,
});

/** [batch, 1]: how often each row counts. From `real` on, samples only fill the batch up. */
export function rowWeights(
  samples: readonly Sample[],
  r: TargetRule,
  labelled: boolean,
  real = samples.length,
): RunTensor {
  const data = Float32Array.from(samples, (s, n) => (labelled ? counts(s, r, n >= real) : n < real ? 1 : 0));
  return tensor(samples.length, 1, data);
}

/**
 * [batch, classes]: 1 at the label, smoothed. For the cross-entropy a row is scaled by how often it counts, so that one without
 * a label is zero.
 */
export function labelRows(samples: readonly Sample[], r: TargetRule, real = samples.length): RunTensor {
  const { classes, smoothing } = r;
  const data = new Float32Array(samples.length * classes);
  for (const [n, s] of samples.entries()) {
    const scale = r.kind === 'cross-entropy' ? counts(s, r, n >= real) : 1;
    if (s.label === null || s.label >= Math.max(2, classes)) continue;
    if (classes === 1) data[n] = s.label * (1 - smoothing) + smoothing / 2;
    else {
      data.fill((scale * smoothing) / classes, n * classes, (n + 1) * classes);
      data[n * classes + s.label] = scale * (1 - smoothing + smoothing / classes);
    }
  }
  return tensor(samples.length, classes, data);
}

/** Probabilities at temperature T of scores, in rows of `classes`; for the mean squared error the scores themselves. */
export function answers(scores: Float32Array, classes: number, kind: LossKind, temperature: number): Float32Array {
  if (kind === 'mean-squared-error') return scores;
  if (kind === 'binary-cross-entropy') return scores.map((v) => 1 / (1 + Math.exp(-v / temperature)));
  const out = new Float32Array(scores.length);
  for (let from = 0; from < scores.length; from += classes) {
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) top = Math.max(top, scores[from + k] ?? 0);
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      const v = Math.exp(((scores[from + k] ?? 0) - top) / temperature);
      out[from + k] = v;
      sum += v;
    }
    for (let k = 0; k < classes; k++) out[from + k] = (out[from + k] ?? 0) / sum;
  }
  return out;
}

/** Class weights inverse to how often each class stands in the training samples; the mean over samples is 1. */
export async function balancedWeights(data: Dataset, classes: number): Promise<readonly number[]> {
  const seen = new Array<number>(Math.max(2, classes)).fill(0);
  const count = data.info.counts.train;
  for (let from = 0; from < count; from += 256) {
    const indices = Array.from({ length: Math.min(256, count - from) }, (_, i) => from + i);
    for (const { label } of await data.read('train', indices))
      if (label !== null && label < seen.length) seen[label] = (seen[label] ?? 0) + 1;
  }
  const present = seen.filter((n) => n > 0).length;
  const labelled = seen.reduce((a, b) => a + b, 0);
  return seen.map((n) => (n === 0 ? 0 : labelled / (present * n)));
}
