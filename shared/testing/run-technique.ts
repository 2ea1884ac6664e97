/** Owns runTechnique: one technique run as a job runs it, its evidence from seeded random samples. */
import { neverCancelled } from '../base/cancel.ts';
import type { Model } from '../ir/model.ts';
import type { Runtime } from '../ports/runtime.ts';
import { parseRecipe, type Select } from '../recipes/recipe.ts';
import { type RecipeOutcome, runRecipe } from '../recipes/run-recipe.ts';
import type { EvidenceSource } from '../training/evidence-source.ts';
import { gatherEvidence } from '../training/gather-evidence.ts';
import { randomFeeds } from './feeds.ts';

/** As many random batches as samples were asked for; labels by `labelOf`. */
export const randomSource =
  (labelOf: (k: number) => number | null = () => null): EvidenceSource =>
  (model, _split, samples) => ({
    async *[Symbol.asyncIterator]() {
      for (let at = 0, k = 0; at < samples; k++) {
        const feeds = randomFeeds(model, k + 1);
        const size = Object.values(feeds)[0]?.dims[0] ?? 1;
        const real = Math.max(1, Math.min(size, samples - at));
        yield { feeds, labels: Array.from({ length: size }, (_, i) => labelOf(at + i)), real };
        at += real;
      }
    },
  });

export function runTechnique(
  runtime: Runtime,
  technique: string,
  model: Model,
  params: Readonly<Record<string, string | number | boolean>>,
  options: { readonly select?: Select; readonly source?: EvidenceSource } = {},
): Promise<RecipeOutcome> {
  const source = options.source ?? randomSource();
  const recipe = parseRecipe({ bantam: 1, steps: [{ technique, select: options.select ?? { all: true }, params }] });
  return runRecipe(model, recipe, {
    cancel: neverCancelled,
    progress: () => {},
    log: () => {},
    evidence: (m, request, c) =>
      gatherEvidence({ runtime, model: m, request, source, seed: c.seed, cancel: neverCancelled }),
  });
}
