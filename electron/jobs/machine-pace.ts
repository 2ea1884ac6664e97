/**
 * Owns the pace of the machine: one fixed model timed again and again beside what is measured, so that a spell in which
 * other programs (or other guests of the same host) slow everything is noticed and not learnt from.
 */
import { checkCancel } from '#shared/base/cancel.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Session } from '#shared/ports/runtime.ts';
import { paceChain } from '#shared/zoo/calibration/chains.ts';
import type { MeasureParts } from './measure-kernels.ts';
import { randomFeeds } from './random-feeds.ts';

export interface Pace {
  /** How many times slower than its best so far the machine is now; at least 1. */
  now(): Promise<number>;
  /** Milliseconds of the fixed model at best. */
  best(): number;
  release(): Promise<void>;
}

const runsEach = 5;

/**
 * One thread, and the best of a few runs: what a thread of its own is given. With more of them a run ends when the last of
 * them was given a processor, and programs beside it would be taken for a slower machine.
 */
export async function openPace(parts: MeasureParts, best = Number.POSITIVE_INFINITY): Promise<Pace> {
  const model = paceChain();
  const feeds = randomFeeds(model, 1);
  const session: Session = await parts.runtime.open({ bytes: writeModel(model) }, { threads: 1 });
  let lowest = best;
  return {
    now: async () => {
      checkCancel(parts.cancel);
      let ms = Number.POSITIVE_INFINITY;
      for (let k = 0; k < runsEach; k++) {
        const start = parts.clock.now();
        await session.run(feeds);
        ms = Math.min(ms, parts.clock.now() - start);
      }
      lowest = Math.min(lowest, ms);
      return ms / lowest;
    },
    best: () => lowest,
    release: () => session.release(),
  };
}
