/** Owns the techniques that cannot be used here: each with its reason, folded away at the end of the panel. */
import { ChevronRight } from 'lucide-react';
import type { FaultData } from '#shared/base/fault.ts';
import type { Technique } from '#shared/techniques/declare.ts';
import { Badge } from '../../ui/Card.tsx';
import { useFault, useText } from '../../ui/language.ts';
import { words } from './words.ts';

export interface Misfit {
  readonly technique: Technique;
  readonly fault: FaultData;
}

/** The layer's own reason where there is one, else the step's. */
const useReason = (): ((fault: FaultData) => string) => {
  const inWords = useFault();
  return (fault) => {
    const { hint, message } = inWords(fault);
    return hint ?? message;
  };
};

export function Why({ fault }: { readonly fault: FaultData }) {
  const say = useText();
  const reason = useReason();
  return (
    <p className="refusal small">
      <Badge look="warn">{say(words.why)}</Badge>
      <span>
        {reason(fault)}
        {fault.hint === undefined && fault.where !== undefined && <span className="muted"> ({fault.where})</span>}
      </span>
    </p>
  );
}

export function Misfits({ misfits }: { readonly misfits: readonly Misfit[] }) {
  const say = useText();
  const reason = useReason();
  if (misfits.length === 0) return null;
  return (
    <details className="misfits">
      <summary>
        <ChevronRight />
        <span className="section-title">{say(words.misfits)}</span>
        <span className="count">{misfits.length}</span>
      </summary>
      <dl>
        {misfits.map(({ technique, fault }) => (
          <div key={technique.id} data-misfit={technique.id}>
            <dt>{say(technique.title)}</dt>
            <dd className="muted small">{reason(fault)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
