/** Owns the far view: the whole graph as one picture under the flow's own pan and zoom. */
import { useStore } from '@xyflow/react';
import { useLayoutEffect, useRef } from 'react';
import { useDocument } from '../state/store.ts';
import { useView } from '../state/view.ts';
import { useTheme } from '../ui/theme.ts';
import { drawBitmap } from './bitmap.ts';
import { useLayerValues } from './layer-values.ts';
import type { Placed } from './placed.ts';
import { selectedSet } from './selection.ts';

export function Bitmap({ graph }: { readonly graph: Placed }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const transform = useStore((s) => s.transform);
  const values = useLayerValues((v) => v.values);
  const selection = useDocument((d) => d.selection);
  const by = useView((s) => s.colourBy);
  const theme = useTheme((s) => s.theme);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a theme change is drawn anew
  useLayoutEffect(() => {
    const at = canvas.current;
    if (at === null) return;
    const [x, y, zoom] = transform;
    const window = { x: -x / zoom, y: -y / zoom, width: at.clientWidth / zoom, height: at.clientHeight / zoom };
    drawBitmap(at, graph, window, zoom, { by, values, selected: selectedSet(selection), edges: true });
  }, [graph, transform, values, selection, by, theme]);
  return <canvas className="bitmap" ref={canvas} />;
}
