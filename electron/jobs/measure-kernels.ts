/**
 * Owns timing a model and its kernels on a machine that others may use: other programs only ever add time, so the lower
 * quartile of the runs is told, of the whole and of each kernel.
 */
import { quantileSorted } from 'simple-statistics';
import { layersOfTrace, markedModel, type Traced } from '#shared/analysis/latency/trace-layers.ts';
import { type Cancel, checkCancel } from '#shared/base/cancel.ts';
import type { Model } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Feeds, Runtime, Session } from '#shared/ports/runtime.ts';

export interface MeasureParts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly cancel: Cancel;
}

export interface MeasuredKernels {
  /** Milliseconds a run, unprofiled. */
  readonly wholeMs: number;
  readonly traced: Traced;
  /** The same with every weight out of the cache before each run; undefined where not asked for. */
  readonly cold?: Traced;
  /** Interquartile range of the unprofiled runs over their median: how restless the machine was. */
  readonly spread: number;
}

const quartile = 0.25;
const fewestRuns = 5;
const mostRuns = 60;
const coldRuns = 5;

async function timedRun(session: Session, feeds: Feeds, { clock, cancel }: MeasureParts): Promise<number> {
  checkCancel(cancel);
  const start = clock.now();
  await session.run(feeds);
  return clock.now() - start;
}

async function traceRuns(
  model: Model,
  bytes: Uint8Array,
  feeds: Feeds,
  count: number,
  wholeMs: number,
  parts: MeasureParts,
  between?: () => void,
): Promise<Traced> {
  const session = await parts.runtime.open({ bytes }, { profile: true });
  let ended = false;
  try {
    await session.run(feeds);
    for (let k = 0; k < count; k++) {
      between?.();
      await timedRun(session, feeds, parts);
    }
    ended = true;
    return layersOfTrace(model, await session.endProfile(), count + 1, wholeMs, 1, quartile);
  } finally {
    if (!ended) await session.endProfile().catch(() => []);
    await session.release();
  }
}

/** 64 MB: more than most caches hold. */
const sweepFloats = 16 * 2 ** 20;
let sweep: Float32Array | undefined;

/** Puts whatever the caches hold out of them. */
function emptyCaches(): void {
  sweep ??= new Float32Array(sweepFloats);
  sweep.fill((sweep[0] ?? 0) + 1);
}

/** Runs for about `budgetMs` in all, at least a few times each way. `cold`: trace runs with emptied caches too. */
export async function measureKernels(
  model: Model,
  feeds: Feeds,
  budgetMs: number,
  parts: MeasureParts,
  options: { readonly cold?: boolean } = {},
): Promise<MeasuredKernels> {
  const bytes = writeModel(markedModel(model));
  const plain = await parts.runtime.open({ bytes });
  const times: number[] = [];
  try {
    await plain.run(feeds);
    const first = Math.min(await timedRun(plain, feeds, parts), await timedRun(plain, feeds, parts));
    const count = Math.max(fewestRuns, Math.min(mostRuns, Math.round(budgetMs / 2 / Math.max(first, 0.2))));
    for (let k = 0; k < count; k++) times.push(await timedRun(plain, feeds, parts));
  } finally {
    await plain.release();
  }
  times.sort((a, b) => a - b);
  const at = (q: number): number => quantileSorted(times, q);
  const traced = await traceRuns(model, bytes, feeds, times.length, at(quartile), parts);
  const cold = options.cold
    ? { cold: await traceRuns(model, bytes, feeds, coldRuns, at(quartile), parts, emptyCaches) }
    : {};
  return { wholeMs: at(quartile), traced, spread: (at(0.75) - at(0.25)) / at(0.5), ...cold };
}
