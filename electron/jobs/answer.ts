/** Owns the answer of a model to given inputs on the native runtime, timed. */
import type { CallOutput } from '#shared/contract/calls.ts';
import { fromWire, toWire } from '#shared/contract/run-tensor.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import { measureLatency } from '#shared/training/measure-latency.ts';
import type { Task } from './protocol.ts';
import { clock } from './work-parts.ts';

/** Long enough for a steady median, short enough for a person who waits for it. */
const budgetMs = 400;

/** Faults: `runtime` where it does not load or run; `bad-input` where bytes and dims disagree. */
export async function answer(runtime: Runtime, task: Extract<Task, { kind: 'answer' }>): Promise<CallOutput<'answer'>> {
  const feeds = fromWire(task.feeds);
  const session = await runtime.open({ path: task.model });
  try {
    const outputs = [...toWire(await session.run(feeds))];
    const latencyMs = await measureLatency(session, feeds, clock, budgetMs);
    return { outputs, latencyMs, runtime: runtime.name, threads: task.threads };
  } finally {
    await session.release();
  }
}
