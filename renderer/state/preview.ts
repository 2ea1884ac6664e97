/**
 * Owns the preview: what the recipe (and the step under a slider) would give, followed synchronously with every change,
 * once the opened graph stands on the screen.
 */
import { create } from 'zustand';
import type { Figures, LayerFigures } from '#shared/analysis/figures.ts';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import type { DocumentState } from './document.ts';
import { preview, type RecipePreview } from './preview-of.ts';
import { currentDocument, useDocument } from './store.ts';

export interface PreviewState {
  /** null: nothing open, not drawn yet, or figures cannot be had at all (then `fault`). */
  readonly preview: RecipePreview | null;
  /** Why the recipe, or the draft, cannot be previewed; `preview` is then the last part that can. */
  readonly fault: FaultData | null;
  /** The fault is the draft's: the recipe itself is sound. */
  readonly faultInDraft: boolean;
  /** How long the last computation took. */
  readonly tookMs: number;
}

const nothing: PreviewState = { preview: null, fault: null, faultInDraft: false, tookMs: 0 };

/** `usePreview((p) => p.preview?.figures)`. */
export const usePreview = create<PreviewState>(() => nothing);

function compute(d: DocumentState): PreviewState {
  if (d.open === null || !d.drawn) return nothing;
  const { model } = d.open;
  const steps = d.edit.steps.map((s) => s.step);
  const started = performance.now();
  const took = (state: Omit<PreviewState, 'tookMs'>): PreviewState => ({
    ...state,
    tookMs: performance.now() - started,
  });
  let fault: FaultData | null = null;
  const tries = [...(d.draft === null ? [] : [[...steps, d.draft]]), steps, []];
  for (const [k, list] of tries.entries()) {
    try {
      const found = preview(model, { ...d.edit, steps: list });
      return took({ preview: found, fault, faultInDraft: fault !== null && d.draft !== null && k === 1 });
    } catch (thrown) {
      fault = fault !== null && k > 0 && d.draft === null ? fault : toFault(thrown).toData();
    }
  }
  return took({ preview: null, fault, faultInDraft: false });
}

useDocument.subscribe((d, before) => {
  const same = d.open === before.open && d.drawn === before.drawn && d.edit === before.edit && d.draft === before.draft;
  if (!same) usePreview.setState(compute(d), true);
});

/** Computes anew, for when something outside the document came in (magnitude summaries). */
export const refreshPreview = (): void => usePreview.setState(compute(currentDocument()), true);

const byId = new WeakMap<Figures, ReadonlyMap<string, LayerFigures>>();

/** The layers of figures by node id. */
export function layersById(figures: Figures): ReadonlyMap<string, LayerFigures> {
  let map = byId.get(figures);
  if (map === undefined) {
    map = new Map(figures.layers.map((l) => [l.id, l]));
    byId.set(figures, map);
  }
  return map;
}
