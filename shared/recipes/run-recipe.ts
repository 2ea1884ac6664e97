/** Owns runRecipe: the steps of a recipe run for real, one after the other, as their preview foretold. */
import type { Figures, ShapeChoice } from '../analysis/figures.ts';
import type { Text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import type { Taken } from '../techniques/declare.ts';
import { runStep, type StepHost, type TrainingTold } from '../techniques/run-step.ts';
import type { Recipe } from './recipe.ts';
import { finishStep, resolveStep } from './rewrite-step.ts';
import { checkStepOpset, targetOf, towardsTarget } from './target.ts';

export interface RecipeOutcome {
  /** Baked: every weight computed. */
  readonly model: Model;
  readonly steps: readonly {
    readonly index: number;
    readonly technique: string;
    readonly layers: readonly Taken[];
    readonly notes: readonly Text[];
    readonly figures: Figures;
    readonly opset?: number;
    readonly training?: TrainingTold;
  }[];
}

/** Keeps how far a recipe is, and says where one that was broken off goes on. */
export interface RecipeJournal {
  /** What was done before; those steps are not run again. */
  readonly done?: RecipeOutcome;
  /** A step begins: its place among those that are on. */
  begin(step: number): void;
  /** A step is done: all that is done so far. */
  finished(outcome: RecipeOutcome): Promise<void>;
}

/** Runs all steps that are on. Faults as `runStep`; `bad-recipe` naming the step. Throws Cancelled when asked to stop. */
export async function runRecipe(
  model: Model,
  recipe: Recipe,
  host: StepHost,
  shapes?: ShapeChoice,
  journal?: RecipeJournal,
): Promise<RecipeOutcome> {
  const on = recipe.steps.map((step, index) => ({ step, index })).filter(({ step }) => step.off !== true);
  const before = journal?.done;
  const steps = [...(before?.steps ?? [])];
  let at = before?.model ?? towardsTarget(model, recipe);
  for (const [k, { step, index }] of on.entries()) {
    const number = index + 1;
    if (k < steps.length) {
      host.log(`step ${number}: done before`);
      continue;
    }
    journal?.begin(k);
    const resolved = resolveStep(at, step, {
      number,
      seed: recipe.seed ?? 1,
      ...targetOf(recipe),
      ...(shapes === undefined ? {} : { shapes }),
    });
    const name = resolved.technique.id;
    checkStepOpset(recipe, name, number, resolved.opset?.to);
    host.log(`step ${number}: ${name} on ${resolved.context.selected.length} layers`);
    const done = await runStep(
      resolved.technique,
      resolved.context,
      (c) => finishStep({ ...resolved, context: c }, number),
      forStep(host, name, k, on.length),
      shapes,
    );
    for (const note of done.notes) host.log(`step ${number}: ${note.en}`);
    steps.push({
      index,
      technique: name,
      layers: done.layers,
      notes: done.notes,
      figures: done.figures,
      ...(done.training === undefined ? {} : { training: done.training }),
      ...(resolved.opset === undefined ? {} : { opset: resolved.opset.to }),
    });
    at = done.model;
    await journal?.finished({ model: at, steps });
  }
  return { model: at, steps };
}

/** The host as one step sees it: its progress is a slice of the whole. */
const forStep = (host: StepHost, name: string, k: number, of: number): StepHost => ({
  cancel: host.cancel,
  log: (line) => host.log(line),
  ...(host.classes === undefined ? {} : { classes: host.classes }),
  progress: (share, what) => host.progress((k + share) / of, `${name}: ${what}`),
  ...(host.calibrate === undefined ? {} : { calibrate: host.calibrate.bind(host) }),
  ...(host.evidence === undefined ? {} : { evidence: host.evidence.bind(host) }),
  ...(host.train === undefined ? {} : { train: host.train.bind(host) }),
});
