/**
 * Owns the preview: what the recipe (and the step under a slider) would give, followed synchronously with every change,
 * once the opened graph stands on the screen.
 */
import { create } from 'zustand';
import type { Figures, LayerFigures } from '#shared/analysis/figures.ts';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import { placeFor } from '#shared/recipes/place-step.ts';
import type { Preview } from '#shared/recipes/preview.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Summaries } from '#shared/techniques/declare.ts';
import type { DocumentState, OpenModel } from './document.ts';
import { listsOf, previewSteps } from './preview-steps.ts';
import { currentDocument, useDocument } from './store.ts';

export interface PreviewState {
  /** null: nothing open, not drawn yet, or figures cannot be had at all (then `fault`). */
  readonly preview: Preview | null;
  /** Why the recipe, or the draft, cannot be previewed; `preview` then stops before the step that fails. */
  readonly fault: FaultData | null;
  /** The fault is the draft's: the recipe itself is sound. */
  readonly faultInDraft: boolean;
  /** How long the last computation took. */
  readonly tookMs: number;
}

const nothing: PreviewState = { preview: null, fault: null, faultInDraft: false, tookMs: 0 };

/** `usePreview((p) => p.preview?.figures)`. */
export const usePreview = create<PreviewState>(() => nothing);

/** Magnitude summaries of the open model, asked of the host once a step needs them. */
let summaries: { readonly serial: number; readonly of: Summaries } | null = null;

export function setSummaries(serial: number, of: Summaries): void {
  summaries = { serial, of };
  usePreview.setState(compute(currentDocument()), true);
}

/** The magnitude summaries of an open model, where they have been asked. */
export const summariesOf = (open: OpenModel): Summaries | undefined =>
  summaries?.serial === open.serial ? summaries.of : undefined;

/** Steps are known by their place in the recipe; the draft, which is not in it, by the place after all. */
function besideDraft(preview: Preview, at: number, steps: readonly Step[]): Preview {
  if (at === steps.length) return preview;
  const index = (i: number): number => (i === at ? steps.length : i > at ? i - 1 : i);
  return { ...preview, steps: preview.steps.map((s) => ({ ...s, index: index(s.index) })) };
}

function compute(d: DocumentState): PreviewState {
  const { open, edit, draft } = d;
  if (open === null || !d.drawn) return nothing;
  const started = performance.now();
  const steps = edit.steps.map((s) => s.step);
  let fault: FaultData | null = null;
  let faultInDraft = false;
  for (const [k, list] of listsOf(steps, draft).entries()) {
    try {
      const found = previewSteps(open.model, edit, list, summariesOf(open));
      const preview = k === 0 && draft !== null ? besideDraft(found, placeFor(steps, draft.technique), steps) : found;
      return { preview, fault, faultInDraft: faultInDraft && k === 1, tookMs: performance.now() - started };
    } catch (thrown) {
      if (k === 0 || (faultInDraft && k === 1)) fault = toFault(thrown).toData();
      if (k === 0 && draft !== null) faultInDraft = true;
    }
  }
  return { preview: null, fault, faultInDraft: false, tookMs: performance.now() - started };
}

useDocument.subscribe((d, before) => {
  const same = d.open === before.open && d.drawn === before.drawn && d.edit === before.edit && d.draft === before.draft;
  if (!same) usePreview.setState(compute(d), true);
});

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
