/** Owns graphIndex: who makes and who reads each value, and a topological order; computed once per graph version. */
import { lazy } from '../base/lazy.ts';
import type { Graph, Node, ValueInfo } from './model.ts';
import { outerReads, subgraphs } from './subgraphs.ts';
import type { SparseTensor, Tensor } from './tensor.ts';
import { requiredInputs, wiringOf } from './wiring.ts';

export { outerReads, subgraphs };

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

/** The node and input that read each value. */
function usesOf(graph: Graph): ReadonlyMap<string, readonly Use[]> {
  const uses = new Map<string, Use[]>();
  const use = (value: string, node: Node, input: number): void => {
    const list = uses.get(value);
    if (list === undefined) uses.set(value, [{ node, input }]);
    else list.push({ node, input });
  };
  for (const node of graph.nodes) {
    for (const [k, name] of node.inputs.entries()) if (name !== '') use(name, node, k);
    for (const g of subgraphs(node)) for (const name of outerReads(g)) use(name, node, -1);
  }
  return uses;
}

function producers(graph: Graph): ReadonlyMap<string, Node> {
  const producer = new Map<string, Node>();
  for (const node of graph.nodes) for (const o of node.outputs) if (o !== '') producer.set(o, node);
  return producer;
}

function orderOf(graph: Graph): readonly Node[] {
  const { order } = wiringOf(graph);
  if (order.every((at, k) => at === k)) return graph.nodes;
  return Array.from(order, (at) => graph.nodes[at]).filter((n) => n !== undefined);
}

/** Every value that a node reads: its inputs, and what its subgraphs read from around them. */
export function readsOf(node: Node): readonly string[] {
  const inner = subgraphs(node);
  return inner.length === 0 ? node.inputs : [...node.inputs, ...inner.flatMap((g) => [...outerReads(g)])];
}

/** Each part is made when it is first asked: a preview asks for few. */
function build(graph: Graph): GraphIndex {
  const producer = lazy(() => producers(graph));
  const uses = lazy(() => usesOf(graph));
  const initializer = lazy(() => new Map(graph.initializers.map((t) => [t.name, t])));
  const sparseInitializer = lazy(() => new Map(graph.sparseInitializers.map((t) => [t.values.name, t])));
  const nodeById = lazy(() => new Map(graph.nodes.map((n) => [n.id, n])));
  const required = lazy(() => requiredInputs(graph));
  const outputNames = lazy(() => new Set(graph.outputs.map((o) => o.name)));
  const order = lazy(() => orderOf(graph));
  return {
    get producer() {
      return producer();
    },
    get uses() {
      return uses();
    },
    get initializer() {
      return initializer();
    },
    get sparseInitializer() {
      return sparseInitializer();
    },
    get nodeById() {
      return nodeById();
    },
    get requiredInputs() {
      return required();
    },
    get outputNames() {
      return outputNames();
    },
    get order() {
      return order();
    },
  };
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
