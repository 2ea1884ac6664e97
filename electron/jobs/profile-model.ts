/** Owns profileModel: what a model takes on this machine, whole and layer by layer, or against another. */

import { activationMemory } from '#shared/analysis/latency/activation-memory.ts';
import { ratioOf, timingOf } from '#shared/analysis/latency/timing.ts';
import { layersOfTrace, markedModel, type Traced } from '#shared/analysis/latency/trace-layers.ts';
import { checkCancel } from '#shared/base/cancel.ts';
import { toFault } from '#shared/base/fault.ts';
import type { Profile } from '#shared/contract/profile.ts';
import type { Model } from '#shared/ir/model.ts';
import { embedded } from '#shared/onnx/embedded.ts';
import { fileBytes } from '#shared/onnx/size.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Feeds, Runtime, Session, SessionOptions } from '#shared/ports/runtime.ts';
import { openModelFile } from '../host/model-files.ts';
import { providerReason } from '../runtime/provider-reason.ts';
import { randomFeeds } from './random-feeds.ts';
import { type Subject, type TimingParts, timeInTurn, timeRuns } from './time-runs.ts';
import { clock as realClock, type WorkParts } from './work-parts.ts';

export interface ProfileRequest {
  /** Path of the model file. */
  readonly model: string;
  /** Path of a second model: measured in turn with the first. */
  readonly versus?: string;
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Threads of the runtime; its default where left out. */
  readonly threads?: number;
  /** Execution provider to run on; the processor where it is left out or does not take the model. */
  readonly provider?: string;
  /** Time to measure for, a model. */
  readonly seconds: number;
}

/** Files beyond this are traced under their own node names, since a copy in memory would be too large. */
const copyLimit = 1.5e9;
/** Trace entries kept in one file. */
const traceLimit = 60_000;
/** Two models are opened anew this many times, because where tensors come to lie differs from opening to opening. */
const openings = 3;

/** The runtime with these options in every session. */
const withOptions = (runtime: Runtime, fixed: SessionOptions): Runtime => ({
  name: runtime.name,
  open: (source, options = {}) => runtime.open(source, { ...fixed, ...options }),
});

interface Chosen {
  readonly runtime: Runtime;
  readonly provider: string;
  readonly fellBack: Profile['fellBack'];
}

/** The runtime on the provider asked for, or on the processor where the models do not run there, with the reason. */
async function choose(
  runtime: Runtime,
  { provider, threads }: ProfileRequest,
  subjects: readonly { readonly path: string; readonly feeds: Feeds }[],
): Promise<Chosen> {
  const plain = threads === undefined ? runtime : withOptions(runtime, { threads });
  if (provider === undefined || provider === 'cpu') return { runtime: plain, provider: 'cpu', fellBack: null };
  const asked = withOptions(plain, { provider });
  try {
    for (const { path, feeds } of subjects) {
      const session = await asked.open({ path });
      try {
        await session.run(feeds);
      } finally {
        await session.release();
      }
    }
    return { runtime: asked, provider, fellBack: null };
  } catch (thrown) {
    const reason = providerReason(toFault(thrown).message);
    return { runtime: plain, provider: 'cpu', fellBack: { asked: provider, reason } };
  }
}

const feedsOf = (model: Model, shapes: ProfileRequest['shapes']): Feeds => randomFeeds(model, 1, shapes);

interface Trace extends Traced {
  readonly runs: number;
  /** Sum of the traced layers over untraced runs in between. */
  readonly rawRatio: number;
}

async function traced(
  runtime: Runtime,
  model: Model,
  feeds: Feeds,
  medianMs: number,
  budgetMs: number,
  parts: TimingParts,
): Promise<Trace> {
  const bytes = writeModel(markedModel(embedded(model)));
  const session = await runtime.open({ bytes }, { profile: true, restful: true });
  const plain = await runtime.open({ bytes }, { restful: true });
  const fit = Math.floor(traceLimit / Math.max(1, model.graph.nodes.length));
  const wanted = Math.max(5, Math.min(100, Math.ceil(budgetMs / Math.max(medianMs, 1e-3))));
  const runs = Math.max(2, Math.min(wanted, fit));
  const untraced: number[] = [];
  let ended = false;
  try {
    for (let k = 0; k <= runs; k++) {
      checkCancel(parts.cancel);
      await session.run(feeds);
      const start = parts.clock.now();
      await plain.run(feeds);
      // The first run warms up and does not count.
      if (k > 0) untraced.push(parts.clock.now() - start);
      parts.progress((k + 1) / (runs + 1));
    }
    ended = true;
    const layers = layersOfTrace(model, await session.endProfile(), runs + 1, medianMs, { skip: 1 });
    return { ...layers, runs, rawRatio: layers.rawSum / timingOf(untraced).median };
  } finally {
    // A trace that nobody reads must not stay on disk.
    if (!ended) await session.endProfile().catch(() => []);
    await session.release();
    await plain.release();
  }
}

/**
 * Faults: `runtime` where a model does not load or run, `unsupported` where no random input can be made for it. Throws
 * Cancelled between runs.
 */
export async function profileModel(
  parts: WorkParts,
  request: ProfileRequest,
  clock: Clock = realClock,
  resident: () => number = () => process.memoryUsage().rss,
): Promise<Profile> {
  const budgetMs = request.seconds * 1_000;
  const stage = (from: number, to: number, what: string): TimingParts => ({
    clock,
    cancel: parts.cancel,
    progress: (share) => parts.report.progress(from + (to - from) * share, what),
  });
  const model = openModelFile(request.model);
  const feeds = feedsOf(model, request.shapes);
  const second = request.versus;
  const other =
    second === undefined ? undefined : { path: second, feeds: feedsOf(openModelFile(second), request.shapes) };
  const subjects = [{ path: request.model, feeds }, ...(other === undefined ? [] : [other])];
  const { runtime, provider, fellBack } = await choose(parts.runtime, request, subjects);
  const end = request.versus === undefined ? 1 : 0.5;

  checkCancel(parts.cancel);
  const before = resident();
  const start = clock.now();
  const session = await runtime.open({ path: request.model });
  let whole: Omit<Profile, 'trace' | 'memory' | 'versus'>;
  try {
    const opened = clock.now();
    await session.run(feeds);
    const startUpMs = { open: opened - start, firstRun: clock.now() - opened };
    const times = await timeRuns({ session, feeds }, budgetMs, stage(0, end * 0.6, 'measuring'));
    const grown = resident() - before;
    whole = {
      runtime: runtime.name,
      provider,
      fellBack,
      threads: request.threads ?? null,
      latencyMs: timing(times),
      startUpMs,
      residentBytes: grown > 0 ? grown : null,
    };
  } finally {
    await session.release();
  }
  const copied = fileBytes(model) <= copyLimit;
  const median = whole.latencyMs.median;
  const trace = copied
    ? await traced(runtime, model, feeds, median, budgetMs / 3, stage(end * 0.6, end * 0.9, 'layer by layer'))
    : undefined;
  const shapes = request.shapes === undefined ? undefined : { inputs: request.shapes };
  const memory = activationMemory(model, shapes, trace?.rank);
  const profile: Profile = {
    ...whole,
    trace: trace === undefined ? null : toContract(trace),
    memory,
  };
  if (other === undefined) return profile;
  const versus = await against(runtime, request, feeds, other.feeds, stage(end, 1, 'measuring in turn'));
  return { ...profile, versus };
}

const timing = (times: readonly number[]): Profile['latencyMs'] => {
  const { interval95, ...more } = timingOf(times);
  return { ...more, interval95: [...interval95] };
};

function toContract({ layers, rawRatio, removed, runs }: Trace): Profile['trace'] {
  return { runs, rawRatio, removed: [...removed], layers: layers.map((l) => ({ ...l, fused: [...l.fused] })) };
}

async function against(
  runtime: Runtime,
  request: ProfileRequest,
  feedsA: Feeds,
  feedsB: Feeds,
  parts: TimingParts,
): Promise<NonNullable<Profile['versus']>> {
  const first: number[] = [];
  const second: number[] = [];
  for (let k = 0; k < openings; k++) {
    checkCancel(parts.cancel);
    const opened: Session[] = [];
    const open = async (path: string, feeds: Feeds): Promise<Subject> => {
      const session = await runtime.open({ path }, { restful: true });
      opened.push(session);
      return { session, feeds };
    };
    try {
      const a = await open(request.model, feedsA);
      const b = await open(request.versus ?? request.model, feedsB);
      const progress = (share: number): void => parts.progress((k + share) / openings);
      const times = await timeInTurn(a, b, (request.seconds * 2_000) / openings, { ...parts, progress });
      first.push(...times.first);
      second.push(...times.second);
    } finally {
      for (const session of opened) await session.release();
    }
  }
  const { interval95, ...ratio } = ratioOf(first, second);
  return { ...ratio, interval95: [...interval95], first: timing(first), second: timing(second) };
}
