/** Owns the child process of the memory test of measuring: profiles a model many times and prints its resident memory. */
import { neverCancelled } from '#shared/base/cancel.ts';
import { nodeRuntime } from '../../runtime/node-runtime.ts';
import { profileModel } from '../profile-model.ts';

const [path = '', cycles = '200'] = process.argv.slice(2);
const runtime = nodeRuntime(1);
const report = { progress: () => {}, log: () => {}, training: () => {}, curve: () => {} };
const resident: number[] = [];
for (let i = 0; i < Number(cycles); i++) {
  await profileModel({ runtime, cancel: neverCancelled, report }, { model: path, seconds: 0.005 });
  if (i % 10 === 9) globalThis.gc?.();
  resident.push(process.memoryUsage().rss);
}
process.stdout.write(JSON.stringify(resident));
