/** Owns previewSteps and what it is tried on: any list of steps previewed on a model, as the screen's own preview does; also in a worker. */
import type { Model } from '#shared/ir/model.ts';
import { withStep } from '#shared/recipes/place-step.ts';
import { type Preview, previewRecipe } from '#shared/recipes/preview.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Summaries } from '#shared/techniques/declare.ts';
import { type Editable, recipeOf } from './document.ts';

/** The preview of `steps` under what else `edit` says (target, seed, shapes). Faults: as `previewRecipe`. */
export function previewSteps(
  model: Model,
  edit: Editable,
  steps: readonly Step[],
  summaries: Summaries | undefined,
): Preview {
  const options = { shapes: { inputs: edit.shapes }, ...(summaries === undefined ? {} : { summaries }) };
  return previewRecipe(model, { ...recipeOf(edit), steps: [...steps] }, options);
}

/** What is tried in turn: with the draft; without; then what comes before the step that fails (memoised: each try costs one step). */
export function listsOf(steps: readonly Step[], draft: Step | null): readonly (readonly Step[])[] {
  return [
    ...(draft === null ? [] : [withStep(steps, draft)]),
    ...steps.map((_, k) => steps.slice(0, steps.length - k)),
    [],
  ];
}
