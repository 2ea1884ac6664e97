/** Owns the one call from the screen into the recipe preview. */
import type { Figures } from '#shared/analysis/figures.ts';
import type { Text } from '#shared/base/text.ts';
import type { Model } from '#shared/ir/model.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Taken } from '#shared/techniques/declare.ts';

export interface StepPreview {
  readonly technique: string;
  readonly model: Model;
  readonly figures: Figures;
  readonly layers: readonly Taken[];
  readonly notes: readonly Text[];
}
export interface RecipePreview {
  readonly before: Figures;
  readonly steps: readonly StepPreview[];
  readonly model: Model;
  readonly figures: Figures;
}

/** Figures of the model alone until the recipe preview is here. */
export function preview(
  model: Model,
  _edit: { readonly steps: readonly Step[]; readonly shapes: Readonly<Record<string, readonly number[]>> },
): RecipePreview {
  const figures: Figures = {
    opset: model.opsets[0]?.version ?? 0,
    nodes: model.graph.nodes.length,
    parameters: 0,
    fileBytes: 0,
    macs: null,
    otherOps: null,
    peakActivationBytes: null,
    notCounted: [],
    layers: [],
  };
  return { before: figures, steps: [], model, figures };
}
