/** Owns what a step would give here: the figures after it beside the figures without it. */
import type { Figures } from '#shared/analysis/figures.ts';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import type { Text } from '#shared/base/text.ts';
import type { Model } from '#shared/ir/model.ts';
import { placeFor } from '#shared/recipes/place-step.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Exactness, Summaries, Taken } from '#shared/techniques/declare.ts';
import type { Editable } from '../../state/document.ts';
import { previewSteps } from '../../state/preview-steps.ts';

/** The figures of a whole net: its layers are many, and no card shows them. */
export type Totals = Omit<Figures, 'layers'>;

export type Gain =
  | {
      readonly ok: true;
      readonly before: Totals;
      readonly after: Totals;
      readonly layers: readonly Taken[];
      readonly notes: readonly Text[];
      readonly exactness: Exactness;
    }
  | { readonly ok: false; readonly fault: FaultData };

/** What a card asks. Plain data: the page and its worker answer alike. */
export interface GainRequest {
  readonly edit: Editable;
  readonly step: Step;
  /** The step is tried in the place of the recipe's step with this key; null: at the place of a new one. */
  readonly key: string | null;
}

const totals = ({ layers: _, ...rest }: Figures): Totals => rest;

/**
 * Previews the recipe with the step, and without it; where a later step fails, up to here. Memoised by the preview itself, so a
 * slider pays for one step and those behind it.
 */
export function gainOf(model: Model, { edit, step, key }: GainRequest, summaries: Summaries | undefined): Gain {
  const list = edit.steps.map((s) => s.step);
  const at = key === null ? placeFor(list, step.technique) : edit.steps.findIndex((s) => s.key === key);
  const upTo = list.slice(0, at);
  const behind = list.slice(key === null ? at : at + 1);
  const { off: _, ...on } = step;
  const among = (rest: readonly Step[]): Gain => {
    const before = previewSteps(model, edit, [...upTo, ...rest], summaries).figures;
    const done = previewSteps(model, edit, [...upTo, on, ...rest], summaries);
    const own = done.steps.find((s) => s.index === at);
    return {
      ok: true,
      before: totals(before),
      after: totals(done.figures),
      layers: own?.layers ?? [],
      notes: own?.notes ?? [],
      exactness: own?.exactness ?? 'shape',
    };
  };
  try {
    return among(behind);
  } catch (thrown) {
    if (behind.length > 0 && key !== null)
      try {
        return among([]);
      } catch {
        // the step itself does not work: the first fault says so
      }
    return { ok: false, fault: toFault(thrown).toData() };
  }
}
