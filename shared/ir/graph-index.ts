/** Owns graphIndex: who makes and who reads each value, and a topological order; computed once per graph version. */
import { Fault } from '../base/fault.ts';
import type { Graph, Node, ValueInfo } from './model.ts';
import type { SparseTensor, Tensor } from './tensor.ts';

export interface Use {
  readonly node: Node;
  /** Index into node.inputs; -1 where a subgraph of the node reads the value from the outer scope. */
  readonly input: number;
}

export interface GraphIndex {
  readonly producer: ReadonlyMap<string, Node>;
  readonly uses: ReadonlyMap<string, readonly Use[]>;
  readonly initializer: ReadonlyMap<string, Tensor>;
  readonly sparseInitializer: ReadonlyMap<string, SparseTensor>;
  readonly nodeById: ReadonlyMap<string, Node>;
  /** Inputs that a caller must feed: graph inputs that no initializer of the same name backs. */
  readonly requiredInputs: readonly ValueInfo[];
  readonly outputNames: ReadonlySet<string>;
  /** Nodes, producers before consumers; file order among the free. Throws `bad-graph` on a cycle when first read. */
  readonly order: readonly Node[];
}

const cache = new WeakMap<Graph, GraphIndex>();

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

function build(graph: Graph): GraphIndex {
  const producer = new Map<string, Node>();
  const uses = new Map<string, Use[]>();
  const nodeById = new Map<string, Node>();
  const reads = new Map<Node, string[]>();
  const use = (value: string, node: Node, input: number): void => {
    const list = uses.get(value);
    if (list === undefined) uses.set(value, [{ node, input }]);
    else list.push({ node, input });
  };
  for (const node of graph.nodes) {
    nodeById.set(node.id, node);
    for (const o of node.outputs) if (o !== '') producer.set(o, node);
    const mine = node.inputs.filter((i) => i !== '');
    node.inputs.forEach((i, k) => {
      if (i !== '') use(i, node, k);
    });
    for (const g of subgraphs(node))
      for (const name of outerReads(g)) {
        use(name, node, -1);
        mine.push(name);
      }
    reads.set(node, mine);
  }
  const initializer = new Map(graph.initializers.map((t) => [t.name, t]));
  const sparseInitializer = new Map(graph.sparseInitializers.map((t) => [t.values.name, t]));
  let order: readonly Node[] | undefined;
  return {
    producer,
    uses,
    initializer,
    sparseInitializer,
    nodeById,
    requiredInputs: graph.inputs.filter((i) => !initializer.has(i.name) && !sparseInitializer.has(i.name)),
    outputNames: new Set(graph.outputs.map((o) => o.name)),
    get order() {
      order ??= topologicalOrder(graph, producer, reads);
      return order;
    },
  };
}

function topologicalOrder(
  graph: Graph,
  producer: ReadonlyMap<string, Node>,
  reads: ReadonlyMap<Node, readonly string[]>,
): readonly Node[] {
  const done = new Set<Node>();
  const open = new Set<Node>();
  const out: Node[] = [];
  for (const root of graph.nodes) {
    if (done.has(root)) continue;
    const stack: { node: Node; next: number }[] = [{ node: root, next: 0 }];
    open.add(root);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const name = (reads.get(top.node) ?? [])[top.next++];
      if (name === undefined) {
        stack.pop();
        open.delete(top.node);
        done.add(top.node);
        out.push(top.node);
        continue;
      }
      const source = producer.get(name);
      if (source === undefined || done.has(source)) continue;
      if (open.has(source))
        throw new Fault('bad-graph', `the graph has a cycle through ${source.op}`, { where: source.id });
      open.add(source);
      stack.push({ node: source, next: 0 });
    }
  }
  return out;
}

/** The index of this graph version. */
export function graphIndex(graph: Graph): GraphIndex {
  let index = cache.get(graph);
  if (index === undefined) {
    index = build(graph);
    cache.set(graph, index);
  }
  return index;
}
