/** The law where weights stand outside the file: whatever the layout, what a recipe foretells is what lies on the disk. */
import { mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, StringStringEntryProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { neverCancelled } from '#shared/base/cancel.ts';
import { attr } from '#shared/ir/attribute.ts';
import type { Model } from '#shared/ir/model.ts';
import { asWritten } from '#shared/onnx/as-written.ts';
import { fileBytes } from '#shared/onnx/size.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { previewRecipe } from '#shared/recipes/preview.ts';
import { parseRecipe } from '#shared/recipes/recipe.ts';
import { runRecipe } from '#shared/recipes/run-recipe.ts';
import type { StepHost } from '#shared/techniques/run-step.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { corpusEntries, corpusPath } from '#shared/testing/corpus.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { openModelFile, saveModelFile } from './model-files.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'bantam-external-'));

const net = (): Model =>
  model({
    opset: 13,
    inputs: [value('x', [1, 3, 8, 8])],
    outputs: [value('y', [1, 10])],
    initializers: [
      randomTensor('w1', [8, 3, 3, 3]),
      randomTensor('b1', [8]),
      randomTensor('w3', [512, 10], 3, 0.1),
      randomTensor('b3', [10], 4),
    ],
    nodes: [
      node('Constant', [], ['w2'], [attr.tensor('value', randomTensor('', [8, 8, 3, 3], 2, 0.2))]),
      node('Conv', ['x', 'w1', 'b1'], ['c1'], [attr.ints('pads', [1, 1, 1, 1])]),
      node('Relu', ['c1'], ['r1']),
      node('Conv', ['r1', 'w2'], ['c2'], [attr.ints('pads', [1, 1, 1, 1])]),
      node('Relu', ['c2'], ['r2']),
      node('Flatten', ['r2'], ['f']),
      node('Gemm', ['f', 'w3', 'b3'], ['y']),
    ],
  });

const all = { all: true as const };
const steps = [
  { technique: 'prune-channels', select: all, params: { ratio: 0.5 } },
  { technique: 'prune-weights', select: all, params: { ratio: 0.8 } },
  { technique: 'quantize', select: all, params: { mode: 'static' } },
  { technique: 'quantize', select: all, params: { mode: 'dynamic' } },
  { technique: 'quantize', select: all, params: { mode: 'weight-only', bits: 4 } },
];

const host: StepHost = {
  cancel: neverCancelled,
  progress: () => {},
  log: () => {},
  calibrate: async () => () => ({ min: -1, max: 1 }),
};

/** Writes the model with every tensor outside, the one in an attribute too. */
function scatter(path: string, place: (k: number) => { readonly location: string; readonly offset: number }): void {
  const proto = fromBinary(ModelProtoSchema, writeModel(net()));
  const inside = proto.graph?.initializer ?? [];
  const constants = (proto.graph?.node ?? []).flatMap((n) =>
    n.attribute.flatMap((a) => (a.t === undefined ? [] : [a.t])),
  );
  for (const [k, t] of [...inside, ...constants].entries()) {
    const { location, offset } = place(k);
    const at = join(dirname(path), location);
    mkdirSync(dirname(at), { recursive: true });
    const file = new Uint8Array(offset + (t.rawData?.length ?? 0));
    file.set(t.rawData ?? [], offset);
    writeFileSync(at, file);
    const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
    t.externalData = [entry('location', location), ...(offset === 0 ? [] : [entry('offset', `${offset}`)])];
    t.externalData.push(entry('length', `${t.rawData?.length}`));
    t.dataLocation = 1;
    t.rawData = new Uint8Array(0);
  }
  writeFileSync(path, toBinary(ModelProtoSchema, proto));
}

/** Layouts by name, as they lie on the disk. */
const layouts: Readonly<Record<string, (path: string) => unknown>> = {
  'one data file': (path) => saveModelFile(net(), path, { limit: 600 }),
  'a file for each tensor': (path) => scatter(path, (k) => ({ location: `t${k}`, offset: 0 })),
  'folders and offsets': (path) =>
    scatter(path, (k) => ({ location: `parts/of the/model/${k}.bin`, offset: k * 4096 })),
};

async function holds(opened: Model, step: (typeof steps)[number]): Promise<void> {
  const recipe = parseRecipe({ bantam: 1, steps: [step] });
  const predicted = previewRecipe(opened, recipe).figures;
  const done = await runRecipe(opened, recipe, host);
  const path = join(folder(), 'a name of any length.onnx');
  const saved = await saveModelFile(done.model, path);
  expect(measureFigures(openModelFile(path)).fileBytes).toBe(predicted.fileBytes);
  expect(saved.files.reduce((sum, f) => sum + statSync(f).size, 0)).toBe(predicted.fileBytes);
  await (await nodeRuntime(1).open({ path })).release();
}

describe.each(Object.keys(layouts))('%s', (name) => {
  it.each(steps)('$technique $params', async (step) => {
    const path = join(folder(), 'm.onnx');
    await layouts[name]?.(path);
    const opened = openModelFile(path);
    expect(fileBytes(opened)).not.toBe(fileBytes(asWritten(opened)));
    await holds(opened, step);
  });
});

describe.each(corpusEntries.map((e) => e.file).filter((f) => f.startsWith('4-external')))('%s', (file) => {
  it.each(steps)('$technique $params', async (step) => {
    const opened = openModelFile(corpusPath(file));
    try {
      previewRecipe(opened, parseRecipe({ bantam: 1, steps: [step] }));
    } catch {
      return; // nothing there that the technique takes
    }
    await holds(opened, step);
  });
});

it('past the limit for one file the size foretold is that on the disk, under any name', async () => {
  for (const limit of [600, 5000, 30_000]) {
    const saved = await saveModelFile(net(), join(folder(), 'n.onnx'), { limit });
    expect(saved.bytes).toBe(fileBytes(asWritten(net(), limit)));
    expect(saved.files.reduce((sum, f) => sum + statSync(f).size, 0)).toBe(saved.bytes);
  }
});
