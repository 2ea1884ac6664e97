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
import { cardBeside } from '../host/model-card.ts';
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

/** What the card beside the model's file says, told in the log. */
function carded({ report }: WorkParts, subject: Subject): Preprocess | undefined {
  const { source } = subject;
  const card = source !== undefined && 'path' in source ? cardBeside(source.path) : undefined;
  if (card === undefined) return undefined;
  if (card.preprocess === undefined)
    report.log(`the card ${card.path} has a preprocessing that is not understood: passed over`);
  else report.log(`preprocessing of the card ${card.path} taken`);
  return card.preprocess;
}

/**
 * How samples become this model's input: what was asked for, else what the card beside the model says, else (and for `auto`)
 * what scores best on a few labelled training samples (said in the log, because a wrong one fails silently), else plain 0..1.
 */
export async function preprocessFor(
  parts: WorkParts,
  subject: Subject,
  dataset: Dataset,
  asked: Preprocess | 'auto' | undefined,
): Promise<Preprocess> {
  const known = asked ?? carded(parts, subject);
  if (known !== undefined && known !== 'auto') return known;
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
