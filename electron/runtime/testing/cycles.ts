/** Owns the child process of the S28 test: opens, runs and releases a model many times and prints its resident memory. */
import { readFileSync } from 'node:fs';
import { readModel } from '#shared/onnx/read.ts';
import { randomFeeds } from '../../jobs/random-feeds.ts';
import { nodeRuntime } from '../node-runtime.ts';

const [path = '', cycles = '200'] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(path));
const feeds = randomFeeds(readModel(bytes), 1);
const runtime = nodeRuntime(1);
const resident: number[] = [];
for (let i = 0; i < Number(cycles); i++) {
  const session = await runtime.open({ bytes });
  await session.run(feeds);
  await session.release();
  if (i % 10 === 9) globalThis.gc?.();
  resident.push(process.memoryUsage().rss);
}
process.stdout.write(JSON.stringify(resident));
