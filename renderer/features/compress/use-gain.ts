/** Owns useGain: a card's gain. The card under the hand follows at once; the worker answers for the others. */
import { useEffect, useMemo, useState } from 'react';
import type { Step } from '#shared/recipes/recipe.ts';
import { summariesOf, usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import { askGain } from './ask-gain.ts';
import { type Gain, type GainRequest, gainOf } from './gain.ts';

/**
 * What the step would give. `now`: computed while rendering (a slider must be followed within the frame), else asked of the
 * worker. null until the opened graph stands on the screen, and while it is being worked out.
 */
export function useGain(step: Step, key: string | null, now: boolean): Gain | null {
  const open = useDocument((d) => d.open);
  const drawn = useDocument((d) => d.drawn);
  const edit = useDocument((d) => d.edit);
  const refreshed = usePreview((p) => p.preview);
  const value = JSON.stringify(step);
  const ready = open !== null && drawn && refreshed !== null;
  const request = useMemo(
    (): GainRequest | null => (ready ? { edit, step: JSON.parse(value), key } : null),
    [ready, edit, value, key],
  );
  const [found, setFound] = useState<{ readonly of: GainRequest; readonly gain: Gain } | null>(null);
  // magnitude summaries that arrived mend a fault of missing data; nothing else in a new preview concerns a card
  const lacking = found !== null && !found.gain.ok && found.gain.fault.code === 'no-data';
  const again = lacking ? refreshed : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks for another try
  const atOnce = useMemo(
    () => (now && request !== null && open !== null ? gainOf(open.model, request, summariesOf(open)) : null),
    [now, open, request, again],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks for another try
  useEffect(() => {
    if (now || request === null || open === null) return;
    return askGain(open, request, (gain) => setFound({ of: request, gain }));
  }, [now, open, request, again]);
  return atOnce ?? (found !== null && found.of === request ? found.gain : null);
}
