/** Owns the small bars on the canvas: zoom, and what to do with a selection. */
import { useReactFlow } from '@xyflow/react';
import { Maximize, Minus, Plus } from 'lucide-react';
import { dispatch, useDocument } from '../state/store.ts';
import { Button } from '../ui/Button.tsx';
import { useText } from '../ui/language.ts';
import type { Placed } from './placed.ts';
import { allLike } from './selection.ts';
import { words } from './words.ts';

export function CanvasBar({ graph }: { readonly graph: Placed }) {
  const say = useText();
  const flow = useReactFlow();
  const selection = useDocument((d) => d.selection);
  const last = selection.at(-1);
  return (
    <>
      <div className="zoom-bar nopan">
        <Button
          small
          look="quiet"
          icon={<Plus />}
          label={say(words.zoomIn)}
          onClick={() => void flow.zoomIn({ duration: 120 })}
        />
        <Button
          small
          look="quiet"
          icon={<Minus />}
          label={say(words.zoomOut)}
          onClick={() => void flow.zoomOut({ duration: 120 })}
        />
        <Button
          small
          look="quiet"
          icon={<Maximize />}
          label={say(words.fit)}
          onClick={() => void flow.fitBounds(graph.bounds, { padding: 0.08, duration: 200 })}
        />
      </div>
      {last !== undefined && (
        <div className="selection-bar nopan" role="toolbar">
          <span className="muted">{say(words.selected, { n: selection.length })}</span>
          <Button
            small
            look="quiet"
            onClick={() => dispatch({ type: 'selected', ids: allLike(graph.view, last), mode: 'add' })}
          >
            {say(words.alike)}
          </Button>
          <Button small look="quiet" onClick={() => dispatch({ type: 'selected', ids: [], mode: 'replace' })}>
            {say(words.clear)}
          </Button>
        </div>
      )}
    </>
  );
}
