/** Owns the check of a written file in the runtime that pages use: it loads there, and gives what the native runtime gives. */
import { readFile, stat } from 'node:fs/promises';
import type { ShapeChoice } from '#shared/analysis/figures.ts';
import type { BrowserCheck } from '#shared/contract/browser-check.ts';
import type { Model } from '#shared/ir/model.ts';
import { embedded } from '#shared/onnx/embedded.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Feeds, RunTensor, Runtime } from '#shared/ports/runtime.ts';
import { measureLatency } from '#shared/training/measure-latency.ts';
import { openModelFile } from '../host/model-files.ts';
import { webRuntime } from '../runtime/web-runtime.ts';
import { outputsDifference } from './outputs-difference.ts';
import { randomFeeds } from './random-feeds.ts';
import { clock } from './work-parts.ts';

/** WebAssembly holds the file and the session beside it. */
const largest = 256 * 2 ** 20;

interface Subject {
  readonly model: Model;
  readonly bytes: Uint8Array;
}

async function subjectOf(path: string): Promise<Subject> {
  const model = await openModelFile(path);
  const whole = embedded(model);
  return { model, bytes: whole === model ? Uint8Array.from(await readFile(path)) : writeModel(whole) };
}

type Outputs = Readonly<Record<string, RunTensor>>;

async function outputsIn(runtime: Runtime, bytes: Uint8Array, feeds: Feeds): Promise<Outputs> {
  const session = await runtime.open({ bytes });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Both timed in turn, the best of three medians each: WebAssembly is compiled better while it runs, and others load the machine. */
async function inTurn(runtime: Runtime, subjects: readonly Subject[], shapes: ShapeChoice | undefined) {
  const sessions = await Promise.all(
    subjects.map(async ({ model, bytes }) => ({
      session: await runtime.open({ bytes }),
      feeds: randomFeeds(model, 1, shapes?.inputs),
    })),
  );
  const best = subjects.map(() => Number.POSITIVE_INFINITY);
  try {
    for (let round = 0; round < 3; round++)
      for (const [k, { session, feeds }] of sessions.entries()) {
        const { median } = await measureLatency(session, feeds, clock, 200);
        best[k] = Math.min(best[k] ?? median, median);
      }
  } finally {
    for (const { session } of sessions) await session.release();
  }
  return best;
}

export interface BrowserQuestion {
  readonly written: string;
  /** The original: both are then timed, one after the other. */
  readonly original?: string;
  readonly shapes?: ShapeChoice | undefined;
}

/** The original may be one that this runtime does not take: its time is then unknown. */
async function timesOf(
  runtime: Runtime,
  original: string,
  after: Subject,
  shapes: ShapeChoice | undefined,
): Promise<BrowserCheck['latencyMs']> {
  try {
    const [before = null, ms = 0] = await inTurn(runtime, [await subjectOf(original), after], shapes);
    return { before, after: ms };
  } catch {
    const [ms = 0] = await inTurn(runtime, [after], shapes);
    return { before: null, after: ms };
  }
}

const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** What the browser's runtime makes of the written file; null where it is too large to be tried. Throws nothing of the runtime's. */
export async function checkInBrowser(native: Runtime, question: BrowserQuestion): Promise<BrowserCheck | null> {
  const { written, original, shapes } = question;
  if ((await stat(written)).size > largest) return null;
  const after = await subjectOf(written);
  const runtime = await webRuntime();
  const unknown = { maxAbsError: null, latencyMs: null };
  try {
    await (await runtime.open({ bytes: after.bytes })).release();
  } catch (thrown) {
    return { runtime: runtime.name, loads: false, why: wordsOf(thrown), ...unknown };
  }
  try {
    const feeds = randomFeeds(after.model, 1, shapes?.inputs);
    const here = await outputsIn(runtime, after.bytes, feeds);
    const there = await outputsIn(native, after.bytes, feeds);
    const maxAbsError = outputsDifference(there, here);
    const latencyMs = original === undefined ? null : await timesOf(runtime, original, after, shapes);
    return { runtime: runtime.name, loads: true, maxAbsError, latencyMs };
  } catch (thrown) {
    // It loads; random input is no input for every model.
    return { runtime: runtime.name, loads: true, why: wordsOf(thrown), ...unknown };
  }
}
