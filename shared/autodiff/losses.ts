/** Owns the losses: each emits its value and the gradient of the scores. */
import { attr } from '../ir/attribute.ts';
import type { Emitter } from './backward.ts';

export interface Loss {
  /** Scalar. */
  readonly value: string;
  /** [batch, classes] */
  readonly gradient: string;
}

/**
 * Softmax cross-entropy of scores against probabilities, both [batch, classes], mean over the batch:
 * -sum(t log softmax(s)) / batch; gradient (softmax(s) sum(t) - t) / batch. A row of zeros in t counts for nothing.
 */
export function crossEntropy(e: Emitter, scores: string, target: string, batch: number): Loss {
  const log = e.one('LogSoftmax', [scores], [attr.int('axis', 1)]);
  const share = e.floats([1 / batch], []);
  const sum = e.one('ReduceSum', [e.one('Mul', [target, log])], [attr.int('keepdims', 0)]);
  const value = e.one('Neg', [e.one('Mul', [sum, share])]);
  const weight = e.one('ReduceSum', [target, e.ints([1])]);
  const soft = e.one('Mul', [e.one('Exp', [log]), weight]);
  return { value, gradient: e.one('Mul', [e.one('Sub', [soft, target]), share]) };
}

/** Mean of squared differences over all elements; gradient 2 (s - t) / count. */
export function meanSquaredError(e: Emitter, scores: string, target: string, count: number): Loss {
  const difference = e.one('Sub', [scores, target]);
  const sum = e.one('ReduceSum', [e.one('Mul', [difference, difference])], [attr.int('keepdims', 0)]);
  return {
    value: e.one('Mul', [sum, e.floats([1 / count], [])]),
    gradient: e.one('Mul', [difference, e.floats([2 / count], [])]),
  };
}
