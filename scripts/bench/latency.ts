/**
 * Owns the benchmark of latency estimates: predicted by this computer's calibration against measured, on networks that were
 * not used to fit. It takes the calibration that `device calibrate` and the studio keep, and calibrates first where there is
 * none. Times are kept as they come, so that a benchmark broken off goes on: `--seconds=N` stops after about N seconds, `--fresh`
 * forgets what was timed, `--json` prints one object, `--docs` writes docs/latency.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { neverCancelled } from '#shared/base/cancel.ts';
import { machineFolder } from '../../electron/host/data-folder.ts';
import { chainsIn, keepMachine, readMachine } from '../../electron/host/machine-file.ts';
import { calibrateMachine } from '../../electron/jobs/calibrate-machine.ts';
import { openPace } from '../../electron/jobs/machine-pace.ts';
import { interruptions, measureKernels } from '../../electron/jobs/measure-kernels.ts';
import { randomFeeds } from '../../electron/jobs/random-feeds.ts';
import { silent } from '../../electron/jobs/report.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { latencyPage } from './latency/latency-page.ts';
import { benchNets } from './latency/nets.ts';
import { reportPage } from './latency/report.ts';
import { benchResult, netResult, type Timed } from './latency/result.ts';

const option = (name: string): string | undefined =>
  process.argv.find((a) => a === `--${name}` || a.startsWith(`--${name}=`));
const json = option('json') !== undefined;
const seconds = Number(option('seconds')?.split('=')[1] ?? Number.POSITIVE_INFINITY);
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const start = performance.now();
const spent = (): number => (performance.now() - start) / 1_000;

/** As the command line and the studio calibrate. */
const threads = availableParallelism();
const runtime = nodeRuntime(threads);
const folder = machineFolder();
const kept = join(folder, 'bench-latency.json');
let profile = readMachine(folder, runtime.name, threads);
if (profile === undefined) {
  say('calibrating this computer first');
  profile = await calibrateMachine(
    { runtime, cancel: neverCancelled, report: silent },
    { seconds: 50, threads, kept: chainsIn(folder) },
  );
  await keepMachine(folder, profile);
}

/** Each network is opened and measured so often; the faster is told, since others only ever add time. */
const tries = 2;
const budgetMs = 500;

const timed: Record<string, Timed> =
  option('fresh') === undefined && existsSync(kept)
    ? (JSON.parse(readFileSync(kept, 'utf8')) as Record<string, Timed>)
    : {};
const parts = { runtime, clock: { now: () => performance.now() }, cancel: neverCancelled, interruptions };
const pace = await openPace(parts, profile.paceMs);
const paceNow = async (): Promise<number> => {
  const now = await pace.now();
  return (now * pace.best()) / (profile?.paceMs ?? pace.best());
};
for (const { name, open } of benchNets) {
  if (timed[name] !== undefined) continue;
  if (spent() > seconds) break;
  const model = open();
  const feeds = randomFeeds(model, 1);
  const found: { ms: number; pace: number; layers: Record<string, number> }[] = [];
  for (let k = 0; k < tries; k++) {
    const before = await paceNow();
    const { wholeMs, traced } = await measureKernels(model, feeds, budgetMs, parts);
    const layers = Object.fromEntries(traced.layers.flatMap((l) => (l.id === null ? [] : [[l.id, l.rawMs]])));
    found.push({ ms: wholeMs, pace: (before + (await paceNow())) / 2, layers });
  }
  found.sort((a, b) => a.ms - b.ms);
  const [best, next = best] = found;
  if (best === undefined || next === undefined) continue;
  timed[name] = { rawMs: best.ms, pace: best.pace, againMs: next.ms, load: loadavg()[0] ?? 0, layers: best.layers };
  mkdirSync(folder, { recursive: true });
  writeFileSync(kept, JSON.stringify(timed));
  say(`${name.padEnd(40)} ${best.ms.toFixed(3)} ms at pace ${best.pace.toFixed(2)}`);
}
await pace.release();

const networks = benchNets.flatMap(({ name, open }) => {
  const its = timed[name];
  const found = its === undefined || profile === undefined ? null : netResult(name, open(), its, profile);
  return found === null ? [] : [found];
});
const result = benchResult(networks, profile, new Date().toISOString());
const page = join(folder, 'bench-latency.html');
writeFileSync(page, reportPage(result));
if (option('docs') !== undefined)
  writeFileSync(resolve(import.meta.dirname, '../../docs/latency.md'), latencyPage(result, benchNets.length));
if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
else {
  for (const n of networks)
    console.log(
      `${n.name.padEnd(42)} estimated ${n.estimatedMs.toFixed(3).padStart(9)} ±${n.plusMinusPercent.toFixed(0)} %  measured ${n.measuredMs.toFixed(3).padStart(9)} (pace ${n.pace.toFixed(2)})  ${n.errorPercent >= 0 ? '+' : ''}${n.errorPercent.toFixed(1)} %${n.guessed.length > 0 ? `  guessed: ${n.guessed.join(', ')}` : ''}`,
    );
  console.log(
    `\n${networks.length} of ${benchNets.length} networks: median error ${result.medianErrorPercent.toFixed(1)} % (at one pace ${result.medianAtPacePercent.toFixed(1)} %), ` +
      `${(100 * result.within10).toFixed(0)} % within 10 %, rank correlation ${result.rankCorrelation.toFixed(3)}, repeat noise ${result.repeatNoisePercent.toFixed(1)} %\n${page}`,
  );
}
