/**
 * Owns techniqueLaw: one technique with one set of parameters on one model, run as a job runs it, and everything in which
 * preview, written file and promises disagree.
 */
import { calibrate } from '../analysis/calibration.ts';
import type { ShapeChoice } from '../analysis/figures.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { neverCancelled } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { fieldDefaults } from '../base/fields.ts';
import type { Model } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds, RunTensor, Runtime } from '../ports/runtime.ts';
import { type Preview, previewRecipe } from '../recipes/preview.ts';
import { parseRecipe, type Recipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import type { Technique, TechniqueCase } from '../techniques/declare.ts';
import { brokenPromise } from '../techniques/promises.ts';
import type { StepHost } from '../techniques/run-step.ts';
import { gatherEvidence } from '../training/gather-evidence.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { maxError, randomFeeds } from './feeds.ts';
import { randomSource } from './run-technique.ts';

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

interface Ran {
  readonly outputs: Readonly<Record<string, RunTensor>>;
  /** Nodes of constants alone that ran all the same: a decoded weight must be folded when the file is loaded. */
  readonly decoding: ReadonlySet<string>;
}

async function ran(runtime: Runtime, bytes: Uint8Array, feeds: Feeds): Promise<Ran> {
  const model = readModel(bytes);
  const facts = inferFacts(model);
  // Beside 16-bit activations, for which the CPU has no kernels, it decodes weights on every run, whatever the file says.
  const wide = model.graph.nodes.some(
    (n) => n.op === 'DequantizeLinear' && facts.get(n.inputs[0] ?? '')?.elem === 'uint16',
  );
  const constant = new Set(
    model.graph.nodes.flatMap((n) =>
      n.name !== '' && n.outputs.every((o) => facts.get(o)?.constant) && !(wide && n.op === 'DequantizeLinear')
        ? [n.name]
        : [],
    ),
  );
  const session = await runtime.open({ bytes }, { threads: 1, profile: true });
  try {
    const outputs = await session.run(feeds);
    const entries = await session.endProfile();
    return { outputs, decoding: new Set(entries.flatMap((e) => (constant.has(e.node) ? [`${e.op} ${e.node}`] : []))) };
  } finally {
    await session.release();
  }
}

/** What a run of both files shows: outputs there and of their form, equal where promised, nothing decoded per call. */
async function runsWell(technique: Technique, runtime: Runtime, from: Model, bytes: Uint8Array): Promise<string[]> {
  const feeds = randomFeeds(from);
  const before = await ran(runtime, writeModel(from), feeds);
  const broken: string[] = [];
  const sameIo = technique.promises.includes('same-io');
  const fed = sameIo ? feeds : randomFeeds(readModel(bytes));
  const after = await ran(runtime, bytes, fed).catch((thrown: unknown) => {
    broken.push(`does not run: ${thrown instanceof Error ? thrown.message : thrown}`);
    return undefined;
  });
  if (after === undefined) return broken;
  for (const kernel of after.decoding)
    if (!before.decoding.has(kernel)) broken.push(`${kernel} decodes a weight on every call`);
  if (sameIo)
    for (const [name, was] of Object.entries(before.outputs)) {
      const is = after.outputs[name];
      if (is === undefined) broken.push(`output ${name} is gone`);
      else if (is.type !== was.type || is.dims.join() !== was.dims.join())
        broken.push(`output ${name} was ${was.type}[${was.dims}], is ${is.type}[${is.dims}]`);
    }
  if (technique.promises.includes('function-preserved')) {
    const error = maxError(before.outputs, after.outputs);
    if (!(error < 1e-4)) broken.push(`outputs differ by ${error}`);
  }
  return broken;
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
  if (layersTaken > 0 && step?.layers.some((l) => !l.taken && l.reason.trim() === ''))
    broken.push('a layer is refused without a reason');
  if (options.run !== false) broken.push(...(await runsWell(technique, runtime, model, bytes)));
  return { broken, layersTaken };
}
