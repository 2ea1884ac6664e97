/**
 * Owns previewRecipe: what a recipe would give, at once and without weights. Memoised step by step, so that a slider on
 * step 3 does not redo steps 1 and 2.
 */
import type { Figures, ShapeChoice } from '../analysis/figures.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { Fault } from '../base/fault.ts';
import { lazy } from '../base/lazy.ts';
import type { Text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import type { Exactness, Summaries, Taken } from '../techniques/declare.ts';
import type { Recipe, Step } from './recipe.ts';
import { type RewrittenStep, rewriteStep, type StepSettings } from './rewrite-step.ts';
import { checkStepOpset, targetOf, towardsTarget } from './target.ts';

export interface PreviewStep {
  /** Index of the step in the recipe's list (steps that are off are left out here). */
  readonly index: number;
  readonly technique: string;
  readonly exactness: Exactness;
  readonly model: Model;
  readonly figures: Figures;
  readonly layers: readonly Taken[];
  readonly notes: readonly Text[];
  /** Sentences that read the weights (how near a fit is): for a preview that has them. */
  readonly findings: () => readonly Text[];
  /** The opset after this step, where the step raised it. */
  readonly opset?: number;
  /** What a run of this step needs data for; undefined where it needs none. */
  readonly needsData: () => 'calibrate' | 'train' | undefined;
}

export interface Preview {
  readonly before: Figures;
  readonly steps: readonly PreviewStep[];
  /** After the last step. Its weights are thunks; where the model is a skeleton they cannot be asked. */
  readonly model: Model;
  readonly figures: Figures;
}

export interface PreviewOptions {
  readonly shapes?: ShapeChoice;
  readonly summaries?: Summaries;
  /** Names of the data set's classes, where it is at hand. */
  readonly classes?: readonly string[];
}

/** How many outcomes are remembered per model version: enough to scrub a slider back and forth. */
const remembered = 16;
const memo = new WeakMap<Model, Map<string, PreviewStep | Failed>>();

/** A step that cannot be done here fails again the same way: the cards that do not fit must not slow a slider elsewhere. */
interface Failed {
  readonly thrown: unknown;
}
const ids = new WeakMap<object, number>();
let nextId = 1;

/** A number that stands for an object's identity inside a key. */
function identity(object: object | undefined): number {
  if (object === undefined) return 0;
  let id = ids.get(object);
  if (id === undefined) {
    id = nextId++;
    ids.set(object, id);
  }
  return id;
}

function neededData({ technique, context }: RewrittenStep): 'calibrate' | 'train' | undefined {
  const { calibration, evidence } = technique.needs;
  if (calibration?.(context) !== undefined || evidence?.(context, 0) !== undefined) return 'calibrate';
  return technique.train?.(context) === undefined ? undefined : 'train';
}

function previewStep(model: Model, step: Step, index: number, settings: StepSettings): PreviewStep {
  const outcomes = memo.get(model) ?? new Map<string, PreviewStep | Failed>();
  memo.set(model, outcomes);
  const { seed, runtime, opsetLimit, shapes, summaries, classes } = settings;
  const key = JSON.stringify([
    step.technique,
    step.select,
    step.params,
    seed,
    runtime ?? null,
    opsetLimit ?? null,
    shapes ?? null,
    identity(summaries),
    classes ?? null,
  ]);
  // What a fault says names the step's number.
  const failing = `${index} ${key}`;
  const known = outcomes.get(key) ?? outcomes.get(failing);
  if (known !== undefined && 'thrown' in known) throw known.thrown;
  if (known !== undefined) {
    // Most recently used last.
    outcomes.delete(key);
    outcomes.set(key, known);
    return known.index === index ? known : { ...known, index };
  }
  try {
    const outcome = outcomeOf(model, step, index, settings);
    keep(outcomes, key, outcome);
    return outcome;
  } catch (thrown) {
    // Anything else (a file that is gone for a moment) may turn out otherwise the next time.
    if (thrown instanceof Fault && thrown.code === 'bad-recipe') keep(outcomes, failing, { thrown });
    throw thrown;
  }
}

function keep(outcomes: Map<string, PreviewStep | Failed>, key: string, outcome: PreviewStep | Failed): void {
  outcomes.set(key, outcome);
  const oldest = outcomes.keys().next();
  if (outcomes.size > remembered && oldest.done !== true) outcomes.delete(oldest.value);
}

function outcomeOf(model: Model, step: Step, index: number, settings: StepSettings): PreviewStep {
  const done = rewriteStep(model, step, settings);
  return {
    index,
    technique: done.technique.id,
    exactness: done.technique.exactness(done.context.params),
    model: done.model,
    figures: measureFigures(done.model, settings.shapes),
    layers: done.layers,
    notes: done.notes,
    findings: lazy(() => done.findings?.() ?? []),
    needsData: () => neededData(done),
    ...(done.opset === undefined ? {} : { opset: done.opset.to }),
  };
}

/**
 * Figures before and after every step. Synchronous; reads no weight unless a technique's exactness is `statistics` and
 * no summaries are given. Faults: `bad-recipe` naming the step.
 */
export function previewRecipe(model: Model, recipe: Recipe, options: PreviewOptions = {}): Preview {
  const before = measureFigures(model, options.shapes);
  const steps: PreviewStep[] = [];
  let at = towardsTarget(model, recipe);
  for (const [index, step] of recipe.steps.entries()) {
    if (step.off === true) continue;
    const done = previewStep(at, step, index, {
      number: index + 1,
      seed: recipe.seed ?? 1,
      ...targetOf(recipe),
      ...options,
    });
    checkStepOpset(recipe, done.technique, index + 1, done.opset);
    steps.push(done);
    at = done.model;
  }
  return { before, steps, model: at, figures: steps.at(-1)?.figures ?? measureFigures(at, options.shapes) };
}
