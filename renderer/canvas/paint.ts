/** Owns what figures say on a drawn node: its colour, its share, and what the recipe would make of it. */
import type { Figures, LayerFigures } from '#shared/analysis/figures.ts';
import type { Dim } from '#shared/ir/model.ts';
import { layersById, type PreviewState } from '../state/preview.ts';
import type { ColourBy } from '../state/view.ts';
import { percent, shortCount } from '../ui/format.ts';
import { viridis } from '../ui/viridis.ts';
import { familyOf } from './families.ts';
import type { ViewNode } from './graph-view.ts';

type Measure = 'macs' | 'parameters';

/** Sum over the parts that are counted; null where one is unknown or there are no figures. */
function sum(layers: ReadonlyMap<string, LayerFigures>, view: ViewNode, of: Measure): number | null {
  let total = 0;
  for (const part of view.parts) {
    const value = layers.get(part.id)?.[of];
    if (value === null || value === undefined) return null;
    total += value;
  }
  return total;
}

const tops = new WeakMap<Figures, Map<Measure, number>>();

/** The largest layer's value: the end of the colour scale. */
export function topOf(figures: Figures, of: Measure): number {
  let map = tops.get(figures);
  if (map === undefined) {
    map = new Map();
    tops.set(figures, map);
  }
  let top = map.get(of);
  if (top === undefined) {
    top = figures.layers.reduce((m, l) => Math.max(m, l[of] ?? 0), 0);
    map.set(of, top);
  }
  return top;
}

/** A CSS colour (perhaps a custom property), by the figures of the model as it was opened: a recipe changes no colour. */
export function colourOf(view: ViewNode, by: ColourBy, before: Figures | null): string {
  const main = view.parts[0];
  if (main === undefined) return 'var(--accent)';
  if (by === 'operator') return `var(--fam-${familyOf(main.op)})`;
  if (before === null) return 'var(--line-strong)';
  const value = sum(layersById(before), view, by);
  const top = topOf(before, by);
  // square root, so that all but the largest can be told apart
  return value === null ? 'var(--line-strong)' : viridis(top === 0 ? 0 : Math.sqrt(value / top));
}

/** The figure in the corner: parameters, or the share of all MACs. */
export function cornerOf(view: ViewNode, by: ColourBy, { preview }: PreviewState): string {
  if (preview === null || view.kind !== 'layer') return '';
  const measure = by === 'parameters' ? 'parameters' : 'macs';
  const value = sum(layersById(preview.before), view, measure);
  if (value === null || value === 0) return '';
  if (measure === 'parameters') return shortCount(value);
  const all = preview.before.macs;
  return all === null || all === 0 ? shortCount(value) : percent(value / all);
}

/** Whether a part of this node has no rule, so that no figure counts it. */
export function notCounted(view: ViewNode, { preview }: PreviewState): boolean {
  if (preview === null) return false;
  const layers = layersById(preview.before);
  return view.parts.some((n) => layers.get(n.id)?.counted === false);
}

const channel = (shape: readonly Dim[] | null | undefined): Dim | undefined =>
  shape === null || shape === undefined || shape.length < 2 ? undefined : shape[shape.length === 3 ? 2 : 1];

/** '40 → 22' where the recipe takes channels; '' where nothing changes. */
export function changeOf(view: ViewNode, { preview }: PreviewState): string {
  const main = view.parts[0];
  if (preview === null || main === undefined || preview.figures === preview.before) return '';
  const was = channel(layersById(preview.before).get(main.id)?.outputShape);
  const is = channel(layersById(preview.figures).get(main.id)?.outputShape);
  return was === undefined || is === undefined || was === is ? '' : `${was ?? '?'} → ${is ?? '?'}`;
}

/** Techniques of the recipe that took this node, by id, each once. */
export function takenBy(view: ViewNode, { preview }: PreviewState): string {
  if (preview === null || preview.steps.length === 0) return '';
  const main = view.parts[0]?.id;
  const found = preview.steps.filter((s) => s.layers.some((l) => l.taken && l.id === main)).map((s) => s.technique);
  return [...new Set(found)].join(' ');
}

/** The shape that travels on an edge. */
export function edgeShape(source: ViewNode, value: string, { preview }: PreviewState): readonly Dim[] | null {
  if (preview === null) return null;
  const maker = source.parts.find((n) => n.outputs[0] === value);
  return maker === undefined ? null : (layersById(preview.figures).get(maker.id)?.outputShape ?? null);
}
