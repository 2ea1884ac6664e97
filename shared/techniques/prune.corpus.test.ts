/** The law of both pruning techniques on every file of the corpus that they fit, and how much of each they reach. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { fieldDefaults } from '../base/fields.ts';
import type { Model } from '../ir/model.ts';
import { embedded } from '../onnx/embedded.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { checkLaw } from '../testing/laws.ts';
import { maskedModel } from '../testing/masked.ts';
import type { Technique } from './declare.ts';
import { withFixedTargets } from './fixed-targets.ts';
import { planChannels, pruneChannels } from './prune-channels.ts';
import { pruneWeights } from './prune-weights.ts';

const runtime = nodeRuntime(1);

/** Files that the runtime runs as they are. */
const running = corpusEntries.filter((e) => e.ort_run.startsWith('ok'));
/** Full-size nets whose weights are fillers: equal channels, so masking says nothing; run once is slow enough. */
const light = (file: string): boolean => file.startsWith('1-light/');

const fitting = (technique: Technique, model: Model): number => {
  const c = { model, facts: inferFacts(model), seed: 1, ranges: () => ({ min: 0, max: 0 }) };
  return model.graph.nodes.filter((n) => technique.fits(n, c).fits).length;
};

describe.each(running.map((e) => e.file))('%s', (file) => {
  it('keeps the law under prune-channels, and equals the masked model', async () => {
    const model = embedded(openModelFile(corpusPath(file)));
    if (fitting(pruneChannels, model) === 0) return;
    const feeds = randomFeeds(model);
    const law = await checkLaw('prune-channels', model, { ratio: 0.3 }, { runtime, feeds });
    expect(law.broken).toEqual([]);
    if (light(file) || law.outputs === undefined) return;
    // As the step itself sees the model.
    const fixed = withFixedTargets(model, inferFacts(model));
    const { removals } = planChannels({
      ...fixed,
      selected: fixed.model.graph.nodes,
      params: { ...fieldDefaults(pruneChannels.params), ratio: 0.3 },
      seed: 1,
      ranges: () => ({ min: 0, max: 0 }),
    });
    const masked = maskedModel(fixed.model, fixed.facts, removals);
    if (masked !== undefined) expect(maxError(await runModel(runtime, masked, feeds), law.outputs)).toBeLessThan(1e-3);
  });

  it('keeps the law under prune-weights', async () => {
    const model = embedded(openModelFile(corpusPath(file)));
    if (light(file) || fitting(pruneWeights, model) === 0) return;
    const law = await checkLaw('prune-weights', model, { ratio: 0.7 }, { runtime });
    expect(law.broken).toEqual([]);
  });
});

describe.skipIf(corpusEntries.length === 0)('files that the runtime does not run', () => {
  it.each(corpusEntries.filter((e) => !e.ort_run.startsWith('ok') && !e.file.startsWith('5-edge/')).map((e) => e.file))(
    '%s is predicted exactly',
    (file) => {
      const model = embedded(openModelFile(corpusPath(file)));
      if (fitting(pruneChannels, model) === 0) return;
      const recipe = parseRecipe({ bantam: 1, steps: [{ technique: 'prune-channels', params: { ratio: 0.3 } }] });
      const preview = previewRecipe(model, recipe);
      expect(preview.figures.parameters).toBeLessThan(preview.before.parameters);
      expect(measureFigures(preview.model)).toEqual(preview.figures);
    },
  );
});

// Without the corpus nothing above stands; with it, a list that shrank would pass unseen.
it.skipIf(corpusEntries.length === 0)('is held on all files that the runtime runs', () => {
  expect(running.length).toBeGreaterThanOrEqual(70);
});
