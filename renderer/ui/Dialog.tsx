/** Owns Dialog: the native modal, so that focus is trapped and given back by the browser. */
import { X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef } from 'react';
import { text } from '#shared/base/text.ts';
import { Button } from './Button.tsx';
import { useText } from './language.ts';

const close = text('Close', '닫기');

export interface DialogProps {
  readonly title: string;
  /** For two columns beside an input; narrow otherwise. */
  readonly wide?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Mounted = open. */
export function Dialog({ title, wide = false, onClose, children }: DialogProps) {
  const say = useText();
  const id = useId();
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a press on the backdrop; Escape is the native cancel
    <dialog
      ref={ref}
      className={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(e) => {
        if (e.target === ref.current) ref.current?.close();
      }}
    >
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        <Button look="quiet" icon={<X />} label={say(close)} onClick={() => ref.current?.close()} />
      </div>
      <div className="dialog-body">{children}</div>
    </dialog>
  );
}
