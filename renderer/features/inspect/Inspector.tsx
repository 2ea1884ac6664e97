/** Owns the inspector's frame: the tabs, and the layer tab. What the other tabs hold is composed by the app. */
import { type ReactNode, useEffect, useState } from 'react';
import { graphIndex } from '#shared/ir/graph-index.ts';
import { useDocument } from '../../state/store.ts';
import { useText } from '../../ui/language.ts';
import { Tabs } from '../../ui/Segmented.tsx';
import { LayerFacts } from './LayerFacts.tsx';
import { words } from './words.ts';

export interface InspectorProps {
  readonly compress: ReactNode;
  readonly explain: ReactNode;
}

export function Inspector({ compress, explain }: InspectorProps) {
  const say = useText();
  const open = useDocument((d) => d.open);
  const selection = useDocument((d) => d.selection);
  const focused = useDocument((d) => d.focusedStep);
  const [tab, setTab] = useState<'layer' | 'compress' | 'explain'>('compress');
  useEffect(() => {
    if (focused !== null) setTab((t) => (t === 'layer' ? 'compress' : t));
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
        options={(['layer', 'compress', 'explain'] as const).map((v) => ({ value: v, label: say(words[v]) }))}
        onChange={setTab}
      />
      <div id="inspector-panel" role="tabpanel" aria-labelledby={`inspector-${tab}`} className="inspector-panel">
        {/* kept, so that what its sliders were set to is there again */}
        <div hidden={tab !== 'compress'}>{compress}</div>
        {tab === 'explain' && explain}
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
