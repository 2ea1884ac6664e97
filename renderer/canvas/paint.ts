/** Owns what figures say on a drawn node: its colour, its share, and what the recipe would make of it. */
import type { Dim } from '#shared/ir/model.ts';
import { layersById, type PreviewState } from '../state/preview.ts';
import type { ColourBy } from '../state/view.ts';
import { bits, layerTime, percent, shortCount } from '../ui/format.ts';
import { viridis } from '../ui/viridis.ts';
import { familyOf } from './families.ts';
import type { ViewNode } from './graph-view.ts';
import type { LayerValues } from './layer-values.ts';

/** Sum over the parts, or the main part's own where a sum says nothing; null where unknown, undefined where there is none. */
function layerValue(view: ViewNode, { by, of }: LayerValues): number | null | undefined {
  if (by === 'sparsity' || by === 'precision') return of.get(view.parts[0]?.id ?? '');
  let total: number | undefined;
  for (const part of view.parts) {
    const value = of.get(part.id);
    if (value === null) return null;
    if (value !== undefined) total = (total ?? 0) + value;
  }
  return total;
}

/** A CSS colour (perhaps a custom property). */
export function colourOf(view: ViewNode, by: ColourBy, values: LayerValues | null): string {
  const main = view.parts[0];
  if (main === undefined) return 'var(--accent)';
  if (by === 'operator') return `var(--fam-${familyOf(main.op)})`;
  const value = values === null || values.by !== by ? null : layerValue(view, values);
  if (value === null || value === undefined || values === null) return 'var(--line-strong)';
  const share = values.top === 0 ? 0 : Math.min(1, value / values.top);
  // square root, so that all but the largest can be told apart; shares of zeros and bits are their own scale
  return viridis(by === 'sparsity' || by === 'precision' ? share : Math.sqrt(share));
}

/** The figure in the corner: what the layers are coloured by; of operators, the share of all MACs. */
export function cornerOf(view: ViewNode, values: LayerValues | null): string {
  if (values === null || view.kind !== 'layer') return '';
  const value = layerValue(view, values);
  if (value === null || value === undefined) return '';
  switch (values.by) {
    case 'latency':
      if (value === 0) return '';
      return layerTime(value, view.parts.some((p) => values.tiny.has(p.id)) && value < 0.02);
    case 'sparsity':
      return percent(value, 0);
    case 'precision':
      return bits(value);
    case 'parameters':
      return value === 0 ? '' : shortCount(value);
    case 'operator':
    case 'macs':
      if (value === 0) return '';
      return values.total === null || values.total === 0 ? shortCount(value) : percent(value / values.total);
  }
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
