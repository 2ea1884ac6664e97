/** Owns the losses: each emits its value and the gradient of the scores. */
import { attr } from '../ir/attribute.ts';
import type { Emitter } from './backward.ts';

export type LossKind = 'cross-entropy' | 'mean-squared-error' | 'binary-cross-entropy' | 'none';

export interface Loss {
  /** Scalar. */
  readonly value: string;
  /** [batch, classes] */
  readonly gradient: string;
}

const times = (e: Emitter, value: string, by: number): string =>
  by === 1 ? value : e.one('Mul', [value, e.floats([by], [])]);
const total = (e: Emitter, value: string): string => e.one('ReduceSum', [value], [attr.int('keepdims', 0)]);

/**
 * Softmax cross-entropy of scores against probabilities, both [batch, classes], mean over the batch:
 * -sum(t log softmax(s)) / batch; gradient (softmax(s) sum(t) - t) / batch. A row of t that sums to w counts w times, a row
 * of zeros for nothing.
 */
export function crossEntropy(e: Emitter, scores: string, target: string, batch: number): Loss {
  const log = e.one('LogSoftmax', [scores], [attr.int('axis', 1)]);
  const value = e.one('Neg', [times(e, total(e, e.one('Mul', [target, log])), 1 / batch)]);
  const weight = e.one('ReduceSum', [target, e.ints([1])]);
  const soft = e.one('Mul', [e.one('Exp', [log]), weight]);
  return { value, gradient: e.one('Mul', [e.one('Sub', [soft, target]), e.floats([1 / batch], [])]) };
}

/**
 * Binary cross-entropy of scores before their sigmoid against targets 0..1, mean over all elements: softplus(s) - s t;
 * gradient sigmoid(s) - t. `rows`: [batch, 1], how often a row counts.
 */
export function binaryCrossEntropy(e: Emitter, scores: string, target: string, count: number, rows?: string): Loss {
  const weighed = (value: string): string => (rows === undefined ? value : e.one('Mul', [value, rows]));
  const each = e.one('Sub', [e.one('Softplus', [scores]), e.one('Mul', [scores, target])]);
  const slope = e.one('Sub', [e.one('Sigmoid', [scores]), target]);
  return {
    value: times(e, total(e, weighed(each)), 1 / count),
    gradient: e.one('Mul', [weighed(slope), e.floats([1 / count], [])]),
  };
}

/** Mean of squared differences over all elements; gradient 2 (s - t) / count. `rows`: [batch, 1], how often a row counts. */
export function meanSquaredError(e: Emitter, scores: string, target: string, count: number, rows?: string): Loss {
  const difference = e.one('Sub', [scores, target]);
  const weighed = rows === undefined ? difference : e.one('Mul', [difference, rows]);
  return {
    value: times(e, total(e, e.one('Mul', [weighed, difference])), 1 / count),
    gradient: e.one('Mul', [weighed, e.floats([2 / count], [])]),
  };
}

/** Sum of several losses of the same scores, each with its weight. */
export function sumOfLosses(e: Emitter, terms: readonly { readonly loss: Loss; readonly weight: number }[]): Loss {
  const some = terms.filter((t) => t.weight !== 0);
  const sum = (of: (l: Loss) => string): string =>
    some.map((t) => times(e, of(t.loss), t.weight)).reduce((a, b) => e.one('Add', [a, b]));
  return { value: sum((l) => l.value), gradient: sum((l) => l.gradient) };
}

/** A loss against what a teacher answers: probabilities softened by T, or for the mean squared error its outputs. */
export interface SoftLoss {
  readonly kind: Exclude<LossKind, 'none'>;
  readonly temperature: number;
}

/**
 * The loss of scores divided by T against the teacher's probabilities at T, times T^2, so that its gradient keeps its size as T
 * grows (Hinton et al. 2015, section 2.1). The mean squared error knows no temperature.
 */
export function softLoss(
  e: Emitter,
  scores: string,
  soft: string,
  s: SoftLoss,
  size: { readonly batch: number; readonly count: number; readonly rows?: string },
): Loss {
  if (s.kind === 'mean-squared-error') return meanSquaredError(e, scores, soft, size.count, size.rows);
  const { temperature: t } = s;
  const cooled = times(e, scores, 1 / t);
  const at =
    s.kind === 'cross-entropy'
      ? crossEntropy(e, cooled, soft, size.batch)
      : binaryCrossEntropy(e, cooled, soft, size.count, size.rows);
  return { value: times(e, at.value, t ** 2), gradient: times(e, at.gradient, t) };
}
