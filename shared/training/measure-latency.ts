/** Owns measured latency: one input at a time, after a warm-up, median and 95th percentile. */
import { quantileSorted } from 'simple-statistics';
import type { Clock } from '../ports/clock.ts';
import type { Feeds, Session } from '../ports/runtime.ts';

export interface Latency {
  readonly median: number;
  readonly p95: number;
}

/** Milliseconds per run. At least 5 runs, then until 200 runs or `budgetMs` are used up. */
export async function measureLatency(
  session: Session,
  feeds: Feeds,
  clock: Clock,
  budgetMs = 1_000,
  fetch?: readonly string[],
): Promise<Latency> {
  for (let i = 0; i < 3; i++) await session.run(feeds, fetch);
  const times: number[] = [];
  const start = clock.now();
  while (times.length < 5 || (times.length < 200 && clock.now() - start < budgetMs)) {
    const before = clock.now();
    await session.run(feeds, fetch);
    times.push(clock.now() - before);
  }
  times.sort((a, b) => a - b);
  return { median: quantileSorted(times, 0.5), p95: quantileSorted(times, 0.95) };
}
