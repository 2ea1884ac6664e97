/** Owns how toasts look. */
import { X } from 'lucide-react';
import type { FaultData } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { Button } from './Button.tsx';
import { useFault, useText } from './language.ts';
import { closeToast, useToasts } from './toast.ts';

const dismiss = text('Dismiss', '닫기');

function Said({ fault }: { readonly fault: FaultData }) {
  const { message, where, hint } = useFault()(fault);
  return (
    <div>
      {message}
      {where !== undefined && <span className="muted"> ({where})</span>}
      {hint !== undefined && <div className="muted">{hint}</div>}
    </div>
  );
}

export function Toasts() {
  const say = useText();
  const toasts = useToasts((s) => s.toasts);
  return (
    <div className="toasts" aria-live="polite">
      {toasts.map((t) => (
        <div
          key={t.id}
          className={t.kind === 'fault' ? 'toast fault' : 'toast'}
          role={t.kind === 'fault' ? 'alert' : 'status'}
        >
          <div className="grow">
            <strong>{say(t.title)}</strong>
            {t.kind === 'fault' && <Said fault={t.fault} />}
          </div>
          <Button small look="quiet" icon={<X />} label={say(dismiss)} onClick={() => closeToast(t.id)} />
        </div>
      ))}
    </div>
  );
}
