/** Owns GraphEdit: a transaction of edits on a graph that ends in a new version sharing what did not change. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { graphIndex, outerReads, subgraphs } from './graph-index.ts';
import type { Attribute, Graph, Node, ValueInfo } from './model.ts';
import type { SparseTensor, Tensor } from './tensor.ts';

export interface NewNode {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: readonly Attribute[];
}

/**
 * Collects edits; `done()` returns the new graph. Reads (`nodes`, `initializer`) see the edits so far. Names made by
 * `unique` clash with nothing in the graph or its subgraphs. Nodes stand where they were put; new ones go right before
 * or after a neighbour, so a topologically sorted graph stays sorted.
 */
export class GraphEdit {
  readonly #graph: Graph;
  #nodes: Node[];
  readonly #initializers: Map<string, Tensor>;
  readonly #sparse: Map<string, SparseTensor>;
  #inputs: readonly ValueInfo[];
  #outputs: readonly ValueInfo[];
  #valueInfos: readonly ValueInfo[];
  readonly #taken = new Set<string>();
  readonly #ids = new Set<string>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#nodes = [...graph.nodes];
    this.#initializers = new Map(graph.initializers.map((t) => [t.name, t]));
    this.#sparse = new Map(graph.sparseInitializers.map((t) => [t.values.name, t]));
    this.#inputs = graph.inputs;
    this.#outputs = graph.outputs;
    this.#valueInfos = graph.valueInfos;
    this.#collectNames();
  }

  #collectNames(): void {
    const stack: Graph[] = [this.#graph];
    for (let g = stack.pop(); g !== undefined; g = stack.pop()) {
      for (const i of g.inputs) this.#taken.add(i.name);
      for (const t of g.initializers) this.#taken.add(t.name);
      for (const t of g.sparseInitializers) this.#taken.add(t.values.name);
      for (const n of g.nodes) {
        this.#ids.add(n.id);
        if (n.name !== '') this.#ids.add(n.name);
        for (const o of n.outputs) this.#taken.add(o);
        stack.push(...subgraphs(n));
      }
    }
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  initializer(name: string): Tensor | undefined {
    return this.#initializers.get(name);
  }

  /** A value name that nothing uses yet: `base`, else `base_1`, `base_2` ... The name is taken from then on. */
  unique(base: string): string {
    const name = freeName(base, this.#taken);
    this.#taken.add(name);
    return name;
  }

  /** A node ready to be put in: its name and id made unique from `name` or from its first output. */
  make(node: NewNode): Node {
    const name = freeName(node.name ?? node.outputs[0] ?? node.op, this.#ids);
    this.#ids.add(name);
    for (const o of node.outputs) this.#taken.add(o);
    return {
      id: name,
      name,
      op: node.op,
      domain: node.domain ?? '',
      inputs: node.inputs,
      outputs: node.outputs,
      attributes: node.attributes ?? [],
    };
  }

  #at(id: string): number {
    const at = this.#nodes.findIndex((n) => n.id === id);
    if (at < 0) throw new Fault('internal', text('no such node to edit', '고칠 노드가 없습니다'), { where: id });
    return at;
  }

  insertBefore(id: string, nodes: readonly Node[]): void {
    this.#nodes.splice(this.#at(id), 0, ...nodes);
  }

  insertAfter(id: string, nodes: readonly Node[]): void {
    this.#nodes.splice(this.#at(id) + 1, 0, ...nodes);
  }

  /** At the front: for nodes that read only inputs and initializers. */
  prepend(nodes: readonly Node[]): void {
    this.#nodes.unshift(...nodes);
  }

  /** Puts `nodes` in the place of the node with this id. */
  replace(id: string, nodes: readonly Node[]): void {
    this.#nodes.splice(this.#at(id), 1, ...nodes);
  }

  remove(id: string): void {
    this.#nodes.splice(this.#at(id), 1);
  }

  /** Many nodes at once (by id), in one pass; a missing id stays as it is. */
  updateNodes(changes: ReadonlyMap<string, Node>): void {
    if (changes.size > 0) this.#nodes = this.#nodes.map((n) => changes.get(n.id) ?? n);
  }

  /** Every reader of `from` (not its maker, nor the subgraphs) reads `to`, but for the nodes in `except`. */
  rewire(from: string, to: string, except: ReadonlySet<string> = new Set()): void {
    this.#nodes = this.#nodes.map((n) =>
      except.has(n.id) || !n.inputs.includes(from) ? n : { ...n, inputs: n.inputs.map((i) => (i === from ? to : i)) },
    );
  }

  /** Adds or replaces the initializer of this name; an input of the same name gets the new shape. */
  setInitializer(tensor: Tensor): void {
    this.#taken.add(tensor.name);
    this.#initializers.set(tensor.name, tensor);
    this.#sparse.delete(tensor.name);
    this.#inputs = this.#inputs.map((i) =>
      i.name !== tensor.name ? i : { ...i, type: { kind: 'tensor', elem: tensor.type, shape: tensor.dims } },
    );
  }

  setSparseInitializer(tensor: SparseTensor): void {
    this.#taken.add(tensor.values.name);
    this.#initializers.delete(tensor.values.name);
    this.#sparse.set(tensor.values.name, tensor);
  }

  /** Removes the initializer and an input that only backed it. */
  removeInitializer(name: string): void {
    this.#initializers.delete(name);
    this.#sparse.delete(name);
    this.#inputs = this.#inputs.filter((i) => i.name !== name);
  }

  setInputs(inputs: readonly ValueInfo[]): void {
    this.#inputs = inputs;
  }

  setOutputs(outputs: readonly ValueInfo[]): void {
    this.#outputs = outputs;
  }

  /** Forgets recorded shapes that a rewrite made wrong. */
  dropValueInfos(stale: (name: string) => boolean): void {
    this.#valueInfos = this.#valueInfos.filter((v) => !stale(v.name));
  }

  setValueInfos(infos: readonly ValueInfo[]): void {
    this.#valueInfos = infos;
  }

  /** Removes nodes whose outputs nobody reads, then initializers nobody reads, until nothing changes. */
  removeUnused(): void {
    const live = new Set(this.#outputs.map((o) => o.name));
    const makers = new Map<string, Node>();
    for (const n of this.#nodes) for (const o of n.outputs) if (o !== '') makers.set(o, n);
    const keep = new Set<Node>();
    const queue = [...live];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      live.add(name);
      const node = makers.get(name);
      if (node === undefined || keep.has(node)) continue;
      keep.add(node);
      for (const i of node.inputs) if (i !== '') queue.push(i);
      for (const g of subgraphs(node)) queue.push(...outerReads(g));
    }
    this.#nodes = this.#nodes.filter((n) => keep.has(n));
    for (const name of [...this.#initializers.keys(), ...this.#sparse.keys()])
      if (!live.has(name)) this.removeInitializer(name);
    const known = new Set(this.#nodes.flatMap((n) => n.outputs));
    this.dropValueInfos((v) => !known.has(v) && !live.has(v));
  }

  done(): Graph {
    const graph: Graph = {
      ...this.#graph,
      nodes: this.#nodes,
      initializers: [...this.#initializers.values()],
      sparseInitializers: [...this.#sparse.values()],
      inputs: this.#inputs,
      outputs: this.#outputs,
      valueInfos: this.#valueInfos,
    };
    return graph;
  }
}

function freeName(base: string, taken: ReadonlySet<string>): string {
  if (!taken.has(base)) return base;
  let k = 1;
  while (taken.has(`${base}_${k}`)) k++;
  return `${base}_${k}`;
}

/** The graph with its nodes in topological order; the same object where it already is. */
export function sorted(graph: Graph): Graph {
  const order = graphIndex(graph).order;
  return order.every((n, i) => n === graph.nodes[i]) ? graph : { ...graph, nodes: order };
}
