/**
 * Owns wiringOf: what reads what in a graph, with values as numbers. Versions of a graph that differ only in tensors and
 * settings share one wiring, so that a slider's moves need not work it out again.
 */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Graph, Node, ValueInfo } from './model.ts';
import { outerReads, subgraphs } from './subgraphs.ts';
import type { Tensor } from './tensor.ts';

/** Node positions count in `graph.nodes`. */
export interface Wiring {
  /** Number of each value that a node or an initializer names. */
  readonly ids: ReadonlyMap<string, number>;
  /** Names by number. */
  readonly names: readonly string[];
  /** Positions, producers before consumers; file order among the free. */
  readonly order: Int32Array;
  /** What node p reads: `inputs[inputStart[p]]` up to `inputStart[p + 1]`; -1 where omitted. Reads of its subgraphs stand last. */
  readonly inputStart: Int32Array;
  readonly inputs: Int32Array;
  /** The most that one node reads. */
  readonly mostInputs: number;
  /** What node p makes, as `inputs`. */
  readonly outputStart: Int32Array;
  readonly outputs: Int32Array;
  /** Position of the node that makes a value, by number; -1: none does. */
  readonly producer: Int32Array;
  /** Numbers of the initializers, in graph order; sparse ones likewise. */
  readonly initializers: Int32Array;
  readonly sparse: Int32Array;
  /** Index into `graph.initializers` by value number; -1: not one. */
  readonly initializerAt: Int32Array;
  readonly sparseAt: Int32Array;
}

interface Known {
  readonly wiring: Wiring;
  readonly graph: Pick<Graph, 'nodes' | 'initializers' | 'sparseInitializers'>;
}

const known = new WeakMap<Graph, Known>();
/** The latest wirings, newest first: a new version of a graph is most often wired like one of them. */
const recent: WeakRef<Known>[] = [];
const remembered = 4;

/** The wiring of this graph version. Faults: `bad-graph` on a cycle. */
export function wiringOf(graph: Graph): Wiring {
  const own = known.get(graph);
  if (own !== undefined) return own.wiring;
  for (const [k, ref] of recent.entries()) {
    const one = ref.deref();
    if (one === undefined || !wiredAlike(graph, one.graph)) continue;
    known.set(graph, one);
    if (k > 0) recent.unshift(...recent.splice(k, 1));
    return one.wiring;
  }
  const { nodes, initializers, sparseInitializers } = graph;
  const made: Known = { wiring: build(graph), graph: { nodes, initializers, sparseInitializers } };
  known.set(graph, made);
  recent.unshift(new WeakRef(made));
  recent.length = Math.min(recent.length, remembered);
  return made.wiring;
}

/** Inputs that a caller must feed: graph inputs that no initializer of the same name backs. */
export function requiredInputs(graph: Graph): readonly ValueInfo[] {
  const { ids, initializerAt, sparseAt } = wiringOf(graph);
  const isBacked = ({ name }: ValueInfo): boolean => {
    const id = ids.get(name);
    return id !== undefined && ((initializerAt[id] ?? -1) >= 0 || (sparseAt[id] ?? -1) >= 0);
  };
  return graph.inputs.some(isBacked) ? graph.inputs.filter((i) => !isBacked(i)) : graph.inputs;
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((name, k) => name === b[k]));

function wiredAlike(a: Known['graph'], b: Known['graph']): boolean {
  if (a.nodes.length !== b.nodes.length || a.initializers.length !== b.initializers.length) return false;
  if (a.sparseInitializers.length !== b.sparseInitializers.length) return false;
  for (let k = 0; k < a.nodes.length; k++) {
    const [one, two] = [a.nodes[k], b.nodes[k]];
    if (one === two) continue;
    if (one === undefined || two === undefined) return false;
    if (!sameNames(one.inputs, two.inputs) || !sameNames(one.outputs, two.outputs)) return false;
    if (one.attributes !== two.attributes && (subgraphs(one).length > 0 || subgraphs(two).length > 0)) return false;
  }
  for (let k = 0; k < a.initializers.length; k++) {
    const [one, two] = [a.initializers[k], b.initializers[k]];
    if (one !== two && one?.name !== two?.name) return false;
  }
  return a.sparseInitializers.every((t, k) => t.values.name === b.sparseInitializers[k]?.values.name);
}

function build(graph: Graph): Wiring {
  const ids = new Map<string, number>();
  const names: string[] = [];
  const idOf = (name: string): number => {
    if (name === '') return -1;
    let id = ids.get(name);
    if (id === undefined) {
      id = names.length;
      ids.set(name, id);
      names.push(name);
    }
    return id;
  };
  const { nodes } = graph;
  const inputs: number[] = [];
  const outputs: number[] = [];
  const inputStart = new Int32Array(nodes.length + 1);
  const outputStart = new Int32Array(nodes.length + 1);
  const initializers = Int32Array.from(graph.initializers, (t) => idOf(t.name));
  const sparse = Int32Array.from(graph.sparseInitializers, (t) => idOf(t.values.name));
  let mostInputs = 0;
  for (const [p, node] of nodes.entries()) {
    for (const name of node.inputs) inputs.push(idOf(name));
    for (const g of subgraphs(node)) for (const name of outerReads(g)) inputs.push(idOf(name));
    for (const name of node.outputs) outputs.push(idOf(name));
    inputStart[p + 1] = inputs.length;
    mostInputs = Math.max(mostInputs, inputs.length - (inputStart[p] ?? 0));
    outputStart[p + 1] = outputs.length;
  }
  const none = (): Int32Array => new Int32Array(names.length).fill(-1);
  const [producer, initializerAt, sparseAt] = [none(), none(), none()];
  for (let p = 0; p < nodes.length; p++)
    for (let k = outputStart[p] ?? 0; k < (outputStart[p + 1] ?? 0); k++) put(producer, outputs[k], p);
  for (const [k, id] of initializers.entries()) put(initializerAt, id, k);
  for (const [k, id] of sparse.entries()) put(sparseAt, id, k);
  const reads = { inputStart, inputs: Int32Array.from(inputs) };
  const order = topologicalOrder(nodes, producer, reads);
  const made = { outputStart, outputs: Int32Array.from(outputs), producer };
  return { ids, names, order, ...reads, mostInputs, ...made, initializers, sparse, initializerAt, sparseAt };
}

function put(table: Int32Array, id: number | undefined, value: number): void {
  if (id !== undefined && id >= 0) table[id] = value;
}

/** Positions as they stand where that will do, else by a search from each node to what it reads. */
function topologicalOrder(
  nodes: readonly Node[],
  producer: Int32Array,
  { inputStart, inputs }: Pick<Wiring, 'inputStart' | 'inputs'>,
): Int32Array {
  const sourceOf = (k: number): number => producer[inputs[k] ?? -1] ?? -1;
  let sorted = true;
  for (let p = 0; p < nodes.length && sorted; p++)
    for (let k = inputStart[p] ?? 0; k < (inputStart[p + 1] ?? 0); k++) if (sourceOf(k) >= p) sorted = false;
  if (sorted) return Int32Array.from({ length: nodes.length }, (_, p) => p);
  const order: number[] = [];
  /** 0: not met, 1: on the stack, 2: done. */
  const state = new Uint8Array(nodes.length);
  const next = inputStart.slice();
  for (let root = 0; root < nodes.length; root++) {
    if (state[root] !== 0) continue;
    const stack = [root];
    state[root] = 1;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const k = next[top] ?? 0;
      if (k >= (inputStart[top + 1] ?? 0)) {
        stack.pop();
        state[top] = 2;
        order.push(top);
        continue;
      }
      next[top] = k + 1;
      const source = sourceOf(k);
      if (source < 0 || state[source] === 2) continue;
      if (state[source] === 1)
        throw new Fault(
          'bad-graph',
          text(
            `the graph has a cycle through ${nodes[source]?.op}`,
            `그래프에 ${nodes[source]?.op}을(를) 지나는 순환이 있습니다`,
          ),
          {
            where: nodes[source]?.id ?? '',
          },
        );
      state[source] = 1;
      stack.push(source);
    }
  }
  return Int32Array.from(order);
}

/** The node that makes a value; undefined where none does. */
export function makerOf(graph: Graph, name: string): Node | undefined {
  const wiring = wiringOf(graph);
  const p = wiring.producer[wiring.ids.get(name) ?? -1];
  return p === undefined || p < 0 ? undefined : graph.nodes[p];
}

/** The dense initializer of this name. */
export function initializerOf(graph: Graph, name: string): Tensor | undefined {
  const wiring = wiringOf(graph);
  const k = wiring.initializerAt[wiring.ids.get(name) ?? -1];
  return k === undefined || k < 0 ? undefined : graph.initializers[k];
}
