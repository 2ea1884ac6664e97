/** Owns which finished job speaks for what is on the screen: the newest of this model, and whether the recipe changed since. */
import type { Evaluation, Job } from '#shared/contract/calls.ts';
import type { Recipe } from '#shared/recipes/recipe.ts';

/** What a recipe does, as text: steps that are off do nothing. */
const effect = (r: Recipe): string =>
  JSON.stringify([r.seed ?? null, r.preprocess ?? null, r.target ?? null, r.steps.filter((s) => s.off !== true)]);

export const activeSteps = (recipe: Recipe): number => recipe.steps.filter((s) => s.off !== true).length;

/** Whether running `recipe` on this model again would be the same job. */
export const speaksFor = (job: Job, modelId: string, recipe: Recipe): boolean =>
  job.spec.kind === 'apply' && job.spec.modelId === modelId && effect(job.spec.recipe) === effect(recipe);

/** The newest finished job that made exactly this (jobs: newest first). */
export const resultOf = (jobs: readonly Job[], modelId: string, recipe: Recipe): Job | undefined =>
  jobs.find((j) => j.state === 'done' && j.result?.modelId !== undefined && speaksFor(j, modelId, recipe));

export interface Measured {
  readonly before: Evaluation | null;
  /** null: nothing of this model was ever run with an evaluation. */
  readonly now: Evaluation | null;
  /** `now` belongs to an earlier recipe. */
  readonly stale: boolean;
}

/** What was measured of the opened model: untouched, and with the recipe. */
export function measuredOf(jobs: readonly Job[], modelId: string, recipe: Recipe): Measured {
  const done = jobs.filter((j) => j.state === 'done' && 'modelId' in j.spec && j.spec.modelId === modelId);
  // a model that a job made was measured when it was made
  const maker = jobs.find((j) => j.state === 'done' && j.result?.modelId === modelId)?.result?.evaluation?.after;
  const original = done.find((j) => (j.result?.evaluation?.before ?? j.result?.single) !== undefined)?.result;
  const before = original?.evaluation?.before ?? original?.single ?? maker ?? null;
  if (activeSteps(recipe) === 0) return { before, now: before, stale: false };
  const fits = done.find((j) => j.result?.evaluation !== undefined && speaksFor(j, modelId, recipe));
  const last = fits ?? done.find((j) => j.result?.evaluation !== undefined);
  const pair = last?.result?.evaluation;
  return { before: pair?.before ?? before, now: pair?.after ?? null, stale: fits === undefined };
}

/** Whether two accuracies lie inside each other's 95 % interval: then no difference is claimed. */
export const sameWithin = (a: Evaluation, b: Evaluation): boolean => {
  const inside = (v: number | null, i: readonly [number, number] | null): boolean =>
    v !== null && i !== null && v >= i[0] && v <= i[1];
  return inside(a.top1, b.interval95) || inside(b.top1, a.interval95);
};
