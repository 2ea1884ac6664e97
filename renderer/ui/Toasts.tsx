/** Owns how toasts look. */
import { X } from 'lucide-react';
import { text } from '#shared/base/text.ts';
import { Button } from './Button.tsx';
import { useText } from './language.ts';
import { closeToast, useToasts } from './toast.ts';

const dismiss = text('Dismiss', '닫기');

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
            {t.kind === 'fault' && (
              <div>
                {t.fault.message}
                {t.fault.where !== undefined && <span className="muted"> ({t.fault.where})</span>}
                {t.fault.hint !== undefined && <div className="muted">{t.fault.hint}</div>}
              </div>
            )}
          </div>
          <Button small look="quiet" icon={<X />} label={say(dismiss)} onClick={() => closeToast(t.id)} />
        </div>
      ))}
    </div>
  );
}
