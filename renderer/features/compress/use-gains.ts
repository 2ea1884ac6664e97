/**
 * Owns how cards come by their gains. The card under the hand follows at once (`useGainNow`); the worker answers for all
 * others once the hand has rested (`useGains`), and they keep what they said until then.
 */
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Editable, OpenModel } from '../../state/document.ts';
import { summariesOf, usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import { askGain } from './ask-gain.ts';
import { type Gain, gainOf } from './gain.ts';

/** While a slider moves, the questions of one moment are stale the next. */
const restMs = 180;

const waitsForWeights = (gain: Gain): boolean => !gain.ok && gain.fault.code === 'no-data';

/**
 * What the step gives in the place of the recipe's step with this key (null: after all), computed while rendering. null until
 * the opened graph stands on the screen.
 */
export function useGainNow(step: Step | null, key: string | null): Gain | null {
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const value = step === null ? null : JSON.stringify(step);
  const lacking = useRef(false);
  const ready = usePreview((p) => p.preview !== null);
  // magnitude summaries that arrived mend a fault of missing data; nothing else in a new preview concerns a card
  const again = usePreview((p) => (lacking.current ? p.preview : null));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks for another try
  const gain = useMemo(
    () =>
      open === null || !ready || value === null
        ? null
        : gainOf(open.model, { edit, step: JSON.parse(value), key }, summariesOf(open)),
    [open, ready, edit, value, key, again],
  );
  lacking.current = gain !== null && waitsForWeights(gain);
  return gain;
}

interface Known {
  readonly gain: Gain;
  readonly open: OpenModel;
  readonly edit: Editable;
  readonly step: string;
}

const holds = (k: Known | undefined, open: OpenModel | null, edit: Editable, step: string | undefined): boolean =>
  k !== undefined && k.open === open && k.edit === edit && k.step === step && !waitsForWeights(k.gain);

export interface Gains {
  /** null: not worked out yet. */
  readonly of: (technique: string) => Gain | null;
  /** The recipe or the selection changed, and this one has not been worked out anew. */
  readonly old: (technique: string) => boolean;
}

/** What each step would give after all others, answered one after another in their order. */
export function useGains(steps: readonly Step[]): Gains {
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const ready = usePreview((p) => p.preview !== null);
  const [known, setKnown] = useState<ReadonlyMap<string, Known>>(new Map());
  const latest = useRef(known);
  latest.current = known;
  const lacking = [...known.values()].some((k) => k.open === open && waitsForWeights(k.gain));
  const again = usePreview((p) => (lacking ? p.preview : null));
  const asked = useMemo(() => steps.map((s) => ({ id: s.technique, step: JSON.stringify(s) })), [steps]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks for another try
  useEffect(() => {
    if (open === null || !ready) return;
    const back: (() => void)[] = [];
    const ask = (): void => {
      for (const { id, step } of asked)
        if (!holds(latest.current.get(id), open, edit, step))
          back.push(
            askGain(open, { edit, step: JSON.parse(step), key: null }, (gain) =>
              setKnown((m) => new Map(m).set(id, { gain, open, edit, step })),
            ),
          );
    };
    const timer = setTimeout(ask, latest.current.size === 0 ? 0 : restMs);
    return () => {
      clearTimeout(timer);
      for (const takeBack of back) takeBack();
    };
  }, [open, ready, edit, asked, again]);

  const wanted = new Map(asked.map((a) => [a.id, a.step]));
  return {
    of: (id) => {
      const k = known.get(id);
      return k === undefined || k.open !== open || waitsForWeights(k.gain) ? null : k.gain;
    },
    old: (id) => !holds(known.get(id), open, edit, wanted.get(id)),
  };
}
