/** Owns walking a model from one opset to another: every node with its subgraphs, local functions, and the constants that adapters make. */
import { attr } from '../../ir/attribute.ts';
import { type Attribute, type Graph, type LocalFunction, type Model, type Node, opsetVersion } from '../../ir/model.ts';
import type { Adapt, Adapters } from './context.ts';
import { type Constants, constantsOf, nothingKnown, type Scope, scopeOf, type Work } from './scope.ts';

export type AdapterTable = ReadonlyMap<string, ReadonlyMap<number, Adapt>>;

/** Adapters by operator and version, of all these tables. */
export function adapterTable(tables: readonly Adapters[]): AdapterTable {
  const out = new Map<string, Map<number, Adapt>>();
  for (const adapters of tables)
    for (const [op, byVersion] of Object.entries(adapters)) {
      const of = out.get(op) ?? new Map<number, Adapt>();
      for (const [v, adapt] of Object.entries(byVersion)) of.set(Number(v), adapt);
      out.set(op, of);
    }
  return out;
}

export const withVersion = (opsets: Model['opsets'], to: number): Model['opsets'] =>
  opsets.map((o) => (o.domain === '' || o.domain === 'ai.onnx' ? { ...o, version: to } : o));

/** What differs between the ways up and down. */
export interface Walk {
  /** A node brought from version `from` to `work.to`. */
  readonly node: (node: Node, from: number, work: Work, scope: Scope, constants: Constants) => readonly Node[];
  /** Whether a function of version `from` stays as it is. */
  readonly stays: (from: number, to: number) => boolean;
  /** The last touch on a graph of which something changed. */
  readonly finish?: (walked: Graph, before: Graph) => Graph;
}

function inside(walk: Walk, node: Node, work: Work, scope: Scope): Node {
  if (!node.attributes.some((a) => a.kind === 'graph' || a.kind === 'graphs')) return node;
  const attributes = node.attributes.map((a): Attribute => {
    if (a.kind === 'graph') return { ...a, value: walkGraph(walk, a.value, work, scope) };
    if (a.kind === 'graphs') return { ...a, value: a.value.map((g) => walkGraph(walk, g, work, scope)) };
    return a;
  });
  return { ...node, attributes };
}

/** The graph at the other opset; the same object where nothing changes. `main`: the model's own, and what callers may override. */
export function walkGraph(
  walk: Walk,
  graph: Graph,
  work: Work,
  outer: Scope,
  main?: { readonly overridable?: ReadonlySet<string> },
): Graph {
  const scope = scopeOf(graph, outer, main !== undefined, main?.overridable);
  const constants = constantsOf(work.taken);
  const nodes = graph.nodes.flatMap((n) => walk.node(inside(walk, n, work, scope), work.from, work, scope, constants));
  if (nodes.length === graph.nodes.length && nodes.every((n, i) => n === graph.nodes[i])) return graph;
  const walked = { ...graph, nodes, initializers: [...graph.initializers, ...constants.made.values()] };
  return walk.finish?.(walked, graph) ?? walked;
}

/** A function's body has no initializers: what adapters make stands in Constant nodes. */
export function walkFunction(walk: Walk, f: LocalFunction, to: number, taken: Set<string>): LocalFunction {
  const from = opsetVersion(f);
  if (from === undefined || walk.stays(from, to)) return f;
  const constants = constantsOf(taken);
  const work = { from, to, taken };
  const nodes = f.nodes.flatMap((n) =>
    walk.node(inside(walk, n, work, nothingKnown), from, work, nothingKnown, constants),
  );
  const held = [...constants.made.values()].map(
    (t): Node => ({
      id: t.name,
      name: t.name,
      op: 'Constant',
      domain: '',
      inputs: [],
      outputs: [t.name],
      attributes: [attr.tensor('value', { ...t, name: '' })],
    }),
  );
  return { ...f, nodes: [...held, ...nodes], opsets: withVersion(f.opsets, to) };
}
