/** Owns what can be selected on the canvas beyond a click: travel along edges, all like this one. */
import type { GraphView } from './graph-view.ts';

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The selection as a set, made once per version. */
export function selectedSet(selection: readonly string[]): ReadonlySet<string> {
  let set = sets.get(selection);
  if (set === undefined) {
    set = new Set(selection);
    sets.set(selection, set);
  }
  return set;
}

export type Direction = 'up' | 'down' | 'left' | 'right';

/** The view node one step from `at`: along the first edge, or beside it on the same layer. Undefined at an end. */
export function neighbour(
  view: GraphView,
  place: { readonly corners: Float64Array; readonly layerOf: Int32Array },
  at: number,
  to: Direction,
): number | undefined {
  if (to === 'down' || to === 'up') {
    const edges = (to === 'down' ? view.outgoing[at] : view.incoming[at]) ?? [];
    const ends = edges.map((e) => view.edges[e]).map((e) => (to === 'down' ? e?.target : e?.source));
    const x = place.corners[2 * at] ?? 0;
    return ends
      .filter((i): i is number => i !== undefined)
      .sort((a, b) => Math.abs((place.corners[2 * a] ?? 0) - x) - Math.abs((place.corners[2 * b] ?? 0) - x))[0];
  }
  const x = place.corners[2 * at] ?? 0;
  let best: number | undefined;
  let distance = Number.POSITIVE_INFINITY;
  for (let i = 0; i < view.nodes.length; i++) {
    if (i === at || place.layerOf[i] !== place.layerOf[at]) continue;
    const by = ((place.corners[2 * i] ?? 0) - x) * (to === 'right' ? 1 : -1);
    if (by > 0 && by < distance) {
      distance = by;
      best = i;
    }
  }
  return best;
}

/** Ids of every layer with the same operator (and title, which holds the kernel) as the given one. */
export function allLike(view: GraphView, id: string): readonly string[] {
  const at = view.at.get(id);
  const model = at === undefined ? undefined : view.nodes[at];
  if (model === undefined) return [];
  const head = model.title.split(' · ')[0];
  return view.nodes.filter((v) => v.kind === 'layer' && v.title.split(' · ')[0] === head).map((v) => v.id);
}
