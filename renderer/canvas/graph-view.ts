/**
 * Owns viewOf: the ir graph as what is drawn. Nodes that only make weights are drawn inside their consumers, and what
 * follows a layer alone (normalisation, activation) becomes a part of it. Iterative throughout: depth is no danger.
 */
import { graphIndex, subgraphs } from '#shared/ir/graph-index.ts';
import type { Graph, Node } from '#shared/ir/model.ts';
import { familyOf } from './families.ts';
import { detailOf, titleOf } from './node-words.ts';

export interface ViewNode {
  /** The main node's id; graph inputs and outputs have `input:` and `output:` before their name. */
  readonly id: string;
  readonly kind: 'layer' | 'input' | 'output';
  /** Main node first, then what was folded into it, in order. Empty for inputs and outputs. */
  readonly parts: readonly Node[];
  /** Nodes that make this node's weights from constants. */
  readonly inside: readonly Node[];
  readonly title: string;
  readonly detail: string;
  readonly name: string;
  /** Number of subgraphs (If, Loop, Scan). */
  readonly subgraphs: number;
  readonly width: number;
  readonly height: number;
}

export interface ViewEdge {
  readonly source: number;
  readonly target: number;
  /** The value that travels. */
  readonly value: string;
}

export interface GraphView {
  readonly nodes: readonly ViewNode[];
  readonly edges: readonly ViewEdge[];
  /** View node index by node id of the ir graph (parts and insides included). */
  readonly at: ReadonlyMap<string, number>;
  readonly outgoing: readonly (readonly number[])[];
  readonly incoming: readonly (readonly number[])[];
}

const random = new Set(['RandomNormal', 'RandomUniform']);
const mains = new Set(['compute', 'norm', 'elementwise', 'pool']);
const tails = new Set(['norm', 'activation']);

/** Values that depend on no graph input, and the nodes that make them. */
function constants(graph: Graph): { readonly values: ReadonlySet<string>; readonly nodes: ReadonlySet<Node> } {
  const index = graphIndex(graph);
  const fed = new Set(index.requiredInputs.map((i) => i.name));
  const values = new Set<string>();
  for (const t of graph.initializers) if (!fed.has(t.name)) values.add(t.name);
  for (const t of graph.sparseInitializers) values.add(t.values.name);
  const nodes = new Set<Node>();
  for (const node of index.order) {
    if (random.has(node.op) || node.attributes.some((a) => a.kind === 'graph' || a.kind === 'graphs')) continue;
    if (!node.inputs.every((i) => i === '' || values.has(i))) continue;
    if (node.outputs.some((o) => index.outputNames.has(o))) continue;
    nodes.add(node);
    for (const o of node.outputs) values.add(o);
  }
  return { values, nodes };
}

/** For each node that is drawn, the node it is folded into (itself where it stands alone). */
function folds(graph: Graph, order: readonly Node[], constant: ReadonlySet<string>): ReadonlyMap<Node, Node> {
  const index = graphIndex(graph);
  const into = new Map<Node, Node>();
  for (const node of order) {
    const data = node.inputs[0] ?? '';
    const maker = index.producer.get(data);
    const main = maker === undefined ? undefined : into.get(maker);
    const alone =
      main !== undefined &&
      mains.has(familyOf(main.op)) &&
      tails.has(familyOf(node.op)) &&
      index.uses.get(data)?.length === 1 &&
      !index.outputNames.has(data) &&
      node.inputs.slice(1).every((i) => i === '' || constant.has(i));
    into.set(node, alone ? main : node);
  }
  return into;
}

/** What stands in constant nodes above a node, nearest first, each drawn in every consumer. */
function makersOf(node: Node, graph: Graph, constantNodes: ReadonlySet<Node>): readonly Node[] {
  const index = graphIndex(graph);
  const found = new Set<Node>();
  const stack = [...node.inputs];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    const maker = index.producer.get(value);
    if (maker === undefined || !constantNodes.has(maker) || found.has(maker)) continue;
    found.add(maker);
    stack.push(...maker.inputs);
  }
  return [...found];
}

const textWidth = (text: string, perLetter: number): number => text.length * perLetter;
const size = (title: string, detail: string): { width: number; height: number } => ({
  width: Math.round(Math.min(300, Math.max(148, textWidth(title, 7.6) + 76, textWidth(detail, 6.3) + 90))),
  height: 52,
});

const cache = new WeakMap<Graph, GraphView>();

/** The view of this graph version. Throws `bad-graph` on a cycle. */
export function viewOf(graph: Graph): GraphView {
  let view = cache.get(graph);
  if (view === undefined) {
    view = build(graph);
    cache.set(graph, view);
  }
  return view;
}

function build(graph: Graph): GraphView {
  const index = graphIndex(graph);
  const constant = constants(graph);
  const order = index.order.filter((n) => !constant.nodes.has(n));
  const into = folds(graph, order, constant.values);
  const parts = new Map<Node, Node[]>();
  for (const node of order) {
    const main = into.get(node) ?? node;
    const list = parts.get(main);
    if (list === undefined) parts.set(main, [node]);
    else list.push(node);
  }

  const nodes: ViewNode[] = [];
  const at = new Map<string, number>();
  /** View node that makes a value. */
  const makerAt = new Map<string, number>();
  for (const input of index.requiredInputs) {
    makerAt.set(input.name, nodes.length);
    at.set(`input:${input.name}`, nodes.length);
    nodes.push(terminal('input', input.name));
  }
  for (const [main, list] of parts) {
    const inside = list.flatMap((n) => makersOf(n, graph, constant.nodes));
    const title = titleOf(list, index);
    const detail = detailOf(main, index);
    for (const n of list) {
      at.set(n.id, nodes.length);
      for (const o of n.outputs) makerAt.set(o, nodes.length);
    }
    for (const n of inside) if (!at.has(n.id)) at.set(n.id, nodes.length);
    nodes.push({
      id: main.id,
      kind: 'layer',
      parts: list,
      inside,
      title,
      detail,
      name: main.name,
      subgraphs: [...subgraphs(main)].length,
      ...size(title, detail),
    });
  }
  for (const output of graph.outputs) {
    at.set(`output:${output.name}`, nodes.length);
    nodes.push(terminal('output', output.name));
  }

  const reads = (v: ViewNode): readonly string[] =>
    v.kind === 'output' ? [v.name] : v.parts.flatMap((n) => [...n.inputs, ...(outer.get(n.id) ?? [])]);
  const outer = new Map<string, string[]>();
  for (const [value, uses] of index.uses)
    for (const u of uses) if (u.input === -1) outer.set(u.node.id, [...(outer.get(u.node.id) ?? []), value]);

  const edges: ViewEdge[] = [];
  const outgoing: number[][] = nodes.map(() => []);
  const incoming: number[][] = nodes.map(() => []);
  nodes.forEach((v, target) => {
    if (v.kind === 'input') return;
    const seen = new Set<string>();
    for (const value of reads(v)) {
      const source = makerAt.get(value);
      if (source === undefined || source === target || seen.has(value)) continue;
      seen.add(value);
      outgoing[source]?.push(edges.length);
      incoming[target]?.push(edges.length);
      edges.push({ source, target, value });
    }
  });
  return { nodes, edges, at, outgoing, incoming };
}

function terminal(kind: 'input' | 'output', name: string): ViewNode {
  return {
    id: `${kind}:${name}`,
    kind,
    parts: [],
    inside: [],
    title: name,
    detail: '',
    name,
    subgraphs: 0,
    width: Math.round(Math.min(260, Math.max(72, textWidth(name, 7.4) + 40))),
    height: 30,
  };
}
