/** A slider moved at random: what the warm caches give is what a cold start gives, and what the written file has. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureFigures } from '../analysis/measure-figures.ts';
import type { Model } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { corpusBytes, corpusFolder } from '../testing/corpus.ts';
import { nets } from '../testing/nets.ts';
import { previewRecipe } from './preview.ts';
import { parseRecipe, type Recipe } from './recipe.ts';

const channels = fc.record({
  technique: fc.constant('prune-channels'),
  params: fc.record({
    ratio: fc.integer({ min: 10, max: 95 }).map((n) => n / 100),
    multipleOf: fc.constantFrom(1, 1, 4),
  }),
});
const weights = fc.record({
  technique: fc.constant('prune-weights'),
  params: fc.record({ sparsity: fc.integer({ min: 10, max: 95 }).map((n) => n / 100) }),
});

/** One position of the sliders, mostly of the first step alone. */
const position = fc
  .tuple(channels, fc.option(weights, { freq: 3 }))
  .map(([first, second]) =>
    parseRecipe({ bantam: 1, steps: [{ ...first }, ...(second === null ? [] : [{ ...second }])] }),
  );

function previewOrFault(model: Model, recipe: Recipe) {
  try {
    return previewRecipe(model, recipe);
  } catch (thrown) {
    return String(thrown);
  }
}

/** Walks on one model, every stop compared with a model read anew, which shares no object with the warm one. */
function walk(bytes: Uint8Array, runs: number, stops: number): void {
  const warm = readModel(bytes);
  fc.assert(
    fc.property(fc.array(position, { minLength: 1, maxLength: stops }), (recipes) => {
      for (const recipe of recipes) {
        const got = previewOrFault(warm, recipe);
        const cold = previewOrFault(readModel(bytes), recipe);
        if (typeof got === 'string' || typeof cold === 'string') {
          expect(got).toEqual(cold);
          continue;
        }
        expect(got.figures).toEqual(cold.figures);
        expect(got.steps.map((s) => s.layers)).toEqual(cold.steps.map((s) => s.layers));
        const written = writeModel(got.model);
        expect(got.figures.fileBytes).toBe(written.length);
        expect(measureFigures(readModel(written))).toEqual(got.figures);
      }
    }),
    { numRuns: runs },
  );
}

describe('a walk of the slider', () => {
  it.each(Object.keys(nets))('%s', (name) => {
    const make = nets[name];
    if (make !== undefined) walk(writeModel(make()), 8, 8);
  });
  it.skipIf(corpusFolder === undefined).each(['1-light/light_shufflenet.onnx', '1-light/light_squeezenet.onnx'])(
    '%s',
    (file) => walk(corpusBytes(file), 2, 3),
  );
});
