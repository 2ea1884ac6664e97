/** Owns how work says where it is: progress at about 10 Hz with the time left, log lines, training curve. */
import type { Job } from '#shared/contract/calls.ts';
import type { FromWorker } from './protocol.ts';

export interface Report {
  /** `share` of the whole, 0..1, and what is being done now. */
  progress(share: number, what: string): void;
  log(line: string): void;
  curve(point: Job['curve'][number]): void;
  /** Where a training stands: goes out with the next progress. */
  training(live: Job['progress']['training']): void;
}

/** A report of `from`..`to` of another one. */
export const partOf = (report: Report, from: number, to: number): Report => ({
  ...report,
  progress: (share, what) => report.progress(from + (to - from) * Math.min(1, Math.max(0, share)), what),
});

export const silent: Report = { progress: () => {}, log: () => {}, curve: () => {}, training: () => {} };

/** Sends messages; progress at most every `everyMs`, but each new `what` at once. Time left is the rate so far, continued. */
export function reporter(send: (message: FromWorker) => void, everyMs = 100, now: () => number = Date.now): Report {
  const started = now();
  let last = 0;
  let lastWhat = '';
  let live: Job['progress']['training'];
  return {
    progress: (share, what) => {
      const at = now();
      if (what === lastWhat && at - last < everyMs && share < 1) return;
      last = at;
      lastWhat = what;
      const seconds = (at - started) / 1000;
      const known = share > 0.02 && seconds > 1;
      const secondsLeft = known ? (seconds * (1 - share)) / share : null;
      const training = live === undefined ? {} : { training: live };
      const inside = Math.min(1, Math.max(0, share));
      send({ kind: 'progress', progress: { share: inside, what, secondsLeft, ...training } });
    },
    log: (line) => send({ kind: 'log', line }),
    curve: (point) => send({ kind: 'curve', point }),
    training: (now) => {
      live = now;
    },
  };
}
