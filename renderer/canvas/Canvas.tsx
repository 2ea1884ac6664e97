/** Owns the canvas: lays the opened model out and hands it to the flow; says so when it cannot. */
import { ReactFlowProvider } from '@xyflow/react';
import { useEffect, useState } from 'react';
import { useDocument } from '../state/store.ts';
import { useText } from '../ui/language.ts';
import { showFault } from '../ui/toast.ts';
import './canvas.css';
import { Flow } from './Flow.tsx';
import { viewOf } from './graph-view.ts';
import { layOut } from './lay-out.ts';
import { type Placed, placed } from './placed.ts';
import { words } from './words.ts';

export function Canvas() {
  const say = useText();
  const open = useDocument((d) => d.open);
  const [graph, setGraph] = useState<{ readonly serial: number; readonly placed: Placed } | null>(null);
  useEffect(() => {
    if (open === null) return;
    let stale = false;
    const { serial, model } = open;
    (async () => {
      const view = viewOf(model.graph);
      const place = await layOut(view);
      if (!stale) setGraph({ serial, placed: placed(view, place) });
    })().catch((thrown: unknown) => showFault(words.failed, thrown));
    return () => {
      stale = true;
    };
  }, [open]);
  return (
    <section className="canvas" aria-label={say(words.canvas)}>
      {open !== null && graph?.serial === open.serial && (
        <ReactFlowProvider key={graph.serial}>
          <Flow graph={graph.placed} serial={graph.serial} askedAt={open.askedAt} />
        </ReactFlowProvider>
      )}
    </section>
  );
}
