/** Owns the thin bars between panels: drag, or arrow keys. */
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';

export interface ResizerProps {
  readonly label: string;
  readonly axis: 'x' | 'y';
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** The panel stands after the bar: dragging towards it makes it smaller. */
  readonly reverse?: boolean;
  readonly onChange: (value: number) => void;
}

export function Resizer(p: ResizerProps) {
  const start = useRef<{ at: number; value: number } | null>(null);
  const set = (v: number): void => p.onChange(Math.round(Math.min(p.max, Math.max(p.min, v))));
  const sign = p.reverse ? -1 : 1;
  const at = (e: PointerEvent): number => (p.axis === 'x' ? e.clientX : e.clientY);
  const keys = (e: KeyboardEvent): void => {
    const by = { ArrowRight: 16, ArrowDown: 16, ArrowLeft: -16, ArrowUp: -16 }[e.key];
    if (by === undefined) return;
    e.preventDefault();
    set(p.value + by * sign);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved, as the ARIA window splitter pattern has it
    <div
      role="separator"
      className={`resizer ${p.axis}`}
      aria-label={p.label}
      aria-orientation={p.axis === 'x' ? 'vertical' : 'horizontal'}
      aria-valuenow={p.value}
      aria-valuemin={p.min}
      aria-valuemax={p.max}
      tabIndex={0}
      onKeyDown={keys}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        start.current = { at: at(e), value: p.value };
      }}
      onPointerMove={(e) => {
        if (start.current !== null) set(start.current.value + (at(e) - start.current.at) * sign);
      }}
      onPointerUp={() => {
        start.current = null;
      }}
    />
  );
}
