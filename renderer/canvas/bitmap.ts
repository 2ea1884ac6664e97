/** Owns drawing a graph on a bitmap: the minimap, and the canvas itself when it is zoomed far out. */

import type { ColourBy } from '../state/view.ts';
import type { LayerValues } from './layer-values.ts';
import { colourOf } from './paint.ts';
import type { Box, Placed } from './placed.ts';

/** Custom properties resolved for a bitmap; asked anew for each drawing, because the theme may have changed. */
function resolver(): (colour: string) => string {
  const style = getComputedStyle(document.documentElement);
  const known = new Map<string, string>();
  return (colour) => {
    if (!colour.startsWith('var(')) return colour;
    let value = known.get(colour);
    if (value === undefined) {
      value = style.getPropertyValue(colour.slice(4, -1)).trim();
      known.set(colour, value);
    }
    return value;
  };
}

export interface BitmapOptions {
  readonly by: ColourBy;
  /** What the colours show. */
  readonly values: LayerValues | null;
  readonly selected: ReadonlySet<string>;
  readonly edges: boolean;
}

/** Draws what touches `window` (graph coordinates) at `scale`, with the window's corner at (0, 0). */
export function drawBitmap(
  canvas: HTMLCanvasElement,
  graph: Placed,
  window: Box,
  by: number | { readonly x: number; readonly y: number },
  o: BitmapOptions,
): void {
  const { x: sx, y: sy } = typeof by === 'number' ? { x: by, y: by } : by;
  const scale = Math.min(sx, sy);
  const dpr = devicePixelRatio;
  const width = Math.max(1, Math.round(canvas.clientWidth * dpr));
  const height = Math.max(1, Math.round(canvas.clientHeight * dpr));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const c = canvas.getContext('2d');
  if (c === null) return;
  const colour = resolver();
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.clearRect(0, 0, width, height);
  c.setTransform(sx * dpr, 0, 0, sy * dpr, -window.x * sx * dpr, -window.y * sy * dpr);
  if (o.edges) {
    const { offsets, points } = graph.place;
    c.strokeStyle = colour('var(--edge)');
    c.lineWidth = Math.max(1.3, 0.9 / scale); // never thinner than a pixel can show
    c.beginPath();
    for (let e = 0; e + 1 < offsets.length; e++) {
      const from = offsets[e] ?? 0;
      const to = offsets[e + 1] ?? 0;
      if ((points[from + 1] ?? 0) > window.y + window.height || (points[to - 1] ?? 0) < window.y) continue;
      c.moveTo(points[from] ?? 0, points[from + 1] ?? 0);
      for (let i = from + 2; i < to; i += 2) c.lineTo(points[i] ?? 0, points[i + 1] ?? 0);
    }
    c.stroke();
  }
  const least = { x: 1.5 / sx, y: 1.2 / sy };
  for (const i of graph.nodesIn(window)) {
    const v = graph.view.nodes[i];
    if (v === undefined) continue;
    const b = graph.boxOf(i);
    c.fillStyle = colour(colourOf(v, o.by, o.values));
    c.fillRect(b.x, b.y, Math.max(b.width, least.x), Math.max(b.height, least.y));
    if (o.selected.has(v.id)) {
      c.strokeStyle = colour('var(--accent)');
      c.lineWidth = 3 / scale;
      c.strokeRect(b.x, b.y, b.width, b.height);
    }
  }
}
