/** Owns subgraphs and outerReads: the graphs inside a node (If, Loop, Scan ...), and what they read from around. */
import type { Graph, Node } from './model.ts';

const noGraphs: readonly Graph[] = [];

/** Graphs in a node's attributes (If, Loop, Scan ...). */
export function subgraphs(node: Node): readonly Graph[] {
  let found: Graph[] | undefined;
  for (let k = 0; k < node.attributes.length; k++) {
    const a = node.attributes[k];
    if (a?.kind !== 'graph' && a?.kind !== 'graphs') continue;
    found ??= [];
    if (a.kind === 'graph') found.push(a.value);
    else found.push(...a.value);
  }
  return found ?? noGraphs;
}

const outer = new WeakMap<Graph, ReadonlySet<string>>();

/** Names that a graph reads from the scopes around it. Iterative over nesting, so depth is no danger. */
export function outerReads(graph: Graph): ReadonlySet<string> {
  const known = outer.get(graph);
  if (known !== undefined) return known;
  const found = new Set<string>();
  const stack: { graph: Graph; scope: ReadonlySet<string> }[] = [{ graph, scope: new Set() }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const own = new Set(top.scope);
    for (const i of top.graph.inputs) own.add(i.name);
    for (const t of top.graph.initializers) own.add(t.name);
    for (const s of top.graph.sparseInitializers) own.add(s.values.name);
    for (const n of top.graph.nodes) for (const o of n.outputs) own.add(o);
    for (const n of top.graph.nodes) {
      for (const i of n.inputs) if (i !== '' && !own.has(i)) found.add(i);
      for (const g of subgraphs(n)) stack.push({ graph: g, scope: own });
    }
    for (const o of top.graph.outputs) if (!own.has(o.name)) found.add(o.name);
  }
  outer.set(graph, found);
  return found;
}
