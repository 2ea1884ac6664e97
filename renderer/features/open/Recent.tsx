/** Owns the models opened lately, as lines of the open menu; asked anew each time the menu opens. */
import { History } from 'lucide-react';
import { useCall, useHost } from '../../host/use-host.tsx';
import { useDocument } from '../../state/store.ts';
import { shortBytes } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { openHeld } from './open-model.ts';
import { words } from './words.ts';

export function Recent({ close }: { readonly close: () => void }) {
  const say = useText();
  const host = useHost();
  const now = useDocument((d) => d.open?.modelId);
  const recent = useCall('recentModels', {});
  const others = recent.state === 'done' ? recent.value.filter((m) => m.modelId !== now) : [];
  if (others.length === 0) return null;
  return (
    <>
      <div className="menu-label section-title">{say(words.recent)}</div>
      {others.map((m) => (
        <button
          type="button"
          key={m.modelId}
          className="menu-item"
          title={m.name}
          onClick={() => {
            close();
            void openHeld(host, m.modelId, m.name);
          }}
        >
          <History />
          <span className="grow">{m.name}</span>
          <span className="muted small">{shortBytes(m.fileBytes)}</span>
        </button>
      ))}
    </>
  );
}
