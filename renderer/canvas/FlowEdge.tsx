/** Owns how an edge is drawn: through its way points, with the shape that travels on it. */
import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { usePreview } from '../state/preview.ts';
import { shapeText } from '../ui/format.ts';
import type { ViewNode } from './graph-view.ts';
import { edgeShape } from './paint.ts';

export interface EdgeData extends Record<string, unknown> {
  readonly points: Float64Array;
  readonly source: ViewNode;
  readonly value: string;
  /** The first edge of its value: the only one that carries the shape. */
  readonly labelled: boolean;
}
export type FlowEdge = Edge<EdgeData, 'value'>;

/** A path through the points; vertical at each, so that it leaves below a node and arrives above one. */
export function pathThrough(points: Float64Array): string {
  let path = `M${points[0]} ${points[1]}`;
  for (let i = 2; i < points.length; i += 2) {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = points.subarray(i - 2, i + 2);
    if (x0 === x1) path += `L${x1} ${y1}`;
    else {
      const bend = Math.max(12, (y1 - y0) / 2);
      path += `C${x0} ${y0 + bend} ${x1} ${y1 - bend} ${x1} ${y1}`;
    }
  }
  return path;
}

function ValueEdge({ id, data, markerEnd }: EdgeProps<FlowEdge>) {
  const label = usePreview((p) => {
    if (data === undefined || !data.labelled) return '';
    const shape = edgeShape(data.source, data.value, p);
    return shape === null
      ? ''
      : shapeText(shape.length > 1 && (shape[0] === 1 || typeof shape[0] !== 'number') ? shape.slice(1) : shape);
  });
  if (data === undefined) return null;
  const [x = 0, y = 0] = data.points;
  return (
    <>
      <BaseEdge id={id} path={pathThrough(data.points)} {...(markerEnd === undefined ? {} : { markerEnd })} />
      {label !== '' && (
        <EdgeLabelRenderer>
          <div className="edge-label" style={{ transform: `translate(${x + 6}px, ${y + 5}px)` }}>
            {label}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

export const FlowEdgeView = memo(ValueEdge);
