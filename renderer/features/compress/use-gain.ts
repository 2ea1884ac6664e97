/** Owns useGain: a card's gain. The card under the hand follows at once; the others are worked out one an idle moment. */
import { useEffect, useMemo, useState } from 'react';
import type { Step } from '#shared/recipes/recipe.ts';
import { usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import { type Gain, gainOf } from './gain.ts';

type Work = () => void;
const queue: Work[] = [];

const idle: (run: () => void) => void =
  typeof requestIdleCallback === 'function'
    ? (run) => requestIdleCallback(run, { timeout: 500 })
    : (run) => setTimeout(run, 16);

/** One piece of work a moment, so that no two cards block the page together. */
function next(): void {
  queue.shift()?.();
  if (queue.length > 0) idle(next);
}

/** Queues work; returns what takes it out again. */
function later(work: Work): () => void {
  queue.push(work);
  if (queue.length === 1) idle(next);
  return () => {
    const at = queue.indexOf(work);
    if (at >= 0) queue.splice(at, 1);
  };
}

/**
 * What the step would give. `now`: computed while rendering (a slider must be followed within the frame), else as soon as
 * the page is idle. null until the opened graph stands on the screen, and while it is being worked out.
 */
export function useGain(step: Step, key: string | null, now: boolean): Gain | null {
  const open = useDocument((d) => d.open);
  const drawn = useDocument((d) => d.drawn);
  const edit = useDocument((d) => d.edit);
  const refreshed = usePreview((p) => p.preview);
  const value = JSON.stringify(step);
  const ready = open !== null && drawn && refreshed !== null;
  const work = useMemo(
    () => (ready && open !== null ? { run: () => gainOf(open, edit, JSON.parse(value), key) } : null),
    [ready, open, edit, value, key],
  );
  const [found, setFound] = useState<{ readonly of: object; readonly gain: Gain } | null>(null);
  // magnitude summaries that arrived mend a fault of missing data; nothing else in a new preview concerns a card
  const lacking = found !== null && !found.gain.ok && found.gain.fault.code === 'no-data';
  const again = lacking ? refreshed : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks for another try
  const atOnce = useMemo(() => (now && work !== null ? work.run() : null), [now, work, again]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks for another try
  useEffect(() => {
    if (now || work === null) return;
    return later(() => setFound({ of: work, gain: work.run() }));
  }, [now, work, again]);
  return atOnce ?? (found !== null && found.of === work ? found.gain : null);
}
