/** Owns the loss of a training graph's scores: by the target, by what teachers answer, or both. */
import type { Emitter } from './backward.ts';
import type { GraphSettings, Names } from './graph-settings.ts';
import { binaryCrossEntropy, crossEntropy, type Loss, meanSquaredError, softLoss, sumOfLosses } from './losses.ts';

/** Loss of the scores [batch, classes] by the target and, where one teaches, by its probabilities. */
export function scoreLoss(e: Emitter, s: GraphSettings, flat: string, classes: number, names: Names): Loss | undefined {
  const count = s.batch * classes;
  const rows = s.rowWeights === true ? names.rows : undefined;
  const hard = (): Loss | undefined => {
    switch (s.loss) {
      case 'cross-entropy':
        return crossEntropy(e, flat, names.target, s.batch);
      case 'binary-cross-entropy':
        return binaryCrossEntropy(e, flat, names.target, count, rows);
      case 'mean-squared-error':
        return meanSquaredError(e, flat, names.target, count, rows);
      case 'none':
        return undefined;
    }
  };
  const soft = s.soft?.share ?? 0;
  const first = soft < 1 ? hard() : undefined;
  const terms = first === undefined ? [] : [{ loss: first, weight: 1 - soft }];
  if (s.soft !== undefined && soft > 0) {
    const size = { batch: s.batch, count, ...(rows === undefined ? {} : { rows }) };
    terms.push({ loss: softLoss(e, flat, names.soft, s.soft, size), weight: soft });
  }
  return terms.length === 0 ? undefined : sumOfLosses(e, terms);
}
