/** Owns useGain: a card's gain, kept while nothing that it depends on changed. */
import { useMemo } from 'react';
import type { Step } from '#shared/recipes/recipe.ts';
import { usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import { type Gain, gainOf } from './gain.ts';

/** null until the opened graph stands on the screen. */
export function useGain(step: Step, key: string | null): Gain | null {
  const open = useDocument((d) => d.open);
  const drawn = useDocument((d) => d.drawn);
  const edit = useDocument((d) => d.edit);
  // a new preview may mean that magnitude summaries arrived; what did not change comes out of the preview's memo
  const refreshed = usePreview((p) => p.preview);
  const value = JSON.stringify(step);
  return useMemo(
    () => (open === null || !drawn || refreshed === null ? null : gainOf(open, edit, JSON.parse(value), key)),
    [open, drawn, edit, refreshed, value, key],
  );
}
