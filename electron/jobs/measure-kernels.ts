/**
 * Owns timing a model and its kernels on a machine that others use: runs in which the system took a processor away do not
 * count, and where too few are left, the lower quartile of all is told, since other programs only ever add time.
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
  /** How often the system took a processor from this process so far; always 0 where it does not say. */
  readonly interruptions: () => number;
}

/** Preemptions of all threads of this process (getrusage); 0 on Windows. */
export const interruptions = (): number => process.resourceUsage().involuntaryContextSwitches;

export interface MeasuredKernels {
  /** Milliseconds a run, unprofiled. */
  readonly wholeMs: number;
  readonly traced: Traced;
  /** The same with every weight out of the cache before each run; undefined where not asked for. */
  readonly cold?: Traced;
  /** Interquartile range of the runs that counted over their median: how restless the machine was. */
  readonly spread: number;
  /** Share of the unprofiled runs that went undisturbed. */
  readonly calm: number;
}

const quartile = 0.25;
const fewestCalm = 5;
const mostRuns = 60;
const coldRuns = 5;
/** A machine that is never calm is waited for so many budgets. */
const patience = 3;

export interface Run {
  readonly ms: number;
  readonly calm: boolean;
}

async function timedRun(session: Session, feeds: Feeds, parts: MeasureParts): Promise<Run> {
  checkCancel(parts.cancel);
  const before = parts.interruptions();
  const start = parts.clock.now();
  await session.run(feeds);
  const ms = parts.clock.now() - start;
  return { ms, calm: parts.interruptions() === before };
}

/** Runs until the budget is spent and a few were calm; gives up on calm ones after some budgets more. */
async function runFor(
  session: Session,
  feeds: Feeds,
  budgetMs: number,
  parts: MeasureParts,
  between?: () => void,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  const start = parts.clock.now();
  for (let calm = 0; ; ) {
    const spent = parts.clock.now() - start;
    const enough = calm >= fewestCalm && (spent >= budgetMs || runs.length >= mostRuns);
    if (runs.length >= fewestCalm && (enough || spent >= patience * budgetMs)) return runs;
    between?.();
    const run = await timedRun(session, feeds, parts);
    runs.push(run);
    if (run.calm) calm++;
  }
}

/** Ascending milliseconds of the runs that count, and the quantile of them to tell. */
function counted(runs: readonly Run[]): { readonly times: readonly number[]; readonly quantile: number } {
  const calm = runs.filter((r) => r.calm);
  const enough = calm.length >= fewestCalm;
  const times = (enough ? calm : runs).map((r) => r.ms).sort((a, b) => a - b);
  return { times, quantile: enough ? 0.5 : quartile };
}

/** Milliseconds that a list of runs tells. At least one run. */
export function tellRuns(runs: readonly Run[]): number {
  const { times, quantile } = counted(runs);
  return quantileSorted([...times], quantile);
}

async function traceRuns(
  model: Model,
  bytes: Uint8Array,
  feeds: Feeds,
  budgetMs: number,
  wholeMs: number,
  parts: MeasureParts,
  between?: () => void,
): Promise<Traced> {
  const session = await parts.runtime.open({ bytes }, { profile: true });
  let ended = false;
  try {
    await session.run(feeds);
    const runs = await runFor(session, feeds, budgetMs, parts, between);
    ended = true;
    const { quantile } = counted(runs);
    const counts = quantile === quartile ? {} : { counts: (run: number) => runs[run - 1]?.calm === true };
    return layersOfTrace(model, await session.endProfile(), runs.length + 1, wholeMs, { skip: 1, quantile, ...counts });
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

/** Milliseconds of whole runs of an open session, for about so long. */
export const measureWhole = async (
  session: Session,
  feeds: Feeds,
  budgetMs: number,
  parts: MeasureParts,
): Promise<readonly Run[]> => {
  for (let k = 0; k < 3; k++) await timedRun(session, feeds, parts);
  return runFor(session, feeds, budgetMs, parts);
};

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
  let runs: readonly Run[];
  try {
    runs = await measureWhole(plain, feeds, budgetMs / 2, parts);
  } finally {
    await plain.release();
  }
  const { times } = counted(runs);
  const at = (q: number): number => quantileSorted([...times], q);
  const wholeMs = tellRuns(runs);
  const traced = await traceRuns(model, bytes, feeds, budgetMs / 2, wholeMs, parts);
  const cold = options.cold
    ? { cold: await traceRuns(model, bytes, feeds, coldRuns, wholeMs, parts, emptyCaches) }
    : {};
  const calm = runs.filter((r) => r.calm).length / runs.length;
  return { wholeMs, traced, spread: (at(0.75) - at(0.25)) / at(0.5), calm, ...cold };
}
