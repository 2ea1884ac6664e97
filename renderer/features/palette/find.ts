/** Owns finding layers by a few letters of their name, operator or id. */
import type { GraphView, ViewNode } from '../../canvas/graph-view.ts';

/** Best first: a name that begins with the letters, then one that holds them; every word must be found. */
export function findLayers(view: GraphView, asked: string, limit: number): readonly ViewNode[] {
  const terms = asked
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => w !== '');
  if (terms.length === 0) return [];
  const scored: { readonly node: ViewNode; readonly score: number }[] = [];
  for (const node of view.nodes) {
    const names = `${node.id} ${node.parts.map((p) => `${p.name} ${p.id} ${p.op}`).join(' ')}`.toLowerCase();
    const title = node.title.toLowerCase();
    if (!terms.every((t) => names.includes(t) || title.includes(t))) continue;
    const first = terms[0] ?? '';
    const score = node.name.toLowerCase().startsWith(first) ? 0 : title.startsWith(first) ? 1 : 2;
    scored.push({ node, score });
  }
  return scored
    .sort((a, b) => a.score - b.score)
    .slice(0, limit)
    .map((s) => s.node);
}
