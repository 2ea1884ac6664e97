/** Owns the catalogue of trained models in the open menu: fetched by the host the first time, kept for the next. */
import { CloudDownload } from 'lucide-react';
import { catalogue } from '#shared/zoo/catalogue.ts';
import { useHost } from '../../host/use-host.tsx';
import { shortBytes } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { openCatalogue } from './open-model.ts';
import { words } from './words.ts';

export function CatalogueList({ close }: { readonly close: () => void }) {
  const say = useText();
  const host = useHost();
  return (
    <details className="menu-zoo">
      <summary className="menu-item muted">
        <CloudDownload />
        <span className="grow">{say(words.catalogue)}</span>
        <span className="small">{catalogue.length}</span>
      </summary>
      <div className="menu-zoo-list">
        {catalogue.map((entry) => (
          <button
            type="button"
            key={entry.id}
            className="menu-item"
            title={say(words.catalogueOf, {
              data: entry.data,
              licence: entry.licence,
              source: entry.source.split(' ')[0] ?? '',
            })}
            onClick={() => {
              close();
              void openCatalogue(host, entry.id, say(entry.title));
            }}
          >
            <span className="grow">{say(entry.title)}</span>
            <span className="muted small">{shortBytes(entry.bytes)}</span>
          </button>
        ))}
      </div>
    </details>
  );
}
