/** Owns `bantam device kit`, `run` and `import`: the models that calibrate a device, their times here, and the profile of results. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { timingOf } from '#shared/analysis/latency/timing.ts';
import { checkCancel } from '#shared/base/cancel.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { RunTensor } from '#shared/ports/runtime.ts';
import { type KitModel, kitModels, kitVersion } from '#shared/zoo/kit/kit-models.ts';
import { type KitResults, parseResults, profileFrom, readCsvRuns } from '#shared/zoo/kit/kit-results.ts';
import { timeRuns } from '../jobs/time-runs.ts';
import { clock } from '../jobs/work-parts.ts';
import { kitReadme } from './kit-readme.ts';
import { readJson, readText } from './options.ts';
import { type OutputOptions, print } from './output.ts';
import { checkOutput } from './output-path.ts';
import { type RunOptions, withParts } from './parts.ts';
import { bytes, count, percent } from './table.ts';

export interface KitOptions extends OutputOptions {
  readonly output: string;
}

const runsText = (): string =>
  `${JSON.stringify(
    {
      kit: kitVersion,
      input: 'input',
      warmUpRuns: 5,
      runs: kitModels.map((m) => ({
        id: m.id,
        file: `${m.id}.onnx`,
        type: m.type === 'fp16' ? 'float16' : 'float',
        dims: m.dims,
        what: m.what,
      })),
    },
    null,
    2,
  )}\n`;

/** Writes the kit into a folder, which is made. */
export function deviceKit(options: KitOptions): void {
  const folder = options.output;
  mkdirSync(folder, { recursive: true });
  let size = 0;
  for (const m of kitModels) {
    const file = writeModel(m.build());
    size += file.length;
    writeFileSync(join(folder, `${m.id}.onnx`), file);
  }
  writeFileSync(join(folder, 'runs.json'), runsText());
  writeFileSync(join(folder, 'README.md'), kitReadme());
  print(
    options,
    { output: folder, models: kitModels.length, bytes: size },
    () => `${count(kitModels.length)} models (${bytes(size)}), runs.json and README.md written to ${folder}`,
  );
}

function inputOf({ type, dims }: KitModel): RunTensor {
  const size = dims.reduce((a, b) => a * b, 1);
  // Half of 1 in half floats, so that no kernel meets denormal numbers.
  if (type === 'fp16') return { type: 'float16', dims, data: new Uint16Array(size).fill(0x3800) };
  return { type: 'float', dims, data: new Float32Array(size).fill(0.5) };
}

const budgetMs = 150;

/** A device's id from what it is called. */
const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 64)
    .replace(/^-|-$/g, '') || 'device';

export interface RunKitOptions extends OutputOptions, RunOptions {
  readonly output: string;
  readonly name?: string;
}

/** Measures the kit on this machine and writes results as any other device would bring them. */
export async function deviceRun(options: RunKitOptions): Promise<void> {
  checkOutput(options.output);
  const name = options.name ?? 'this machine';
  const found = await withParts(options, async ({ runtime, cancel, report }) => {
    const runs: KitResults['runs'] = [];
    for (const [k, m] of kitModels.entries()) {
      checkCancel(cancel);
      report.progress(k / kitModels.length, m.what);
      const session = await runtime.open({ bytes: writeModel(m.build()) });
      try {
        const parts = { clock, cancel, progress: () => {} };
        const { median } = timingOf(await timeRuns({ session, feeds: { input: inputOf(m) } }, budgetMs, parts));
        runs.push({ id: m.id, ms: Number(median.toPrecision(5)) });
      } finally {
        await session.release();
      }
    }
    const threads = options.threads === undefined ? 'all cores' : `${options.threads} threads`;
    return {
      kit: kitVersion,
      device: {
        id: slug(name),
        name,
        kind: 'computer',
        unit: 'cpu',
      },
      software: `${runtime.name}, ${threads}`,
      date: new Date().toISOString().slice(0, 10),
      runs,
    } satisfies KitResults;
  });
  mkdirSync(dirname(options.output), { recursive: true });
  writeFileSync(options.output, `${JSON.stringify(found, null, 2)}\n`);
  print(
    options,
    { output: options.output, runs: found.runs.length },
    () => `${found.runs.length} times written to ${options.output}`,
  );
}

export interface ImportOptions extends OutputOptions {
  readonly output: string;
  readonly name?: string;
  readonly software?: string;
}

/** Results from JSON, or from CSV with what it cannot say. */
function resultsOf(path: string, options: ImportOptions): KitResults {
  if (!/\.csv$/i.test(path)) return parseResults(readJson(path), path);
  const text = readText(path);
  const name = options.name ?? basename(path).replace(/\.csv$/i, '');
  return parseResults(
    {
      kit: kitVersion,
      device: { id: slug(name), name },
      software: options.software ?? 'ONNX Runtime',
      date: new Date().toISOString().slice(0, 10),
      runs: readCsvRuns(text, path),
    },
    path,
  );
}

/** Fits a profile to results and writes it. Faults: `bad-path`, `bad-file`, `bad-input`. */
export function deviceImport(path: string, options: ImportOptions): void {
  checkOutput(options.output, path);
  const results = resultsOf(path, options);
  const { profile, medianError, worst, unseenError } = profileFrom(results, basename(path));
  mkdirSync(dirname(options.output), { recursive: true });
  writeFileSync(options.output, `${JSON.stringify(profile, null, 2)}\n`);
  const json = {
    output: options.output,
    runs: results.runs.length,
    medianErrorPercent: medianError * 100,
    unseenErrorPercent: unseenError === null ? null : unseenError * 100,
    worst: { id: worst.id, errorPercent: worst.error * 100 },
  };
  print(options, json, () =>
    [
      `profile of ${profile.name} written to ${options.output}`,
      `fitted to ${results.runs.length} runs: median error ${percent(medianError)}, worst ${percent(worst.error)} (${worst.id})`,
      `on runs that the fit had not seen: median ${percent(unseenError)}`,
      `use it with: bantam estimate MODEL --device ${options.output}`,
    ].join('\n'),
  );
}
