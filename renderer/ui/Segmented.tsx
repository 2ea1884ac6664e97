/** Owns Segmented (one choice of few, a radio group) and Tabs (the same look, panels behind it). */
import type { KeyboardEvent } from 'react';

export interface SegmentedProps<V extends string> {
  readonly label: string;
  readonly value: V;
  readonly options: readonly { readonly value: V; readonly label: string; readonly disabled?: boolean }[];
  readonly onChange: (value: V) => void;
  /** 'tabs': the panel that belongs to a tab has id `${id}-panel` and is the caller's. */
  readonly id?: string;
}

/** Arrow keys move the choice, as in any radio group. */
function travel<V extends string>(e: KeyboardEvent, p: SegmentedProps<V>): void {
  const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
  if (by === 0) return;
  e.preventDefault();
  const open = p.options.filter((o) => !o.disabled);
  const at = open.findIndex((o) => o.value === p.value);
  const next = open[(at + by + open.length) % open.length];
  if (next === undefined) return;
  p.onChange(next.value);
  const buttons = (e.currentTarget as HTMLElement).querySelectorAll<HTMLButtonElement>('button');
  buttons[p.options.indexOf(next)]?.focus();
}

export function Segmented<V extends string>(p: SegmentedProps<V>) {
  return (
    <div className="segmented" role="radiogroup" aria-label={p.label} onKeyDown={(e) => travel(e, p)}>
      {p.options.map((o) => (
        // biome-ignore lint/a11y/useSemanticElements: a radio group of buttons, as the ARIA pattern has it
        <button
          key={o.value}
          type="button"
          role="radio"
          aria-checked={o.value === p.value}
          tabIndex={o.value === p.value ? 0 : -1}
          disabled={o.disabled}
          onClick={() => p.onChange(o.value)}
        >
          {o.label}
        </button>
      ))}
    </div>
  );
}

export function Tabs<V extends string>(p: SegmentedProps<V>) {
  return (
    <div className="tabs" role="tablist" aria-label={p.label} onKeyDown={(e) => travel(e, p)}>
      {p.options.map((o) => (
        <button
          key={o.value}
          type="button"
          role="tab"
          id={p.id === undefined ? undefined : `${p.id}-${o.value}`}
          aria-controls={p.id === undefined ? undefined : `${p.id}-panel`}
          aria-selected={o.value === p.value}
          tabIndex={o.value === p.value ? 0 : -1}
          disabled={o.disabled}
          onClick={() => p.onChange(o.value)}
        >
          {o.label}
        </button>
      ))}
    </div>
  );
}
