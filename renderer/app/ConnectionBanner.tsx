/** Owns the line that says the host is away: shown once it has been for a moment, gone when it is back. */
import { useEffect, useState } from 'react';
import { useConnected } from '../host/use-host.tsx';
import { useText } from '../ui/language.ts';
import { words } from './words.ts';

const patienceMs = 1200;

export function ConnectionBanner() {
  const say = useText();
  const connected = useConnected();
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (connected) return;
    const timer = setTimeout(() => setLate(true), patienceMs);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [connected]);
  if (connected || !late) return null;
  return (
    <p className="connection-banner" role="alert">
      <strong>{say(words.lost)}</strong> {say(words.lostHint)}
    </p>
  );
}
