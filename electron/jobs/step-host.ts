/** Owns what runs a recipe's steps in Node: calibration and training over the job's data, its progress and log. */
import type { Dataset } from '#shared/ports/dataset.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';
import type { StepHost } from '#shared/techniques/run-step.ts';
import { trainStep } from './train-step.ts';
import type { WorkParts } from './work-parts.ts';

/** Without data a step that needs some faults with `no-data`. Only training samples are ever read here. */
export function stepHost(parts: WorkParts, data: { dataset: Dataset; preprocess: Preprocess } | undefined): StepHost {
  const { cancel, report } = parts;
  const plain: StepHost = { cancel, progress: report.progress, log: report.log };
  if (data === undefined) return plain;
  return {
    ...plain,
    train: (model, request, context, share) => trainStep(parts, data, model, request, context.seed, share),
  };
}
