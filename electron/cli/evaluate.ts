/** Owns `bantam evaluate` and `bantam compare`. */
import type { Preprocess } from '#shared/recipes/recipe.ts';
import { compare as compareModels } from '#shared/training/compare.ts';
import { evaluate as evaluateModel, type Subject } from '#shared/training/evaluate.ts';
import { evaluateAgainst } from '#shared/training/evaluate-against.ts';
import { openDataset } from '../host/datasets/open-dataset.ts';
import { clock, preprocessFor, subjectAt } from '../jobs/work-parts.ts';
import { comparisonText, evaluationText } from './evaluation-report.ts';
import type { ShapeOption } from './inspect.ts';
import { type OutputOptions, print } from './output.ts';
import { type RunOptions, withParts } from './parts.ts';
import { withShapes } from './shapes.ts';

export interface DataOptions extends OutputOptions, RunOptions, ShapeOption {
  readonly preprocess?: Preprocess | 'auto';
  readonly seed?: number;
}

/** A model file whose input has the dimensions that were given. */
function shaped(path: string, options: ShapeOption): Subject {
  const subject = subjectAt(path);
  return { ...subject, model: withShapes(subject.model, options.shape) };
}

export interface EvaluateCommand extends DataOptions {
  readonly data: string;
  /** A model to agree with: what is stated where the data has no labels. */
  readonly reference?: string;
}

export async function evaluate(path: string, options: EvaluateCommand): Promise<void> {
  const done = await withParts(options, async (parts) => {
    const subject = shaped(path, options);
    const dataset = await openDataset(options.data);
    const preprocess = await preprocessFor(parts, subject, dataset, options.preprocess);
    const progress = (share: number): void => parts.report.progress(share, 'evaluating');
    const how = { preprocess, cancel: parts.cancel, progress };
    if (options.reference === undefined) return evaluateModel(parts.runtime, clock, subject, dataset, how);
    const reference = { name: options.reference, subject: shaped(options.reference, options) };
    return evaluateAgainst(parts.runtime, clock, subject, reference, dataset, how);
  });
  print(options, done, () => evaluationText(done));
}

export async function compare(a: string, b: string, options: DataOptions & { readonly data?: string }): Promise<void> {
  const done = await withParts(options, async (parts) => {
    const [first, second] = [shaped(a, options), shaped(b, options)];
    const { cancel } = parts;
    const seed = options.seed === undefined ? {} : { seed: options.seed };
    if (options.data === undefined) return compareModels(parts.runtime, first, second, { cancel, ...seed });
    const dataset = await openDataset(options.data);
    const preprocess = await preprocessFor(parts, first, dataset, options.preprocess);
    return compareModels(parts.runtime, first, second, { dataset, preprocess, cancel, ...seed });
  });
  print(options, done, () => comparisonText(done));
}
