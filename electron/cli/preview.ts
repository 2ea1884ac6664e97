/** Owns `bantam preview`: what a recipe would give, before anything is run or written. */

import { whyNotFasterWords } from '#shared/analysis/latency/why-not-faster.ts';
import { inLanguage } from '#shared/base/text.ts';
import { headlineOf } from '#shared/contract/headline.ts';
import { previewRecipe } from '#shared/recipes/preview.ts';
import { openModelFile } from '../host/model-files.ts';
import { figuresJson, headlineTable } from './figures-report.ts';
import type { ShapeOption } from './inspect.ts';
import { type RecipeChoice, recipeFor } from './options.ts';
import { type OutputOptions, print } from './output.ts';
import { shapeChoice } from './shapes.ts';
import { stepsText } from './steps-report.ts';
import { latencyHere, latencyJson, latencyText, whyNotFasterHere } from './this-machine.ts';

export interface RecipeOptions extends ShapeOption, RecipeChoice {}

export function preview(path: string, options: OutputOptions & RecipeOptions): void {
  const recipe = recipeFor(options);
  const model = openModelFile(path);
  const shapes = shapeChoice(model, options.shape);
  const { before, figures, steps, model: after } = previewRecipe(model, recipe, { shapes });
  const done = steps.map((s) => ({
    technique: s.technique,
    exactness: s.exactness,
    layers: s.layers.map((l) => ({ id: l.id, taken: l.taken, what: l.taken ? l.what : inLanguage(l.reason, 'en') })),
    notes: [...s.notes, ...s.findings()],
    after: headlineOf(s.figures),
  }));
  const latency = { before: latencyHere(model, shapes), predicted: latencyHere(after, shapes) };
  const latencyMs = { before: latencyJson(latency.before), predicted: latencyJson(latency.predicted) };
  const whyNotFaster = after === model ? [] : whyNotFasterHere(model, after, shapes);
  const told = { before: figuresJson(before), predicted: figuresJson(figures), steps: done, latencyMs, whyNotFaster };
  print(options, told, () =>
    [
      headlineTable(headlineOf(before), headlineOf(figures), undefined, 'predicted'),
      `latency here, before:    ${latencyText(latency.before)}\nlatency here, predicted: ${latencyText(latency.predicted)}${whyNotFaster.map((w) => `\nno faster: ${whyNotFasterWords[w].en}`).join('')}`,
      stepsText(done),
    ].join('\n\n'),
  );
}
