/** Owns what a step would give here: the figures after it beside the figures without it. */
import type { Figures } from '#shared/analysis/figures.ts';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import type { Text } from '#shared/base/text.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Taken } from '#shared/techniques/declare.ts';
import type { Editable, OpenModel } from '../../state/document.ts';
import { previewSteps } from '../../state/preview.ts';

export type Gain =
  | {
      readonly ok: true;
      readonly before: Figures;
      readonly after: Figures;
      readonly layers: readonly Taken[];
      readonly notes: readonly Text[];
      readonly exactness: 'shape' | 'statistics' | 'training';
    }
  | { readonly ok: false; readonly fault: FaultData };

/**
 * Previews the recipe with `step` put after it, or in the place of the step with `key`. Memoised by the preview itself, so a
 * slider pays for one step.
 */
export function gainOf(open: OpenModel, edit: Editable, step: Step, key: string | null): Gain {
  const list = edit.steps.map((s) => s.step);
  const at = key === null ? list.length : edit.steps.findIndex((s) => s.key === key);
  try {
    const upTo = list.slice(0, at);
    const before = previewSteps(open, edit, upTo).figures;
    const { off: _, ...on } = step;
    const done = previewSteps(open, edit, [...upTo, on]);
    const last = done.steps.at(-1);
    return {
      ok: true,
      before,
      after: done.figures,
      layers: last?.layers ?? [],
      notes: last?.notes ?? [],
      exactness: last?.exactness ?? 'shape',
    };
  } catch (thrown) {
    return { ok: false, fault: toFault(thrown).toData() };
  }
}
