/**
 * Owns setConstants: new values for small integer constants that nodes read (Reshape target, Split sizes). A constant
 * that others read too is left to them; the node gets a new one, which nodes that want the same values share.
 */

import { factsId } from '../analysis/interned-facts.ts';
import { type ElementType, elementCount } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Graph, Model, Node } from '../ir/model.ts';
import { renameTensor, type Tensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';
import { knownShape } from '../ops/fold.ts';

export interface ConstantChange {
  /** The nodes that want it, as they were before the rewrite; what they read there has equal facts. */
  readonly nodes: readonly Node[];
  readonly input: number;
  readonly values: readonly number[];
}

/** One input of a node reads another value; `more`: further ones of the same node. */
interface Rewire {
  readonly input: number;
  readonly name: string;
  readonly more: Rewire | undefined;
}

const sameNumbers = (a: readonly unknown[] | undefined, b: readonly number[]): boolean => {
  if (a?.length !== b.length) return false;
  for (let k = 0; k < b.length; k++) if (a[k] !== b[k]) return false;
  return true;
};

/** `graph` is the rewritten graph of `model`, its nodes with the ids they had; returns it with the constants set. */
export function setConstants(
  model: Model,
  graph: Graph,
  facts: ReadonlyMap<string, Facts>,
  changes: readonly ConstantChange[],
): Graph {
  if (changes.length === 0) return graph;
  const index = graphIndex(model.graph);
  const replacedTensors = new Map<string, Tensor>();
  const replacedNodes = new Map<string, Tensor>();
  const added: Tensor[] = [];
  const alike = new Map<string, string>();
  const rewired = new Map<string, Rewire>();
  for (const { nodes, input, values } of changes) {
    const first = nodes[0]?.inputs[input] ?? '';
    const known = first === '' ? undefined : facts.get(first);
    if (sameNumbers(known?.content, values)) continue;
    const type: ElementType = known?.elem ?? 'int64';
    const old = knownShape(known?.shape);
    const dims = old !== undefined && elementCount(old) === values.length ? old : [values.length];
    const wanted = numbersTensor('', type, dims, values);
    let shared: string | undefined;
    for (const node of nodes) {
      const name = node.inputs[input] ?? '';
      const alone = index.uses.get(name)?.length === 1 && !index.outputNames.has(name);
      if (alone && index.initializer.has(name)) replacedTensors.set(name, renameTensor(wanted, name));
      else if (alone && index.producer.get(name)?.op === 'Constant') replacedNodes.set(name, wanted);
      else {
        if (shared === undefined) {
          // What was read before is part of the key, so that which nodes share does not change as a slider moves.
          const key = `${factsId(known)} ${values.join()}`;
          shared = alike.get(key) ?? freshName(model.graph, `${name === '' ? node.id : name}_${added.length}`);
          if (!alike.has(key)) added.push(renameTensor(wanted, shared));
          alike.set(key, shared);
        }
        rewired.set(node.id, { input, name: shared, more: rewired.get(node.id) });
      }
    }
  }
  const listed = model.irVersion < 4;
  return {
    ...graph,
    nodes: graph.nodes.map((n) => {
      const rewire = rewired.size === 0 ? undefined : rewired.get(n.id);
      if (rewire !== undefined) return reading(n, rewire);
      const tensor = n.op === 'Constant' ? replacedNodes.get(n.outputs[0] ?? '') : undefined;
      if (tensor === undefined) return n;
      return { ...n, attributes: [{ name: 'value', kind: 'tensor', value: tensor }] };
    }),
    initializers: [...graph.initializers.map((t) => replacedTensors.get(t.name) ?? t), ...added],
    inputs: listed
      ? [
          ...graph.inputs,
          ...added.map((t) => ({
            name: t.name,
            type: { kind: 'tensor', elem: t.type, shape: t.dims } as const,
          })),
        ]
      : graph.inputs,
  };
}

const lastReading = new WeakMap<Node, Node>();

/** The node with inputs rewired; the very object of the last time where it reads the same, so that caches downstream hit. */
function reading(node: Node, rewire: Rewire): Node {
  const last = lastReading.get(node);
  if (last !== undefined && rewire.more === undefined && last.inputs[rewire.input] === rewire.name) {
    let same = last.inputs.length === Math.max(node.inputs.length, rewire.input + 1);
    for (let k = 0; same && k < last.inputs.length; k++)
      same = k === rewire.input || last.inputs[k] === (node.inputs[k] ?? '');
    if (same) return last;
  }
  const inputs = [...node.inputs];
  for (let at: Rewire | undefined = rewire; at !== undefined; at = at.more) {
    while (inputs.length <= at.input) inputs.push('');
    inputs[at.input] = at.name;
  }
  const made = { ...node, inputs };
  lastReading.set(node, made);
  return made;
}

const names = new WeakMap<Graph, ReadonlySet<string>>();

/** A value name that the graph does not use: `base`, else with a number behind it. */
function freshName(graph: Graph, base: string): string {
  let taken = names.get(graph);
  if (taken === undefined) {
    taken = new Set([
      ...graph.inputs.map((i) => i.name),
      ...graph.initializers.map((t) => t.name),
      ...graph.nodes.flatMap((n) => n.outputs),
      ...graphIndex(graph).uses.keys(),
    ]);
    names.set(graph, taken);
  }
  let name = base;
  for (let k = 1; taken.has(name); k++) name = `${base}_${k}`;
  return name;
}
