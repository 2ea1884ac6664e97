/** Owns what every piece of work in a job process or on the command line is given. */
import { performance } from 'node:perf_hooks';
import type { Cancel } from '#shared/base/cancel.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';
import { proposePreprocess, type Subject } from '#shared/training/evaluate.ts';
import { defaultPreprocess } from '#shared/training/preprocess.ts';
import { openModelFile } from '../host/model-files.ts';
import type { Report } from './report.ts';

export interface WorkParts {
  readonly runtime: Runtime;
  readonly cancel: Cancel;
  readonly report: Report;
}

export const clock: Clock = { now: () => performance.now() };

/** A model file, opened by us and, in its own process, by the runtime. */
export const subjectAt = (path: string): Subject => ({ model: openModelFile(path), source: { path } });

/**
 * How samples become this model's input: what was asked for, else what scores best on a few labelled training samples (said in
 * the log, because a wrong one fails silently), else plain 0..1.
 */
export async function preprocessFor(
  parts: WorkParts,
  subject: Subject,
  dataset: Dataset,
  asked: Preprocess | undefined,
): Promise<Preprocess> {
  if (asked !== undefined) return asked;
  const [best] = await proposePreprocess(parts.runtime, subject, dataset);
  if (best === undefined) return defaultPreprocess;
  parts.report.log(
    `preprocessing "${best.name}" taken: best of the common ones on ${best.samples} training samples (${(best.top1 * 100).toFixed(0)} %)`,
  );
  return best.preprocess;
}
