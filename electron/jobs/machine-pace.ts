/**
 * Owns the pace of the machine: one fixed model timed again and again beside what is measured, so that a spell in which
 * other programs (or other guests of the same host) slow everything is noticed and not learnt from.
 */
import { quantileSorted } from 'simple-statistics';
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

const runsEach = 7;

export async function openPace(parts: MeasureParts, best = Number.POSITIVE_INFINITY): Promise<Pace> {
  const model = paceChain();
  const feeds = randomFeeds(model, 1);
  const session: Session = await parts.runtime.open({ bytes: writeModel(model) }, { restful: true });
  let lowest = best;
  await session.run(feeds);
  return {
    now: async () => {
      checkCancel(parts.cancel);
      const times: number[] = [];
      for (let k = 0; k < runsEach; k++) {
        const start = parts.clock.now();
        await session.run(feeds);
        times.push(parts.clock.now() - start);
      }
      const ms = quantileSorted(
        times.sort((a, b) => a - b),
        0.25,
      );
      lowest = Math.min(lowest, ms);
      return ms / lowest;
    },
    best: () => lowest,
    release: () => session.release(),
  };
}
