/** Owns `bantam apply`: a recipe run, the file written and read back. */
import type { BrowserCheck } from '#shared/contract/browser-check.ts';
import { headlineOf } from '#shared/contract/headline.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';
import { openModelFile } from '../host/model-files.ts';
import { type Applied, applyRecipe } from '../jobs/apply-recipe.ts';
import { accuracyText, comparisonText, differenceText, preprocessText } from './evaluation-report.ts';
import { figuresJson, headlineTable } from './figures-report.ts';
import { recipeFor } from './options.ts';
import { type OutputOptions, print } from './output.ts';
import { checkOutput } from './output-path.ts';
import { type RunOptions, withParts } from './parts.ts';
import type { RecipeOptions } from './preview.ts';
import { shapeChoice } from './shapes.ts';
import { layersTold, stepsText } from './steps-report.ts';
import { milliseconds } from './table.ts';

export interface ApplyOptions extends OutputOptions, RunOptions, RecipeOptions {
  readonly output: string;
  readonly data?: string;
  readonly preprocess?: Preprocess | 'auto';
}

/** The file in the runtime that pages use, and what to do where it is smaller but slower there. */
export function browserText(c: BrowserCheck): string {
  if (!c.loads) return `${c.runtime}: does not load the file: ${c.why ?? ''}`;
  const outputs =
    c.maxAbsError === null
      ? `not run: ${c.why ?? 'no input'}`
      : `outputs within ${c.maxAbsError.toPrecision(2)} of native`;
  if (c.latencyMs === null) return `${c.runtime}: loads, ${outputs}`;
  const { before, after } = c.latencyMs;
  const times = before === null ? milliseconds(after) : `${milliseconds(after)}, original ${milliseconds(before)}`;
  const slower =
    before !== null && after > before * 1.1
      ? '\nslower there than the original: its kernels take the time of floats or more; quantize with mode static runs int8 kernels'
      : '';
  return `${c.runtime}: loads, ${outputs}; ${times}${slower}`;
}

export function appliedText(done: Applied): string {
  const parts = [
    headlineTable(headlineOf(done.before), headlineOf(done.after), headlineOf(done.predicted)),
    stepsText(done.steps),
  ];
  if (done.evaluation !== undefined) {
    const { before, after } = done.evaluation;
    parts.push(
      [
        `accuracy before  ${accuracyText(before)}`,
        `accuracy after   ${accuracyText(after)}, ${differenceText(before, after)}`,
        `on ${after.samples} samples of ${after.data}, split ${after.split}`,
        `preprocessing ${preprocessText(after)}`,
        `latency before   ${milliseconds(before.latencyMs.median)}, p95 ${milliseconds(before.latencyMs.p95)}`,
        `latency after    ${milliseconds(after.latencyMs.median)}, p95 ${milliseconds(after.latencyMs.p95)}`,
      ].join('\n'),
    );
  }
  if (done.comparison !== undefined) parts.push(`against the original:\n${comparisonText(done.comparison)}`);
  if (done.browser != null) parts.push(browserText(done.browser));
  return parts.join('\n\n');
}

export async function apply(path: string, options: ApplyOptions): Promise<void> {
  const recipe = recipeFor(options);
  const model = openModelFile(path);
  checkOutput(options.output, path);
  const shapes = shapeChoice(model, options.shape);
  const done = await withParts(options, (parts) =>
    applyRecipe(parts, {
      model: path,
      recipe,
      out: options.output,
      data: options.data,
      preprocess: options.preprocess,
      evaluate: options.data !== undefined,
      shapes,
    }),
  );
  const { before, predicted, after, ...rest } = done;
  const more = { ...rest, steps: done.steps.map((s) => ({ ...s, layers: layersTold(s.layers) })) };
  const figures = { before: figuresJson(before), predicted: figuresJson(predicted), after: figuresJson(after) };
  print(
    options,
    { output: options.output, ...figures, ...more },
    () => `${appliedText(done)}\n\nwritten: ${options.output}`,
  );
}
