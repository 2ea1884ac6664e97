/** Owns the networks of the zoo in the open menu: built by the host, with random weights. */
import { Boxes } from 'lucide-react';
import { zoo } from '#shared/zoo/index.ts';
import { useHost } from '../../host/use-host.tsx';
import { useText } from '../../ui/language.ts';
import { openZoo } from './open-model.ts';
import { words } from './words.ts';

export function ZooList({ close }: { readonly close: () => void }) {
  const say = useText();
  const host = useHost();
  return (
    <details className="menu-zoo">
      <summary className="menu-item muted">
        <Boxes />
        <span className="grow">{say(words.zoo)}</span>
        <span className="small">{zoo.length}</span>
      </summary>
      <div className="menu-zoo-list">
        {zoo.map((entry) => (
          <button
            type="button"
            key={entry.id}
            className="menu-item"
            title={`${say(entry.summary)} (${entry.source})`}
            onClick={() => {
              close();
              void openZoo(host, entry.id, say(entry.title));
            }}
          >
            <span className="grow">{say(entry.title)}</span>
            <span className="muted small">{entry.input.join(' × ')}</span>
          </button>
        ))}
      </div>
    </details>
  );
}
