/** Owns the check after a file was written: it loads, and gives what the model it came from gives. */
import { readFile, stat } from 'node:fs/promises';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { headlineOf } from '#shared/contract/headline.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import { openModelFile } from '../host/model-files.ts';
import { checkInBrowser } from './check-in-browser.ts';
import { outputsDifference } from './outputs-difference.ts';
import type { Verified } from './protocol.ts';
import { randomFeeds } from './random-feeds.ts';

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
  return outputsDifference(before, after);
}

/**
 * Opens the written file with our reader and with both runtimes, and compares. A model that cannot be run on random input (unknown
 * shapes, token ids) is compared by its bytes instead.
 */
export async function verifyFile(runtime: Runtime, held: string, written: string): Promise<Verified> {
  const after = headlineOf(measureFigures(await openModelFile(written)));
  let loads = false;
  try {
    const session = await runtime.open({ path: written });
    loads = true;
    await session.release();
    const maxAbsError = await largestDifference(runtime, held, written);
    return { after, loads, maxAbsError, browser: await checkInBrowser(runtime, { written }) };
  } catch (thrown) {
    if (await sameBytes(held, written)) return { after, loads, maxAbsError: 0, browser: null };
    throw thrown;
  }
}
