/** Owns the results of a kit: reading them, line by line refused where they are wrong, and the profile that they give. */
import { z } from 'zod';
import { worksOf } from '../../analysis/latency/works-of.ts';
import { Fault } from '../../base/fault.ts';
import { parseWith } from '../../base/schema.ts';
import { type Said, text } from '../../base/text.ts';
import type { MeasuredRun } from '../../devices/fit-rates.ts';
import { type FittedProfile, fitProfile } from '../../devices/fitted-profile.ts';
import { deviceKinds } from '../../devices/profile.ts';
import { kitModels, kitVersion } from './kit-models.ts';

const ms = z.number().positive().finite();

export const resultsSchema = z.strictObject({
  kit: z.literal(kitVersion),
  device: z.strictObject({
    id: z.string().regex(/^[a-z0-9-]{1,64}$/, 'lower-case letters, digits and hyphens'),
    name: z.string().min(1).max(120),
    kind: z.enum(deviceKinds).default('computer'),
    unit: z.enum(['cpu', 'gpu', 'npu', 'vpu', 'dsp']).default('cpu'),
    memoryBytes: z.number().positive().optional(),
  }),
  /** Such as 'ONNX Runtime 1.30, 4 threads'. */
  software: z.string().min(1),
  /** '2026-03-01' */
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'expected a date such as 2026-03-01'),
  /** Milliseconds of a run: the median, or every time. A model that did not run is left out. */
  runs: z.array(z.strictObject({ id: z.string(), ms: z.union([ms, z.array(ms).min(1)]) })).min(1),
});
export type KitResults = z.infer<typeof resultsSchema>;

const fewest = 10;

function medianOf(times: number | readonly number[]): number {
  if (typeof times === 'number') return times;
  const sorted = [...times].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

/**
 * Lines `id,ms` as runs; a header, empty lines and lines that begin with # are passed over. Faults: `bad-file`, naming file and
 * line.
 */
export function readCsvRuns(content: string, file: string): KitResults['runs'] {
  const runs: KitResults['runs'] = [];
  for (const [k, whole] of content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#') || /^id\s*[,;]\s*ms$/i.test(line)) continue;
    const wrong = (message: Said): Fault =>
      new Fault('bad-file', message, {
        where: text(`${file}, line ${k + 1}`, `${file}, ${k + 1}번째 줄`),
        hint: text('A line is "id,ms".', '한 줄은 "id,ms"입니다.'),
      });
    const cells = line.split(/[,;]/).map((c) => c.trim());
    const [id = '', time = ''] = cells;
    if (cells.length !== 2)
      throw wrong(text(`${cells.length} cells instead of 2`, `칸이 2개가 아니라 ${cells.length}개입니다`));
    const value = Number(time);
    if (time === '' || !Number.isFinite(value) || value <= 0)
      throw wrong(text(`"${time}" is no time in milliseconds`, `"${time}"은(는) 밀리초로 나타낸 시간이 아닙니다`));
    if (runs.some((r) => r.id === id)) throw wrong(text(`${id} stands twice`, `${id}이(가) 두 번 있습니다`));
    runs.push({ id, ms: value });
  }
  return runs;
}

/** Validates results. Faults: `bad-input`, naming the field. */
export const parseResults = (value: unknown, file: string): KitResults => parseWith(resultsSchema, value, file);

/** The runs with what each model has to do. Faults: `bad-input` for a model that the kit does not have, and for too few. */
export function measuredRuns(results: KitResults, file: string): readonly MeasuredRun[] {
  const models = new Map(kitModels.map((m) => [m.id, m]));
  const runs = results.runs.map((run, k) => {
    const model = models.get(run.id);
    if (model === undefined)
      throw new Fault('bad-input', text(`the kit has no model "${run.id}"`, `키트에 모델 "${run.id}"이(가) 없습니다`), {
        where: `${file}, run ${k + 1}`,
        hint: text('The ids are those of runs.json.', '이름은 runs.json에 있는 것을 씁니다.'),
      });
    return { id: run.id, layers: worksOf(model.build()).layers, ms: medianOf(run.ms) };
  });
  if (runs.length < fewest)
    throw new Fault(
      'bad-input',
      text(`${runs.length} runs are too few for a profile`, `측정 ${runs.length}개로는 프로파일을 만들기에 부족합니다`),
      {
        where: file,
        hint: text(`Measure at least ${fewest}.`, `적어도 ${fewest}개를 측정하세요.`),
      },
    );
  return runs;
}

/** The profile that results give, with its errors. Faults: `bad-input`. */
export function profileFrom(results: KitResults, file: string): FittedProfile {
  const { device, software, date } = results;
  return fitProfile(
    {
      id: device.id,
      name: device.name,
      kind: device.kind,
      unit: device.unit,
      year: Number(date.slice(0, 4)),
      software,
      source: { title: `Results of the device kit ${kitVersion}: ${software}`, address: file, date },
      ...(device.memoryBytes === undefined ? {} : { memoryBytes: device.memoryBytes }),
    },
    measuredRuns(results, file),
  );
}
