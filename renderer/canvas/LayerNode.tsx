/** Owns how one node is drawn on the canvas. */
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { Lock } from 'lucide-react';
import { memo } from 'react';
import { reasonText } from '#shared/techniques/reason-words.ts';
import { usePreview } from '../state/preview.ts';
import { useDocument } from '../state/store.ts';
import { useView } from '../state/view.ts';
import { useText } from '../ui/language.ts';
import type { ViewNode } from './graph-view.ts';
import { useLayerValues } from './layer-values.ts';
import { changeOf, colourOf, cornerOf, notCounted, takenBy } from './paint.ts';
import { selectedSet } from './selection.ts';
import { words } from './words.ts';

export type FlowNode = Node<{ readonly view: ViewNode }, 'layer'>;

/** Short marks of techniques on a node; channels show as '40 → 22' instead. */
const marks: Readonly<Record<string, string>> = { quantize: 'int8', 'prune-weights': '0' };

function LayerNodeView({ data: { view } }: NodeProps<FlowNode>) {
  const say = useText();
  const by = useView((s) => s.colourBy);
  const selected = useDocument((d) => selectedSet(d.selection).has(view.id));
  const light = useDocument((d) => {
    if (d.highlight === null) return '';
    for (const part of view.parts) if (d.highlight.ids.has(part.id)) return d.highlight.kind;
    return d.highlight.ids.has(view.id) ? d.highlight.kind : '';
  });
  const reason = useDocument((d) => {
    for (const part of view.parts) {
      const why = d.highlight?.ids.get(part.id);
      if (why !== undefined) return why;
    }
    return '';
  });
  const colour = useLayerValues((v) => colourOf(view, by, v.values));
  const corner = useLayerValues((v) => cornerOf(view, v.values));
  const uncounted = usePreview((p) => notCounted(view, p));
  const change = usePreview((p) => changeOf(view, p));
  const taken = usePreview((p) => takenBy(view, p));
  const badges = taken
    .split(' ')
    .map((t) => marks[t] ?? '')
    .filter((t) => t !== '');
  // Where little room is left, what changes says more than what was.
  const detail = change !== '' && (badges.length > 0 || view.detail.includes('→')) ? '' : view.detail;
  const classes = ['node', view.kind, selected ? 'selected' : '', light === '' ? '' : `lit ${light}`].join(' ');
  return (
    <div
      className={classes}
      style={{ width: view.width, height: view.height, '--mark': colour } as React.CSSProperties}
      title={reason === '' ? undefined : say(reasonText(reason))}
    >
      {view.kind !== 'input' && <Handle type="target" position={Position.Top} isConnectable={false} />}
      <div className="node-row">
        <span className="node-title">{view.title}</span>
        {view.subgraphs > 0 && <span className="badge">{say(words.subgraphs, { n: view.subgraphs })}</span>}
        {light === 'frozen' && <Lock size={12} aria-label={say(words.frozen)} />}
        {uncounted && <span className="badge warn">{say(words.notCounted)}</span>}
        {corner !== '' && <span className="node-corner">{corner}</span>}
      </div>
      {view.kind === 'layer' && (
        <div className="node-row">
          <span className="node-detail">{detail}</span>
          {badges.map((b) => (
            <span key={b} className="badge accent">
              {b}
            </span>
          ))}
          {change !== '' && <span className="badge accent">{change}</span>}
        </div>
      )}
      {view.kind !== 'output' && <Handle type="source" position={Position.Bottom} isConnectable={false} />}
    </div>
  );
}

export const LayerNode = memo(LayerNodeView, (a, b) => a.data === b.data);
