/**
 * Owns innerGraphs: the graphs inside a model's nodes (branches of If, bodies of Loop and Scan) with what is known of their
 * values, and the names by which their nodes are called from outside: `If_0/else_branch/Conv_3`.
 */
import { subgraphs } from '../ir/graph-index.ts';
import type { Attribute, Graph, Model, Node } from '../ir/model.ts';
import { type Facts, isNone, unknownFacts } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import type { ShapeChoice } from './figures.ts';
import { enterSubgraph, inferScope, type Scope, versionOf } from './infer-facts.ts';

export interface InnerGraph {
  /** `<node id>/<attribute>`, one pair for each level. */
  readonly path: string;
  /** Names of what stands around it: the node of the main graph first, then graphs and nodes down to its own path. */
  readonly around: readonly string[];
  readonly graph: Graph;
  readonly facts: ReadonlyMap<string, Facts>;
  readonly scope: Scope;
}

/** Name of an inner node from outside. */
export const innerName = (path: string, node: Pick<Node, 'id'>): string => `${path}/${node.id}`;

/** True where any node of the main graph holds a graph. */
export const hasInnerGraphs = (model: Model): boolean => model.graph.nodes.some((n) => subgraphs(n).length > 0);

/** The attribute under which a node holds this graph. */
const attributeName = (node: Node, graph: Graph): string =>
  node.attributes.find((a) => a.kind === 'graph' && a.value === graph)?.name ?? 'graph';

/** All inner graphs, outer before inner. A graph that no rule enters is left out. */
export function innerGraphs(model: Model, shapes?: ShapeChoice): readonly InnerGraph[] {
  if (!hasInnerGraphs(model)) return [];
  const found: InnerGraph[] = [];
  const open: { readonly scope: Scope; readonly path: string; readonly around: readonly string[] }[] = [
    { scope: inferScope(model, shapes), path: '', around: [] },
  ];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { scope, path, around } = at;
    for (const node of scope.graph.nodes) {
      if (subgraphs(node).length === 0) continue;
      for (const inner of entered(node, scope)) {
        const holder = `${path === '' ? '' : `${path}/`}${node.id}`;
        const below = `${holder}/${attributeName(node, inner.graph)}`;
        const names = [...around, holder, below];
        found.push({ path: below, around: names, graph: inner.graph, facts: inner.facts, scope: inner });
        open.push({ scope: inner, path: below, around: names });
      }
    }
  }
  return found;
}

/** The scopes of a node's graphs, as its own rule enters them; both branches where the condition would choose one. */
function entered(node: Node, outer: Scope): readonly Scope[] {
  const rule = opOf(node)?.infer;
  if (rule === undefined || isNone(rule)) return [];
  const scopes = new Map<Graph, Scope>();
  const given = node.inputs.map((i) => (i === '' ? undefined : (outer.facts.get(i) ?? unknownFacts)));
  const inputs = node.op === 'If' ? [{ ...(given[0] ?? unknownFacts), content: [null] }] : given;
  rule({
    node,
    version: versionOf(outer, node.domain),
    inputs,
    subgraph: (graph, known) => {
      const inner = enterSubgraph(graph, known, outer);
      scopes.set(graph, inner);
      return graph.outputs.map((o) => inner.facts.get(o.name) ?? unknownFacts);
    },
  });
  return [...scopes.values()];
}

/** The model with inner graphs exchanged, by path. Deeper ones first: a graph is handed over with its own inner ones in place. */
export function withInnerGraphs(model: Model, change: (path: string, graph: Graph) => Graph): Model {
  const inNode = (node: Node, path: string): Node => {
    if (subgraphs(node).length === 0) return node;
    const attributes = node.attributes.map((a): Attribute => {
      if (a.kind !== 'graph') return a;
      const value = inGraph(a.value, `${path === '' ? '' : `${path}/`}${node.id}/${a.name}`);
      return value === a.value ? a : { ...a, value };
    });
    return attributes.every((a, k) => a === node.attributes[k]) ? node : { ...node, attributes };
  };
  const nodesOf = (graph: Graph, path: string): Graph => {
    const nodes = graph.nodes.map((n) => inNode(n, path));
    return nodes.every((n, k) => n === graph.nodes[k]) ? graph : { ...graph, nodes };
  };
  const inGraph = (graph: Graph, path: string): Graph => change(path, nodesOf(graph, path));
  const graph = nodesOf(model.graph, '');
  return graph === model.graph ? model : { ...model, graph };
}
