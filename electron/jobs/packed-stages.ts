/** Owns what each stage of a recipe takes entropy-coded, beside its plain bytes: what Deep Compression is judged by. */
import { pack } from '#shared/archive/archive.ts';
import type { Model } from '#shared/ir/model.ts';
import { embedded } from '#shared/onnx/embedded.ts';
import { readModel } from '#shared/onnx/read.ts';
import { fileBytes } from '#shared/onnx/size.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Recipe, Step } from '#shared/recipes/recipe.ts';
import type { RecipeJournal } from '#shared/recipes/run-recipe.ts';
import { nodeDeflate } from '../host/node-deflate.ts';

/** Packing takes about a second for 8 MB, and a run must not wait for more. */
const largest = 8e6;

/** Zeros and shared values are what entropy coding lives on; floats as trained hardly shrink. */
const codesWell = (step: Step): boolean =>
  step.off !== true && (step.technique === 'prune-weights' || step.technique === 'share-weights');

/** Archive bytes of the model as it would be written; null where it is too large to tell in passing. */
function packedBytes(model: Model): number | null {
  const whole = embedded(model);
  if (fileBytes(whole) > largest) return null;
  const file = writeModel(whole);
  return pack(file, readModel(file), nodeDeflate).bytes.length;
}

export interface PackedStages {
  /** Of the original; undefined where the recipe does nothing that entropy coding lives on. */
  readonly before: number | null | undefined;
  /** By place among the steps that are on; a step that was done in an earlier run is not in it. */
  readonly after: ReadonlyMap<number, number | null>;
  readonly journal: RecipeJournal;
}

/** Listens to a recipe's run beside the journal that keeps it. */
export function packedStages(original: Model, recipe: Recipe, kept: RecipeJournal | undefined): PackedStages {
  const wanted = recipe.steps.some(codesWell);
  const after = new Map<number, number | null>();
  return {
    before: wanted ? packedBytes(original) : undefined,
    after,
    journal: {
      ...(kept?.done === undefined ? {} : { done: kept.done }),
      begin: (step) => kept?.begin(step),
      finished: async (outcome) => {
        if (wanted) after.set(outcome.steps.length - 1, packedBytes(outcome.model));
        await kept?.finished(outcome);
      },
    },
  };
}
