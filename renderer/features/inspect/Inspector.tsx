/** Owns the inspector's frame: the tabs, and the layer tab. What the compress tab holds is composed by the app. */
import { type ReactNode, useEffect, useState } from 'react';
import { graphIndex } from '#shared/ir/graph-index.ts';
import { useDocument } from '../../state/store.ts';
import { useText } from '../../ui/language.ts';
import { Tabs } from '../../ui/Segmented.tsx';
import { LayerFacts } from './LayerFacts.tsx';
import { words } from './words.ts';

export function Inspector({ compress }: { readonly compress: ReactNode }) {
  const say = useText();
  const open = useDocument((d) => d.open);
  const selection = useDocument((d) => d.selection);
  const focused = useDocument((d) => d.focusedStep);
  const [tab, setTab] = useState<'layer' | 'compress'>('compress');
  useEffect(() => {
    if (focused !== null) setTab('compress');
  }, [focused]);
  if (open === null) return <div className="panel-body muted">{say(words.noModel)}</div>;
  const id = selection.at(-1);
  const node = id === undefined ? undefined : graphIndex(open.model.graph).nodeById.get(id);
  return (
    <div className="panel-body">
      <Tabs
        id="inspector"
        label={say(words.tabs)}
        value={tab}
        options={(['layer', 'compress'] as const).map((v) => ({ value: v, label: say(words[v]) }))}
        onChange={setTab}
      />
      <div id="inspector-panel" role="tabpanel" aria-labelledby={`inspector-${tab}`} className="inspector-panel">
        {tab === 'compress' && compress}
        {tab === 'layer' &&
          (node === undefined ? (
            <p className="muted">{say(words.empty)}</p>
          ) : (
            <>
              {selection.length > 1 && <p className="muted small">{say(words.many, { n: selection.length })}</p>}
              <LayerFacts open={open} node={node} />
            </>
          ))}
      </div>
    </div>
  );
}
