/** Owns one technique's card: its sliders, what it would give here, and the button that makes it a step. */
import { type ReactNode, useState } from 'react';
import type { FieldValues } from '#shared/base/fields.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Technique } from '#shared/techniques/declare.ts';
import { Button } from '../../ui/Button.tsx';
import { Badge } from '../../ui/Card.tsx';
import { FieldForm } from '../../ui/FieldForm.tsx';
import { useText } from '../../ui/language.ts';
import { GainRow } from './GainRow.tsx';
import { useGain } from './use-gain.ts';
import { words } from './words.ts';

export interface CompressCardProps {
  readonly technique: Technique;
  readonly values: FieldValues;
  /** The step that the card's values make. */
  readonly step: Step;
  /** Key of the recipe step it stands for; null: it would come after all others. */
  readonly stepKey: string | null;
  readonly active: boolean;
  readonly aside: ReactNode;
  readonly onChange: (values: FieldValues, moving: boolean) => void;
  readonly onCommit: () => void;
  /** undefined where the card edits a step that already stands. */
  readonly onAdd?: () => void;
  readonly onPoint: (inside: boolean) => void;
}

export function CompressCard(p: CompressCardProps) {
  const say = useText();
  const [wide, setWide] = useState(false);
  const { technique } = p;
  const gain = useGain(p.step, p.stepKey, p.active);
  const open = p.active || wide;
  const names = Object.keys(technique.params);
  const only = open ? names : names.filter((n) => technique.knobs.includes(n));
  const taken = gain?.ok ? gain.layers.filter((l) => l.taken).length : 0;
  return (
    <section
      className={`card compress-card ${p.active ? 'active' : ''}`}
      aria-label={say(technique.title)}
      data-technique={technique.id}
      onPointerEnter={() => p.onPoint(true)}
      onPointerLeave={() => p.onPoint(false)}
      onFocus={() => p.onPoint(true)}
      onBlur={() => p.onPoint(false)}
    >
      <header className="field-row">
        <h3>{say(technique.title)}</h3>
        <span className="muted small">{p.aside}</span>
      </header>
      {open && <p className="muted small">{say(technique.summary)}</p>}
      <FieldForm fields={technique.params} values={p.values} only={only} onChange={p.onChange} onCommit={p.onCommit} />
      {gain === null && <p className="muted small">{say(words.wait)}</p>}
      {gain?.ok && <GainRow gain={gain} />}
      {gain?.ok && gain.exactness === 'training' && <p className="muted small">{say(words.trains)}</p>}
      {gain?.ok && gain.layers.length > 1 && taken < gain.layers.length && (
        <p className="muted small">{say(words.taken, { n: taken, all: gain.layers.length })}</p>
      )}
      {gain !== null && !gain.ok && (
        <p className="refusal small">
          <Badge look="warn">{say(words.why)}</Badge>
          <span>
            {gain.fault.hint ?? gain.fault.message}
            {gain.fault.hint === undefined && gain.fault.where !== undefined && (
              <span className="muted"> ({gain.fault.where})</span>
            )}
          </span>
        </p>
      )}
      {open && (
        <div className="notes small">
          <p>{say(technique.explain(p.values))}</p>
          {gain?.ok && gain.notes.map((n) => <p key={n.en}>{say(n)}</p>)}
        </div>
      )}
      {!(p.active && p.onAdd === undefined) && (
        <footer className="field-row">
          {p.active ? (
            <span />
          ) : (
            <Button look="quiet" small onClick={() => setWide(!wide)} aria-expanded={wide}>
              {say(wide ? words.less : words.more)}
            </Button>
          )}
          {p.onAdd !== undefined && (
            <Button look={p.active ? 'primary' : 'plain'} small disabled={gain !== null && !gain.ok} onClick={p.onAdd}>
              {say(words.add)}
            </Button>
          )}
        </footer>
      )}
    </section>
  );
}
