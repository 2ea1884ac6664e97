/**
 * Owns the bench of quantization: every classifier with labels here, and the models without, by what 8 and 4 bits do to
 * their answers; beside the recorded figures of the ONNX Runtime Python tool. BANTAM_WRITE=1 writes the tables of
 * docs/quantization.md, BANTAM_DUMP=FOLDER the float models and inputs that the recorded script reads, BANTAM_ONLY=a,b takes some
 * models, BANTAM_KEEP=FOLDER keeps each model's figures there and goes on from them.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import type { FieldValues } from '../../shared/base/fields.ts';
import { type Model, opsetVersion } from '../../shared/ir/model.ts';
import { writeModel } from '../../shared/onnx/write.ts';
import type { Feeds } from '../../shared/ports/runtime.ts';
import { runAll, type Score, scoreOf } from '../../shared/testing/quantization/score.ts';
import { type Inputs, recordedReference, type Subject, subjects } from '../../shared/testing/quantization/subjects.ts';
import { quantizedModel } from '../../shared/testing/quantized.ts';
import { wilson95 } from '../../shared/training/class-scores.ts';
import { convertOpset } from '../../shared/transforms/convert-opset.ts';

const runtime = nodeRuntime(1);
const variants: readonly (readonly [string, FieldValues])[] = [
  ['static 8', { mode: 'static' }],
  ['dynamic 8', { mode: 'dynamic' }],
  ['weights 8', { mode: 'weight-only' }],
  ['weights 4', { mode: 'weight-only', bits: 4 }],
];

async function outputsOf(model: Model, feeds: readonly Feeds[]) {
  const session = await runtime.open({ bytes: writeModel(model) }, { threads: 1 });
  try {
    return await runAll(session, feeds);
  } finally {
    await session.release();
  }
}

interface Row {
  readonly name: string;
  readonly kind: Subject['kind'];
  readonly told: string;
  readonly float: Score;
  readonly scores: Readonly<Record<string, Score>>;
}

/** The row as it was kept, or computed and kept. JSON knows no Infinity: an equal output is kept as 1e9 dB. */
async function keptRow(subject: Subject): Promise<Row> {
  const folder = process.env.BANTAM_KEEP;
  if (folder === undefined) return rowOf(subject);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${subject.name.replaceAll(' ', '-')}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Row;
  const row = await rowOf(subject);
  writeFileSync(
    path,
    JSON.stringify(row, (_, v) => (v === Number.POSITIVE_INFINITY ? 1e9 : v)),
  );
  return row;
}

async function rowOf(subject: Subject): Promise<Row> {
  const inputs = await subject.inputs(10_000);
  const model = subject.model();
  const [first = {}] = inputs.judged;
  const shapes = { inputs: Object.fromEntries(Object.entries(first).map(([k, t]) => [k, t.dims])) };
  const expected = await outputsOf(model, inputs.judged);
  if (process.env.BANTAM_DUMP !== undefined) dump(process.env.BANTAM_DUMP, subject, model, inputs);
  const scores: Record<string, Score> = {};
  for (const [name, params] of variants) {
    const done = await quantizedModel(model, params, inputs.calibration, shapes);
    scores[name] = scoreOf(expected, await outputsOf(done.model, inputs.judged), inputs.labels);
  }
  const { name, kind } = subject;
  return { name, kind, told: inputs.told, float: scoreOf(expected, expected, inputs.labels), scores };
}

/** The float model raised to opset 13 (which scales per channel need), and its inputs, as plain files. */
function dump(folder: string, subject: Subject, model: Model, inputs: Inputs): void {
  const to = resolve(folder, subject.name.replaceAll(' ', '-'));
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, 'float.onnx'), writeModel(convertOpset(model, Math.max(13, opsetVersion(model) ?? 13))));
  const put = (file: string, feeds: readonly Feeds[]): void => {
    const data = feeds.flatMap((f) =>
      Object.values(f).map((t) => Buffer.from(Float32Array.from(t.data as Float32Array).buffer)),
    );
    writeFileSync(join(to, file), Buffer.concat(data));
  };
  put('calibration.bin', inputs.calibration);
  put('judged.bin', inputs.judged);
  const [input, tensor] = Object.entries(inputs.judged[0] ?? {})[0] ?? ['', undefined];
  writeFileSync(
    join(to, 'meta.json'),
    JSON.stringify({ name: subject.name, input, dims: tensor?.dims, labels: inputs.labels ?? null }),
  );
}

const percent = (x: number): string => (100 * x).toFixed(2);
const decibels = (x: number): string => (x < 1e6 ? x.toFixed(1) : 'equal');

/** An accuracy as a difference to the float one: inside its interval it is none. */
function accuracyText(s: Score, float: Score): string {
  const [low, high] = wilson95(float.correct ?? 0, float.of);
  const share = (s.correct ?? 0) / s.of;
  return share >= low && share <= high ? `${percent(share)}, no difference` : `**${percent(share)}**`;
}

function tables(rows: readonly Row[]): string {
  const recorded = recordedReference().models;
  const forms = ['signed', 'unsigned'] as const;
  const tool = (name: string, form: (typeof forms)[number]): Score | undefined => {
    const of = recorded[name];
    return of === undefined || 'fault' in of ? undefined : of[form].all;
  };
  const toolNames = forms.map((f) => `tool, ${f}`);
  const names = variants.map(([name]) => name);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
    [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
  const missing = (name: string): string => {
    const of = recorded[name];
    return of !== undefined && 'fault' in of ? 'refused' : 'not recorded';
  };
  const one = rows.filter((r) => r.kind === 'labelled');
  const two = rows.filter((r) => r.kind === 'unlabelled');
  const accuracy = table(
    ['model', 'samples', 'float (95 %)', ...names, ...toolNames],
    one.map(({ name, float, scores }) => {
      const [low, high] = wilson95(float.correct ?? 0, float.of);
      const own = names.map((n) => accuracyText(scores[n] ?? float, float));
      const others = forms.map((f) => tool(name, f));
      return [
        name,
        String(float.of),
        `${percent((float.correct ?? 0) / float.of)} (${percent(low)} to ${percent(high)})`,
        ...own,
        ...others.map((s) => (s === undefined ? missing(name) : accuracyText(s, float))),
      ];
    }),
  );
  const noise = (of: readonly Row[]): string =>
    table(
      ['model', ...names, ...toolNames],
      of.map(({ name, float, scores }) => {
        const cell = (s: Score | undefined): string =>
          s === undefined
            ? missing(name)
            : `${decibels(s.sqnrDb)}${s.agreement === null ? '' : `, ${percent(s.agreement)}`}`;
        return [name, ...names.map((n) => cell(scores[n] ?? float)), ...forms.map((f) => cell(tool(name, f)))];
      }),
    );
  const inputs = table(
    ['model', 'inputs'],
    rows.map((r) => [r.name, r.told]),
  );
  return [
    '### Accuracy in percent, models with labels',
    accuracy,
    '### Output error of the same: SQNR in dB, equal answers in percent',
    noise(one),
    '### Output error of models without labels: SQNR in dB, equal answers in percent',
    noise(two),
    '### Data, split and preprocessing',
    inputs,
  ].join('\n\n');
}

const only = process.env.BANTAM_ONLY?.split(',');
const rows: Row[] = [];
for (const subject of subjects()) {
  if (only !== undefined && !only.includes(subject.name)) continue;
  process.stderr.write(`${subject.name} ...\n`);
  rows.push(await keptRow(subject));
}
const told = tables(rows);
process.stdout.write(`${told}\n`);
if (process.env.BANTAM_WRITE === '1') {
  const page = resolve(import.meta.dirname, '../../docs/quantization.md');
  const [before = '', rest = ''] = readFileSync(page, 'utf8').split('<!-- tables -->');
  const [, after = ''] = rest.split('<!-- end of tables -->');
  writeFileSync(page, `${before}<!-- tables -->\n\n${told}\n\n<!-- end of tables -->${after}`);
}
