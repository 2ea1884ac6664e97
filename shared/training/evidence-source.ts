/** Owns EvidenceSource: samples as they enter a model, with what they are. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import type { Feeds } from '../ports/runtime.ts';

export interface EvidenceBatch {
  readonly feeds: Feeds;
  /** One per sample of the batch; null where it has none. */
  readonly labels: readonly (number | null)[];
  /** How many of the batch are samples of their own; the rest fill it up. */
  readonly real: number;
}

/** At most `samples` samples of a split in batches as the model takes them; starts anew each time it is iterated. */
export type EvidenceSource = (
  model: Model,
  split: 'train' | 'validation',
  samples: number,
) => AsyncIterable<EvidenceBatch>;

/** Faults where a source gave nothing. */
export function checkSeen(batches: number): void {
  if (batches === 0) throw new Fault('no-data', text('no samples to learn from', '배울 샘플이 없습니다'));
}
