/** Owns one step of the recipe: on or off, what it does, what it alone changes, moving and deleting. */
import { GripVertical, Trash2 } from 'lucide-react';
import type { KeyboardEvent, ReactNode } from 'react';
import type { FaultData } from '#shared/base/fault.ts';
import type { KeyedStep } from '../../state/document.ts';
import { dispatch } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { useFault, useText } from '../../ui/language.ts';
import { Switch } from '../../ui/Switch.tsx';
import { Tooltip } from '../../ui/Tooltip.tsx';
import { type Delta, paramsText, selectText, techniqueFor, titleOf } from './step-text.ts';
import { words } from './words.ts';

/** What the preview says of a step. */
export type StepOutcome =
  | { readonly kind: 'done'; readonly delta: Delta | null; readonly learns: boolean }
  | { readonly kind: 'fault'; readonly fault: FaultData }
  | { readonly kind: 'off' | 'waiting' };

export interface StepRowProps {
  readonly keyed: KeyedStep;
  readonly number: number;
  readonly focused: boolean;
  readonly dragged: boolean;
  /** Where the dragged step would land, seen from this row. */
  readonly drop: 'before' | 'after' | null;
  readonly outcome: StepOutcome;
  readonly onDrag: (key: string | null) => void;
  readonly onOver: (key: string) => void;
}

export function StepRow(p: StepRowProps) {
  const say = useText();
  const inWords = useFault();
  const { key, step } = p.keyed;
  const technique = techniqueFor(step);
  const off = step.off === true;
  const title = titleOf(step, say);
  const focus = (): void => dispatch({ type: 'step-focused', key: p.focused ? null : key });
  const travel = (e: KeyboardEvent): void => {
    const by = e.key === 'ArrowUp' ? -1 : e.key === 'ArrowDown' ? 1 : 0;
    if (by === 0) return;
    e.preventDefault();
    dispatch({ type: 'step-moved', key, to: p.number - 1 + by });
  };
  const state = [off ? 'off' : '', p.focused ? 'focused' : '', p.dragged ? 'dragged' : '', p.drop ?? ''];
  return (
    <li
      className={`step ${state.join(' ')}`}
      data-step={p.number}
      onDragOver={(e) => {
        e.preventDefault();
        p.onOver(key);
      }}
    >
      <button
        type="button"
        className="step-grip"
        draggable
        aria-label={say(words.move, { n: p.number })}
        title={say(words.move, { n: p.number })}
        onKeyDown={travel}
        onDragStart={(e) => {
          e.dataTransfer.effectAllowed = 'move';
          e.dataTransfer.setData('text/plain', key);
          p.onDrag(key);
        }}
        onDragEnd={() => p.onDrag(null)}
      >
        <GripVertical />
      </button>
      <Switch
        label={say(words.on, { n: p.number })}
        checked={!off}
        onChange={() => dispatch({ type: 'step-toggled', key })}
      />
      <button type="button" className="step-body" aria-pressed={p.focused} onClick={focus}>
        <strong>
          {p.number}. {title}
        </strong>
        <span className="muted small">{[selectText(step.select, say), ...paramsText(step, say)].join(' · ')}</span>
      </button>
      <span className="step-delta">
        {technique === undefined ? (
          outcomeText(p.outcome, say)
        ) : (
          <Tooltip text={say(technique.explain(step.params))}>{outcomeText(p.outcome, say)}</Tooltip>
        )}
      </span>
      <Button
        small
        look="quiet"
        icon={<Trash2 />}
        label={say(words.remove, { n: p.number })}
        onClick={() => dispatch({ type: 'step-removed', key })}
      />
      {p.outcome.kind === 'fault' && <p className="step-fault small">{inWords(p.outcome.fault).message}</p>}
    </li>
  );
}

function outcomeText(outcome: StepOutcome, say: ReturnType<typeof useText>): ReactNode {
  switch (outcome.kind) {
    case 'off':
      return <span className="muted small">{say(words.off)}</span>;
    case 'waiting':
      return <span className="muted small">{say(words.notReached)}</span>;
    case 'fault':
      return <span className="badge warn">{say(words.fault)}</span>;
    case 'done':
      if (outcome.delta === null)
        return <span className="muted small">{say(outcome.learns ? words.training : words.same)}</span>;
      return (
        <span className={outcome.delta.worse ? 'step-ratio worse' : 'step-ratio'}>
          {outcome.delta.ratio}
          <span className="small">{say(words[outcome.delta.of])}</span>
        </span>
      );
  }
}
