/** Owns the check after a file was written: it loads, and gives what the model it came from gives. */
import { readFile, stat } from 'node:fs/promises';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { headlineOf } from '#shared/contract/headline.ts';
import type { RunTensor, Runtime } from '#shared/ports/runtime.ts';
import { openModelFile } from '../host/model-files.ts';
import type { Verified } from './protocol.ts';
import { randomFeeds } from './random-feeds.ts';

function difference(a: RunTensor, b: RunTensor | undefined): number {
  if (b === undefined || a.data.length !== b.data.length) return Number.MAX_VALUE;
  let worst = 0;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i], b.data[i]];
    if (x === y) continue;
    const [p, q] = [Number(x), Number(y)];
    if (Number.isNaN(p) && Number.isNaN(q)) continue;
    const gap = Math.abs(p - q);
    worst = Math.max(worst, Number.isFinite(gap) ? gap : Number.MAX_VALUE);
  }
  return worst;
}

async function sameBytes(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([stat(a), stat(b)]);
  return x.size === y.size && (await readFile(a)).equals(await readFile(b));
}

/** Largest difference of the outputs on one seeded random input. Faults: `runtime` where one of them does not load. */
async function largestDifference(runtime: Runtime, held: string, written: string): Promise<number> {
  const feeds = randomFeeds(await openModelFile(held), 1);
  const outputs = [];
  for (const path of [held, written]) {
    const session = await runtime.open({ path });
    try {
      outputs.push(await session.run(feeds));
    } finally {
      await session.release();
    }
  }
  const [before = {}, after = {}] = outputs;
  return Object.entries(before).reduce((worst, [name, t]) => Math.max(worst, difference(t, after[name])), 0);
}

/**
 * Opens the written file with our reader and with the runtime, and compares. A model that cannot be run on random input (unknown
 * shapes, token ids) is compared by its bytes instead.
 */
export async function verifyFile(runtime: Runtime, held: string, written: string): Promise<Verified> {
  const after = headlineOf(measureFigures(await openModelFile(written)));
  let loads = false;
  try {
    const session = await runtime.open({ path: written });
    loads = true;
    await session.release();
    return { after, loads, maxAbsError: await largestDifference(runtime, held, written) };
  } catch (thrown) {
    if (await sameBytes(held, written)) return { after, loads, maxAbsError: 0 };
    throw thrown;
  }
}
