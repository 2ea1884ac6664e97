/** Owns Popover: a panel under its button; Escape and a press elsewhere close it. */
import { type ReactNode, useEffect, useRef, useState } from 'react';

export interface PopoverProps {
  readonly trigger: (p: { readonly open: boolean; readonly toggle: () => void }) => ReactNode;
  readonly children: (close: () => void) => ReactNode;
  readonly align?: 'left' | 'right';
  readonly label: string;
}

export function Popover({ trigger, children, align = 'left', label }: PopoverProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!open) return;
    const press = (e: PointerEvent): void => {
      if (e.target instanceof Node && root.current?.contains(e.target) !== true) setOpen(false);
    };
    const key = (e: KeyboardEvent): void => {
      if (e.key === 'Escape') setOpen(false);
    };
    addEventListener('pointerdown', press, true);
    addEventListener('keydown', key);
    return () => {
      removeEventListener('pointerdown', press, true);
      removeEventListener('keydown', key);
    };
  }, [open]);
  return (
    <span className="popover-anchor" ref={root}>
      {trigger({ open, toggle: () => setOpen(!open) })}
      {open && (
        <div className="popover" role="dialog" aria-label={label} style={{ [align]: 0 }}>
          {children(() => setOpen(false))}
        </div>
      )}
    </span>
  );
}
