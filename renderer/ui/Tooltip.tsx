/** Owns Tooltip: a sentence beside what is pointed at or focused. */
import { type ReactNode, useId, useRef, useState } from 'react';
import { createPortal } from 'react-dom';

export function Tooltip({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  const id = useId();
  const anchor = useRef<HTMLSpanElement>(null);
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  const show = (): void => {
    const box = anchor.current?.getBoundingClientRect();
    if (box !== undefined) setAt({ x: Math.max(8, Math.min(box.left, innerWidth - 296)), y: box.bottom + 6 });
  };
  const hide = (): void => setAt(null);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only shows a description; the control inside is the interaction
    <span
      className="tooltip-anchor"
      ref={anchor}
      aria-describedby={at === null ? undefined : id}
      onMouseEnter={show}
      onMouseLeave={hide}
      onFocus={show}
      onBlur={hide}
    >
      {children}
      {at !== null &&
        createPortal(
          <span role="tooltip" id={id} className="tooltip" style={{ left: at.x, top: at.y }}>
            {text}
          </span>,
          document.body,
        )}
    </span>
  );
}
