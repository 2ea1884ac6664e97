/** Owns `bantam demo`: the whole way in under three minutes, on the sample LeNet-5. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '#shared/base/fault.ts';
import { headlineOf } from '#shared/contract/headline.ts';
import { parseRecipe, type Recipe } from '#shared/recipes/recipe.ts';
import { sampleOf } from '../host/samples.ts';
import { applyRecipe } from '../jobs/apply-recipe.ts';
import { verifyFile } from '../jobs/verify.ts';
import { appliedText } from './apply.ts';
import { figuresJson } from './figures-report.ts';
import { type OutputOptions, print } from './output.ts';
import { checkOutput } from './output-path.ts';
import { type RunOptions, withParts } from './parts.ts';
import { samples } from './places.ts';

/** Channels out, trained back, 8-bit integers in. */
export const demoRecipe: Recipe = parseRecipe({
  bantam: 1,
  seed: 1,
  steps: [
    { technique: 'prune-channels', select: { all: true }, params: { ratio: 0.4 } },
    { technique: 'train', params: { epochs: 4 } },
    { technique: 'quantize', params: { mode: 'static', bits: 8 } },
  ],
});

export async function demo(options: OutputOptions & RunOptions & { readonly output: string }): Promise<void> {
  if (!existsSync(join(samples, 'lenet-5.onnx')))
    throw new Fault('not-found', 'the sample model is missing', { where: samples, hint: 'Make it: npm run assets.' });
  checkOutput(options.output);
  const started = Date.now();
  const sample = sampleOf(samples, 'lenet-5');
  const say = (line: string): void => void (options.json || process.stdout.write(`${line}\n`));
  say('LeNet-5 on handwritten digits: prune 40 % of the channels, fine-tune, quantize to 8 bits.\n');
  const { done, verified } = await withParts(options, async (parts) => {
    const applied = await applyRecipe(parts, {
      model: sample.path,
      recipe: demoRecipe,
      out: options.output,
      data: sample.data ?? 'digits',
      preprocess: sample.preprocess,
      evaluate: true,
    });
    return { done: applied, verified: await verifyFile(parts.runtime, options.output, options.output) };
  });
  const seconds = (Date.now() - started) / 1000;
  const { before, predicted, after, ...more } = done;
  const figures = { before: figuresJson(before), predicted: figuresJson(predicted), after: figuresJson(after) };
  print(options, { output: options.output, seconds, reopened: verified.loads, ...figures, ...more }, () => {
    const times = headlineOf(before).fileBytes / headlineOf(after).fileBytes;
    return [
      appliedText(done),
      `${times.toFixed(1)} times smaller in ${seconds.toFixed(0)} seconds.`,
      `Written to ${options.output} and opened again: ${verified.loads ? 'it loads and runs' : 'it does not load'}.`,
      'Next: npm start opens the studio.',
    ].join('\n\n');
  });
}
