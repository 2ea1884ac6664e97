/** Owns which of the selected nodes quantization takes, and what it says of each. */
import type { Model, Node } from '../ir/model.ts';
import type { StepContext, Taken } from './declare.ts';
import type { QuantLayer } from './quantize-layers.ts';

/** The selected nodes as layers, and what cannot be taken. */
export function split(
  c: StepContext,
  model: Model,
  take: (node: Node) => QuantLayer | string | undefined,
): { readonly layers: ReadonlyMap<string, QuantLayer>; readonly refused: readonly { id: string; reason: string }[] } {
  const chosen = new Set(c.selected.map((n) => n.id));
  const layers = new Map<string, QuantLayer>();
  const refused: { id: string; reason: string }[] = [];
  for (const node of model.graph.nodes) {
    if (!chosen.has(node.id)) continue;
    const layer = take(node);
    if (typeof layer === 'string') refused.push({ id: node.id, reason: layer });
    else if (layer !== undefined) layers.set(node.id, layer);
  }
  return { layers, refused };
}

/** Taken and refused nodes in the order in which they were selected. */
export function outcome(
  c: StepContext,
  refused: readonly { readonly id: string; readonly reason: string }[],
  taken: readonly string[],
  what: (id: string) => string,
): readonly Taken[] {
  const order = new Map(c.selected.map((n, i) => [n.id, i]));
  const all: Taken[] = [
    ...refused.map(({ id, reason }): Taken => ({ id, taken: false, reason })),
    ...taken.map((id): Taken => ({ id, taken: true, what: what(id) })),
  ];
  return all.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
}
