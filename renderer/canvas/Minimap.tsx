/** Owns the minimap: the whole graph small, the window on it; press or drag to go there. */
import { useReactFlow, useStore } from '@xyflow/react';
import { type PointerEvent, useLayoutEffect, useRef } from 'react';
import { useDocument } from '../state/store.ts';
import { useView } from '../state/view.ts';
import { useText } from '../ui/language.ts';
import { useTheme } from '../ui/theme.ts';
import { drawBitmap } from './bitmap.ts';
import { useLayerValues } from './layer-values.ts';
import type { Placed } from './placed.ts';
import { selectedSet } from './selection.ts';
import { words } from './words.ts';

const large = { width: 150, height: 168 };
/** On a narrow canvas the map leaves room for the nodes. */
const small = { width: 84, height: 112 };
const narrow = 840;

export function Minimap({ graph }: { readonly graph: Placed }) {
  const say = useText();
  const flow = useReactFlow();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [x, y, zoom] = useStore((s) => s.transform);
  const canvasWidth = useStore((s) => s.width);
  const { width, height } = canvasWidth < narrow ? small : large;
  const seenWidth = canvasWidth / zoom;
  const seenHeight = useStore((s) => s.height) / zoom;
  const values = useLayerValues((v) => v.values);
  const selection = useDocument((d) => d.selection);
  const by = useView((s) => s.colourBy);
  const theme = useTheme((s) => s.theme);
  const { bounds } = graph;
  // a very long graph is shown stretched: a faithful sliver would say nothing
  const scale = Math.min((width - 16) / bounds.width, (height - 16) / bounds.height);
  const long = scale * bounds.width < 12 || scale * bounds.height < 12;
  const scaleX = long ? (width - 16) / bounds.width : scale;
  const scaleY = long ? (height - 16) / bounds.height : scale;
  const left = (width - bounds.width * scaleX) / 2;
  const top = (height - bounds.height * scaleY) / 2;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a theme change is drawn anew
  useLayoutEffect(() => {
    const at = canvas.current;
    if (at === null) return;
    drawBitmap(
      at,
      graph,
      { x: -left / scaleX, y: -top / scaleY, width: width / scaleX, height: height / scaleY },
      { x: scaleX, y: scaleY },
      { by, values, selected: selectedSet(selection), edges: false },
    );
  }, [graph, values, selection, by, theme, scaleX, scaleY]);
  const go = (e: PointerEvent<HTMLDivElement>): void => {
    const box = e.currentTarget.getBoundingClientRect();
    void flow.setCenter((e.clientX - box.left - left) / scaleX, (e.clientY - box.top - top) / scaleY, { zoom });
  };
  const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, v));
  // the border of the map takes a pixel on each side
  const right = width - 3;
  const bottom = height - 3;
  const x0 = clamp(left + (-x / zoom) * scaleX, 1, right - 4);
  const y0 = clamp(top + (-y / zoom) * scaleY, 1, bottom - 4);
  const x1 = clamp(left + (-x / zoom + seenWidth) * scaleX, x0 + 4, right);
  const y1 = clamp(top + (-y / zoom + seenHeight) * scaleY, y0 + 4, bottom);
  return (
    <div
      className="minimap nopan nowheel"
      role="img"
      aria-label={say(words.map)}
      style={{ width, height }}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        go(e);
      }}
      onPointerMove={(e) => {
        if (e.buttons === 1) go(e);
      }}
    >
      <canvas ref={canvas} style={{ width, height }} />
      {(x0 > 1 || y0 > 1 || x1 < right || y1 < bottom) && (
        <div className="minimap-window" style={{ left: x0, top: y0, width: x1 - x0, height: y1 - y0 }} />
      )}
    </div>
  );
}
