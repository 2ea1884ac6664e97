/**
 * Owns the value of each layer by which the canvas is coloured. One object, replaced only when a colour may differ: drawn
 * nodes and bitmaps hang on it, and a slider's move must not redraw them for nothing.
 */
import { create } from 'zustand';
import type { Figures } from '#shared/analysis/figures.ts';
import type { Profile } from '#shared/contract/profile.ts';
import type { Graph } from '#shared/ir/model.ts';
import type { Summaries } from '#shared/techniques/declare.ts';
import { timesOf, useLayerMeasures } from '../state/measured.ts';
import { summariesOf, usePreview } from '../state/preview.ts';
import { currentDocument, useDocument } from '../state/store.ts';
import { type ColourBy, useView } from '../state/view.ts';

export interface LayerValues {
  readonly by: ColourBy;
  /** By node id. null: unknown; a node that is not in it has none (an activation has no weights). */
  readonly of: ReadonlyMap<string, number | null>;
  /** The end of the colour scale. */
  readonly top: number;
  /** Of the whole model, where shares of it are told. */
  readonly total: number | null;
  /** Nodes whose value is below what can be told. */
  readonly tiny: ReadonlySet<string>;
}

const none = new Set<string>();
const largest = (of: ReadonlyMap<string, number | null>): number => {
  let top = 0;
  for (const v of of.values()) top = Math.max(top, v ?? 0);
  return top;
};

/** Bits a stored parameter, scales, zero points and codebooks included. */
function bitsOf(figures: Figures): Map<string, number> {
  const of = new Map<string, number>();
  for (const l of figures.layers) if (l.parameters > 0) of.set(l.id, (l.weightBytes * 8) / l.parameters);
  return of;
}

/** Share of zeros in the largest stored tensor that a node reads. */
function zerosOf(graph: Graph, summaries: Summaries): Map<string, number> {
  const of = new Map<string, number>();
  for (const node of graph.nodes) {
    let best = { count: 0, zeros: 0 };
    for (const name of node.inputs) {
      const found = Object.hasOwn(summaries, name) ? summaries[name] : undefined;
      if (found !== undefined && found.count > best.count) best = found;
    }
    if (best.count > 0) of.set(node.id, best.zeros / best.count);
  }
  return of;
}

/** What the layers are coloured by; null: not known (not counted yet, not measured). */
export function layerValues(
  by: ColourBy,
  graph: Graph,
  before: Figures | null,
  now: Figures | null,
  profile: Profile | null,
  summaries: Summaries | undefined,
): LayerValues | null {
  switch (by) {
    case 'operator':
    case 'macs':
    case 'parameters': {
      if (before === null) return null;
      const measure = by === 'parameters' ? 'parameters' : 'macs';
      const of = new Map(before.layers.map((l) => [l.id, l[measure]]));
      return { by, of, top: largest(of), total: before[measure], tiny: none };
    }
    case 'latency': {
      if (profile?.trace == null) return null;
      const times = timesOf(profile);
      const of = new Map([...times].map(([id, t]) => [id, t.ms]));
      const tiny = new Set([...times].filter(([, t]) => t.tiny).map(([id]) => id));
      return { by, of, top: largest(of), total: profile.latencyMs.median, tiny };
    }
    case 'sparsity':
      return summaries === undefined ? null : { by, of: zerosOf(graph, summaries), top: 1, total: null, tiny: none };
    case 'precision':
      return now === null ? null : { by, of: bitsOf(now), top: 32, total: null, tiny: none };
  }
}

const same = (a: LayerValues | null, b: LayerValues | null): boolean => {
  if (a === null || b === null || a.by !== b.by || a.top !== b.top || a.of.size !== b.of.size) return a === b;
  for (const [id, v] of b.of) if (a.of.get(id) !== v) return false;
  return true;
};

/** `useLayerValues((v) => v.values)`. */
export const useLayerValues = create<{ readonly values: LayerValues | null }>(() => ({ values: null }));

let seen: readonly unknown[] = [];
function refresh(): void {
  const { open } = currentDocument();
  const { preview } = usePreview.getState();
  const by = useView.getState().colourBy;
  const { profile } = useLayerMeasures.getState();
  const summaries = open === null ? undefined : summariesOf(open);
  const before = preview?.before ?? null;
  // only precision shows what the recipe makes of the layers
  const now = by === 'precision' ? (preview?.figures ?? null) : null;
  const inputs = [open, by, before, now, profile, summaries];
  if (inputs.every((v, i) => v === seen[i])) return;
  seen = inputs;
  const values = open === null ? null : layerValues(by, open.model.graph, before, now, profile, summaries);
  if (!same(useLayerValues.getState().values, values)) useLayerValues.setState({ values });
}
usePreview.subscribe(refresh);
useDocument.subscribe(refresh);
useView.subscribe(refresh);
useLayerMeasures.subscribe(refresh);
