/**
 * Owns checkLaw, what holds for every technique on every model: predicted = written, the file loads and runs, inputs and
 * outputs keep names and types. And maskedModel, the reference for removed channels.
 */

import type { Figures, ShapeChoice } from '../analysis/figures.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import type { Model } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds, RunTensor, Runtime } from '../ports/runtime.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe, type Select } from '../recipes/recipe.ts';
import { techniqueOf } from '../techniques/index.ts';
import { brokenPromise } from '../techniques/promises.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { randomFeeds } from './feeds.ts';

export interface LawOptions {
  readonly runtime?: Runtime;
  readonly select?: Select;
  readonly shapes?: ShapeChoice;
  readonly feeds?: Feeds;
}

export type Outputs = Readonly<Record<string, RunTensor>>;

export interface LawResult {
  /** What does not hold, one line each; empty where the law holds. */
  readonly broken: readonly string[];
  readonly model: Model;
  readonly bytes: Uint8Array;
  readonly outputs?: Outputs;
  readonly layersTaken: number;
}

/** Runs a model once on the given feeds. */
export async function runOnce(runtime: Runtime, bytes: Uint8Array, feeds: Feeds): Promise<Outputs> {
  const session = await runtime.open({ bytes }, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Applies one technique as a one-step recipe and checks the law on the written bytes. */
export async function checkLaw(
  technique: string,
  model: Model,
  params: Readonly<Record<string, string | number | boolean>>,
  options: LawOptions = {},
): Promise<LawResult> {
  const recipe = parseRecipe({ bantam: 1, steps: [{ technique, select: options.select ?? { all: true }, params }] });
  const preview = previewRecipe(model, recipe, options.shapes === undefined ? {} : { shapes: options.shapes });
  const bytes = writeModel(preview.model);
  const back = readModel(bytes);
  const after = measureFigures(back, options.shapes);
  const broken: string[] = [];
  const { figures } = preview;
  for (const key of ['parameters', 'macs', 'fileBytes', 'opset', 'nodes', 'peakActivationBytes'] as const)
    if (figures[key] !== after[key]) broken.push(`${key}: predicted ${figures[key]}, written file has ${after[key]}`);
  const told = (f: Figures): string =>
    f.layers.map((l) => `${l.name || l.id} ${l.op} ${l.macs} ${l.parameters}`).join('\n');
  if (told(figures) !== told(after)) broken.push('layers: those predicted are not those of the written file');
  if (figures.fileBytes !== bytes.length)
    broken.push(`fileBytes: predicted ${figures.fileBytes}, wrote ${bytes.length}`);
  const step = preview.steps[0];
  const entered = step?.opset === undefined ? model : convertOpset(model, step.opset);
  const entering = measureFigures(entered, options.shapes);
  const promise = brokenPromise(techniqueOf(technique), entered, back, { before: entering, after });
  if (promise !== undefined) broken.push(promise);
  const layersTaken = step?.layers.filter((l) => l.taken).length ?? 0;
  const result = { model: preview.model, bytes, layersTaken };
  if (options.runtime === undefined) return { ...result, broken };
  const feeds = options.feeds ?? randomFeeds(model);
  const before = await runOnce(options.runtime, writeModel(model), feeds);
  try {
    const outputs = await runOnce(options.runtime, bytes, feeds);
    for (const [name, was] of Object.entries(before)) {
      const is = outputs[name];
      if (is === undefined) broken.push(`output ${name} is gone`);
      else if (is.type !== was.type || is.dims.join() !== was.dims.join())
        broken.push(`output ${name} was ${was.type}[${was.dims}], is ${is.type}[${is.dims}]`);
    }
    return { ...result, outputs, broken };
  } catch (thrown) {
    return { ...result, broken: [...broken, `does not run: ${thrown instanceof Error ? thrown.message : thrown}`] };
  }
}
