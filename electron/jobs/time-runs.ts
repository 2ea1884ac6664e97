/** Owns timing runs of open sessions: one alone, or two in turn, stopping between runs when asked. */
import { type Cancel, checkCancel } from '#shared/base/cancel.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Feeds, Session } from '#shared/ports/runtime.ts';

export interface Subject {
  readonly session: Session;
  readonly feeds: Feeds;
}

export interface TimingParts {
  readonly clock: Clock;
  readonly cancel: Cancel;
  readonly progress: (share: number) => void;
}

const fewest = 10;
const most = 500;
/** One sample of a fast model is several runs, so that the clock's own grain does not show. */
const sampleMs = 1;

async function timed({ session, feeds }: Subject, times: number, clock: Clock): Promise<number> {
  const start = clock.now();
  for (let k = 0; k < times; k++) await session.run(feeds);
  return (clock.now() - start) / times;
}

/** Runs until the times have settled: three runs, and a tenth of the budget. Returns runs per sample. */
async function warmUp(subject: Subject, budgetMs: number, parts: TimingParts): Promise<number> {
  const { clock, cancel } = parts;
  const start = clock.now();
  let last = Number.POSITIVE_INFINITY;
  for (let k = 0; k < 3 || (k < 200 && clock.now() - start < budgetMs / 10); k++) {
    checkCancel(cancel);
    last = Math.min(last, await timed(subject, 1, clock));
  }
  return Math.min(100, Math.max(1, Math.ceil(sampleMs / Math.max(last, 1e-3))));
}

/** Milliseconds a run, one number a sample. */
export async function timeRuns(subject: Subject, budgetMs: number, parts: TimingParts): Promise<readonly number[]> {
  const { clock, cancel, progress } = parts;
  const times = await warmUp(subject, budgetMs, parts);
  const out: number[] = [];
  const start = clock.now();
  while (out.length < fewest || (out.length < most && clock.now() - start < budgetMs)) {
    checkCancel(cancel);
    out.push(await timed(subject, times, clock));
    progress(Math.min(1, (clock.now() - start) / budgetMs));
  }
  return out;
}

/** Milliseconds a run of two, measured in turn; who goes first changes each round, so that neither always finds the other's cache. */
export async function timeInTurn(
  a: Subject,
  b: Subject,
  budgetMs: number,
  parts: TimingParts,
): Promise<{ readonly first: readonly number[]; readonly second: readonly number[] }> {
  const { clock, cancel, progress } = parts;
  const [timesA, timesB] = [await warmUp(a, budgetMs, parts), await warmUp(b, budgetMs, parts)];
  const first: number[] = [];
  const second: number[] = [];
  const start = clock.now();
  while (first.length < fewest || (first.length < most && clock.now() - start < budgetMs)) {
    checkCancel(cancel);
    if (first.length % 2 === 0) first.push(await timed(a, timesA, clock));
    second.push(await timed(b, timesB, clock));
    if (first.length < second.length) first.push(await timed(a, timesA, clock));
    progress(Math.min(1, (clock.now() - start) / budgetMs));
  }
  return { first, second };
}
