/** Owns the note over the canvas while another model is read or drawn; it waits a moment, so that quick ones do not flash. */
import { useEffect, useState } from 'react';
import { useDocument } from '../../state/store.ts';
import { useText } from '../../ui/language.ts';
import { useOpening } from './open-model.ts';
import { words } from './words.ts';

const patienceMs = 200;

export function OpeningNote() {
  const say = useText();
  const opening = useOpening((s) => s.name);
  const drawing = useDocument((d) => (d.open !== null && !d.drawn ? d.open.name : null));
  const busy = opening !== null || drawing !== null;
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!busy) return;
    const timer = setTimeout(() => setLate(true), patienceMs);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [busy]);
  if (!busy || !late) return null;
  return (
    <p className="opening-note" role="status">
      {opening !== null ? say(words.opening, { name: opening }) : say(words.drawing, { name: drawing ?? '' })}
    </p>
  );
}
