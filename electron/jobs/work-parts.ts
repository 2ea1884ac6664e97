/** Owns what every piece of work in a job process or on the command line is given. */
import { performance } from 'node:perf_hooks';
import type { Cancel } from '#shared/base/cancel.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';
import type { Subject } from '#shared/training/evaluate.ts';
import { startingPreprocess } from '#shared/training/preprocess.ts';
import { proposePreprocess } from '#shared/training/propose-preprocess.ts';
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
  const { runtime, cancel, report } = parts;
  const [best, ...others] = await proposePreprocess(runtime, subject, dataset, { cancel });
  if (best === undefined) return startingPreprocess(dataset.info.sample);
  const percent = (p: { readonly top1: number }): string => `${(p.top1 * 100).toFixed(0)} %`;
  const next = others.find((p) => p.top1 < best.top1);
  const second = next === undefined ? '' : `; "${next.name}" would give ${percent(next)}`;
  report.log(
    `preprocessing "${best.name}" taken: best of the common ones on ${best.samples} training samples (${percent(best)}${second})`,
  );
  if (best.top1 < 2 / Math.max(2, dataset.info.classes.length))
    report.log('no common preprocessing does better than guessing: is this data for this model?');
  return best.preprocess;
}
