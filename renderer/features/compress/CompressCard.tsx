/** Owns one technique's card: closed, a line that says what it would give here; open, its slider, figures and settings. */
import { ChevronDown, ChevronRight, Plus } from 'lucide-react';
import { memo, type ReactNode, useState } from 'react';
import type { FieldValues } from '#shared/base/fields.ts';
import type { Technique } from '#shared/techniques/declare.ts';
import { Button } from '../../ui/Button.tsx';
import { FieldForm, fieldShown } from '../../ui/FieldForm.tsx';
import { useText } from '../../ui/language.ts';
import { GainLine, GainRow, isShort } from './GainRow.tsx';
import type { Gain } from './gain.ts';
import { Why } from './Misfits.tsx';
import { words } from './words.ts';

/** What a card does; the same for all cards, so that one that moves leaves the others as they are. */
export interface CardActs {
  /** Left out: the card cannot be closed (it edits a step). */
  readonly show?: (t: Technique) => void;
  readonly change: (t: Technique, values: FieldValues, moving: boolean) => void;
  /** A gesture ended. */
  readonly commit: () => void;
  /** Left out where the card edits a step that already stands. */
  readonly add?: (t: Technique, values: FieldValues) => void;
  readonly point?: (t: Technique, inside: boolean) => void;
}

export interface CompressCardProps {
  readonly technique: Technique;
  readonly values: FieldValues;
  readonly gain: Gain | null;
  /** The gain is of an earlier recipe or selection. */
  readonly old: boolean;
  readonly open: boolean;
  /** Its slider has been moved, or it edits a step: what it shows stands in the figures strip too. */
  readonly active: boolean;
  /** Said beside the title; '' for nothing. */
  readonly aside: string;
  /** Number of the step before which it would be put; null: after all. */
  readonly before: number | null;
  readonly acts: CardActs;
}

export const CompressCard = memo(function CompressCard(p: CompressCardProps) {
  const say = useText();
  const { technique, gain, acts } = p;
  const title = say(technique.title);
  const { show, add } = acts;
  const short = !p.open && gain?.ok === true && isShort(gain);
  const blocked = gain !== null && !gain.ok;
  return (
    <section
      className={`card compress-card ${p.active ? 'active' : ''} ${p.open ? 'open' : ''} ${p.old ? 'old' : ''}`}
      aria-label={title}
      data-technique={technique.id}
      onPointerEnter={() => acts.point?.(technique, true)}
      onPointerLeave={() => acts.point?.(technique, false)}
      onFocus={() => acts.point?.(technique, true)}
      onBlur={() => acts.point?.(technique, false)}
    >
      <header className="card-head">
        {show === undefined ? (
          <h3>{title}</h3>
        ) : (
          <h3>
            <button type="button" className="card-title" aria-expanded={p.open} onClick={() => show(technique)}>
              {p.open ? <ChevronDown /> : <ChevronRight />}
              {title}
            </button>
          </h3>
        )}
        {p.aside !== '' && <span className="muted small">{p.aside}</span>}
        {short && <GainLine gain={gain} />}
        {add !== undefined && !p.open && (
          <Button
            look="quiet"
            small
            icon={<Plus />}
            label={say(words.addNamed, { title })}
            disabled={blocked}
            onClick={() => add(technique, p.values)}
          />
        )}
      </header>
      {p.open ? <OpenBody {...p} /> : gain?.ok ? !short && <GainLine gain={gain} /> : <Waiting gain={gain} />}
    </section>
  );
});

function Waiting({ gain }: { readonly gain: Gain | null }) {
  const say = useText();
  return gain === null || gain.ok ? <p className="muted small">{say(words.wait)}</p> : <Why fault={gain.fault} />;
}

function OpenBody(p: CompressCardProps) {
  const say = useText();
  const { technique, gain } = p;
  const { add } = p.acts;
  const [all, setAll] = useState(false);
  const [why, setWhy] = useState(false);
  const names = Object.keys(technique.params);
  // a technique whose slider does not apply as it is set (bits of a static quantization) shows what decides it first
  const knobs = names.filter((n) => technique.knobs.includes(n));
  const seen = knobs.some((n) => technique.params[n] !== undefined && fieldShown(technique.params[n], p.values));
  const first = seen ? knobs : names.slice(0, 1);
  const rest = names.filter((n) => !first.includes(n));
  const taken = gain?.ok ? gain.layers.filter((l) => l.taken).length : 0;
  const form = (only: readonly string[]) => (
    <FieldForm
      fields={technique.params}
      values={p.values}
      only={only}
      onChange={(next, moving) => p.acts.change(technique, next, moving)}
      onCommit={p.acts.commit}
    />
  );
  return (
    <>
      <p className="muted small">{say(technique.summary)}</p>
      {first.length > 0 && form(first)}
      {gain?.ok ? <GainRow gain={gain} /> : <Waiting gain={gain} />}
      {gain?.ok && gain.exactness === 'training' && <p className="muted small">{say(words.trains)}</p>}
      {gain?.ok && gain.layers.length > 1 && taken < gain.layers.length && (
        <p className="muted small">{say(words.taken, { n: taken, all: gain.layers.length })}</p>
      )}
      {gain?.ok && gain.notes.map((n) => <Note key={n.en}>{say(n)}</Note>)}
      {all && form(rest)}
      {why && <Note>{say(technique.explain(p.values))}</Note>}
      <footer className="card-foot">
        {rest.length > 0 && (
          <Button look="quiet" small aria-expanded={all} onClick={() => setAll(!all)}>
            {say(all ? words.less : words.settings, { n: rest.length })}
          </Button>
        )}
        <Button look="quiet" small aria-expanded={why} onClick={() => setWhy(!why)}>
          {say(words.atRunTime)}
        </Button>
        <span className="grow" />
        {add !== undefined && p.before !== null && (
          <span className="muted small">{say(words.before, { n: p.before })}</span>
        )}
        {add !== undefined && (
          <Button look="primary" small disabled={gain !== null && !gain.ok} onClick={() => add(technique, p.values)}>
            {say(words.add)}
          </Button>
        )}
      </footer>
    </>
  );
}

const Note = ({ children }: { readonly children: ReactNode }) => <p className="notes small">{children}</p>;
