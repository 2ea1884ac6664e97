/**
 * Owns techniqueLaw: one technique with one set of parameters on one model, run as a job runs it, and everything in which
 * preview, written file and promises disagree.
 */
import { calibrate } from '../analysis/calibration.ts';
import type { ShapeChoice } from '../analysis/figures.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { neverCancelled } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { fieldDefaults } from '../base/fields.ts';
import { inLanguage, type Said } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds, Runtime } from '../ports/runtime.ts';
import { type Preview, previewRecipe } from '../recipes/preview.ts';
import { parseRecipe, type Recipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import type { Technique, TechniqueCase } from '../techniques/declare.ts';
import { brokenPromise } from '../techniques/promises.ts';
import type { StepHost } from '../techniques/run-step.ts';
import { gatherEvidence } from '../training/gather-evidence.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { randomFeeds } from './feeds.ts';
import { randomSource } from './run-technique.ts';
import { runsWell } from './runs-well.ts';

/** A sentence in both languages. */
const isReason = (said: Said): boolean =>
  (['en', 'ko'] as const).every(
    (l) => inLanguage(said, l).trim() !== '' && !/\[object|undefined/.test(inLanguage(said, l)),
  );

export interface TechniqueLaw {
  /** What does not hold, a line each. */
  readonly broken: readonly string[];
  /** Why the technique takes nothing of this model; undefined where it takes something. */
  readonly refused?: string;
  readonly layersTaken: number;
}

export interface TechniqueLawOptions {
  /** Serves calibration, and the run of the written file. */
  readonly runtime: Runtime;
  readonly shapes?: ShapeChoice;
  /** Left out where the model is too large to be run, or the runtime does not run it. */
  readonly run?: boolean;
}

/** A job's host with random samples; training leaves the values as they are: what it changes are values, never the form. */
function lawHost(runtime: Runtime, feeds: readonly Feeds[]): StepHost {
  return {
    cancel: neverCancelled,
    progress: () => {},
    log: () => {},
    calibrate: (model, request) => calibrate(runtime, model, request, feeds, neverCancelled),
    evidence: (model, request) =>
      gatherEvidence({ runtime, model, request, source: randomSource(), seed: 1, cancel: neverCancelled }),
    train: async (model) => ({ model, own: [] }),
  };
}

const recipeOf = (technique: Technique, { params }: TechniqueCase): Recipe =>
  parseRecipe({ bantam: 1, steps: [{ technique: technique.id, select: { all: true }, params }] });

/** The preview, or the sentence that refuses. Only a refusal is caught: any other fault is a fault of ours. */
function previewed(model: Model, recipe: Recipe, shapes?: ShapeChoice): Preview | string {
  try {
    return previewRecipe(model, recipe, shapes === undefined ? {} : { shapes });
  } catch (thrown) {
    const refuses = thrown instanceof Fault && ['bad-recipe', 'does-not-fit', 'unsupported'].includes(thrown.code);
    if (!refuses) throw thrown;
    return [thrown.message, thrown.where, thrown.hint].filter(Boolean).join(' · ');
  }
}

/** Previews, runs, writes and reads back. `broken` is empty where the law holds; a refusal holds it with its reason. */
export async function techniqueLaw(
  technique: Technique,
  one: TechniqueCase,
  model: Model,
  options: TechniqueLawOptions,
): Promise<TechniqueLaw> {
  const { runtime, shapes } = options;
  const recipe = recipeOf(technique, one);
  const preview = previewed(model, recipe, shapes);
  if (typeof preview === 'string') return { broken: [], refused: preview, layersTaken: 0 };
  const feeds = options.run === false ? [] : [1, 2].map((seed) => randomFeeds(model, seed));
  const done = await runRecipe(model, recipe, lawHost(runtime, feeds), shapes);
  const bytes = writeModel(done.model);
  const back = readModel(bytes);
  const after = measureFigures(back, shapes);
  const { figures } = preview;
  const broken: string[] = [];
  const exact = technique.exactness({ ...fieldDefaults(technique.params), ...one.params }) !== 'training';
  for (const key of ['parameters', 'macs', 'fileBytes', 'opset', 'nodes', 'peakActivationBytes'] as const)
    if (exact && figures[key] !== after[key])
      broken.push(`${key}: predicted ${figures[key]}, written file has ${after[key]}`);
  if (after.fileBytes !== bytes.length) broken.push(`fileBytes: counted ${after.fileBytes}, wrote ${bytes.length}`);
  const step = preview.steps[0];
  const entered = step?.opset === undefined ? model : convertOpset(model, step.opset);
  const promise = brokenPromise(technique, entered, back, { before: measureFigures(entered, shapes), after });
  if (promise !== undefined) broken.push(promise);
  const layersTaken = step?.layers.filter((l) => l.taken).length ?? 0;
  if (layersTaken > 0 && step?.layers.some((l) => !l.taken && !isReason(l.reason)))
    broken.push('a layer is refused without a reason');
  if (options.run !== false) broken.push(...(await runsWell(technique, runtime, model, bytes)));
  return { broken, layersTaken };
}
