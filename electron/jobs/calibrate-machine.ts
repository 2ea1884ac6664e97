/** Owns calibrateMachine: timing the calibration chains on this machine within a minute, and the profile fitted to them. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { timedChain } from '#shared/analysis/latency/calibration-samples.ts';
import { layersOfTrace, markedModel } from '#shared/analysis/latency/trace-layers.ts';
import { checkCancel } from '#shared/base/cancel.ts';
import { fitMachine, steadyPace } from '#shared/devices/machine/fit-machine.ts';
import type { MachineProfile } from '#shared/devices/machine/machine-profile.ts';
import { type TimedChain, timedChainSchema } from '#shared/devices/machine/timed-chain.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import { blockProbe, calibrationChains, isWeighty } from '#shared/zoo/calibration/chains.ts';
import { machineName } from '../host/machine-file.ts';
import { openPace, type Pace } from './machine-pace.ts';
import { interruptions, type MeasureParts, measureKernels } from './measure-kernels.ts';
import { randomFeeds } from './random-feeds.ts';
import { clock, type WorkParts } from './work-parts.ts';

export interface CalibrateRequest {
  /** Seconds to time for; what is fitted afterwards takes some more. */
  readonly seconds: number;
  /** Threads of the runtime; its default, all cores, where left out. */
  readonly threads?: number;
  /** File in which the timed chains are kept meanwhile, so that a calibration broken off goes on. */
  readonly kept?: string;
}

const keptSchema = z.object({
  bantam: z.literal(1),
  machine: z.string(),
  runtime: z.string(),
  threads: z.number(),
  seconds: z.number(),
  block: z.number(),
  bestMs: z.number(),
  chains: z.array(timedChainSchema),
});
type Kept = z.infer<typeof keptSchema>;

/** What a calibration of this machine, runtime and thread count has timed so far; undefined: nothing that fits. */
function keptOf(path: string | undefined, machine: string, runtime: string, threads: number): Kept | undefined {
  if (path === undefined || !existsSync(path)) return undefined;
  try {
    const kept = keptSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return kept.machine === machine && kept.runtime === runtime && kept.threads === threads ? kept : undefined;
  } catch {
    return undefined; // not whole, or of another version: as if it were not there
  }
}

/** Channels a block of the runtime's layout: 8 where eight fill one, 16 where it takes so many, 1 where there is none. */
export async function blockOf(runtime: Runtime): Promise<number> {
  const blocked = async (channels: number): Promise<boolean> => {
    const model = blockProbe(channels);
    const session = await runtime.open({ bytes: writeModel(markedModel(model)) }, { profile: true });
    await session.run(randomFeeds(model, 1));
    const traced = layersOfTrace(model, await session.endProfile(), 1, 1);
    await session.release();
    return traced.layers.some((l) => l.kernel === 'ReorderOutput');
  };
  if (await blocked(8)) return 8;
  return (await blocked(16)) ? 16 : 1;
}

const chainBudgetMs = 90;
const keepEvery = 20;
/** Rounds over the chains: those that were disturbed are timed again. */
const rounds = 3;

async function timeChain(
  name: string,
  build: () => ReturnType<typeof blockProbe>,
  block: number,
  pace: Pace,
  parts: MeasureParts,
): Promise<TimedChain> {
  const before = await pace.now();
  const model = build();
  const measured = await measureKernels(model, randomFeeds(model, 1), chainBudgetMs, parts, { cold: isWeighty(name) });
  const after = await pace.now();
  return timedChain(name, model, { ...measured, pace: (before + after) / 2 }, block);
}

/** Faults: `runtime` where the runtime refuses a chain. Throws Cancelled between runs; what was timed is kept. */
export async function calibrateMachine(parts: WorkParts, request: CalibrateRequest): Promise<MachineProfile> {
  const threads = request.threads ?? 0;
  const runtime: Runtime = {
    name: parts.runtime.name,
    open: (source, options = {}) => parts.runtime.open(source, threads > 0 ? { threads, ...options } : options),
  };
  const machine = machineName();
  const before = keptOf(request.kept, machine, runtime.name, threads);
  const block = before?.block ?? (await blockOf(runtime));
  const chains = new Map((before?.chains ?? []).map((c) => [c.chain, c]));
  const measure: MeasureParts = { runtime, clock, cancel: parts.cancel, interruptions };
  const pace = await openPace(measure, before?.bestMs);
  const start = clock.now() - (before?.seconds ?? 0) * 1_000;
  const seconds = (): number => (clock.now() - start) / 1_000;
  const keep = async (): Promise<void> => {
    if (request.kept === undefined) return;
    mkdirSync(dirname(request.kept), { recursive: true });
    const kept: Kept = {
      bantam: 1,
      machine,
      runtime: runtime.name,
      threads,
      seconds: seconds(),
      block,
      bestMs: pace.best(),
      chains: [...chains.values()],
    };
    await writeFileAtomic(request.kept, JSON.stringify(kept));
  };
  try {
    const all = calibrationChains();
    for (let round = 0; round < rounds; round++)
      for (const [k, { name, build }] of all.entries()) {
        if (seconds() > request.seconds) break;
        const known = chains.get(name);
        if (known !== undefined && (round === 0 || known.pace <= steadyPace)) continue;
        checkCancel(parts.cancel);
        const timed = await timeChain(name, build, block, pace, measure);
        if (known === undefined || timed.wholeMs < known.wholeMs) chains.set(name, timed);
        if (k % keepEvery === 0) await keep();
        parts.report.progress(Math.min(0.95, seconds() / request.seconds), `timing ${name}`);
      }
  } finally {
    await keep();
    await pace.release();
  }
  parts.report.progress(0.96, 'fitting');
  const about = {
    machine,
    runtime: runtime.name,
    threads,
    date: new Date().toISOString(),
    seconds: Math.round(seconds()),
    block,
    paceMs: pace.best(),
  };
  return fitMachine([...chains.values()], about);
}
