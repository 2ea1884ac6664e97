/**
 * Owns setConstants: new values for small integer constants that nodes read (Reshape target, Split sizes). A constant
 * that others read too is left to them; the node gets a copy of its own.
 */
import type { ElementType } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Graph, Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';

export interface ConstantChange {
  /** The node as it was before the rewrite. */
  readonly node: Node;
  readonly input: number;
  readonly values: readonly number[];
}

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
  const rewired = new Map<string, Map<number, string>>();
  for (const change of changes) {
    const name = change.node.inputs[change.input] ?? '';
    const known = name === '' ? undefined : facts.get(name);
    const now = known?.content;
    if (now !== undefined && now.length === change.values.length && now.every((v, i) => v === change.values[i]))
      continue;
    const type: ElementType = known?.elem ?? 'int64';
    const old = known?.shape?.map((d) => (typeof d === 'number' ? d : 0));
    const dims =
      old !== undefined && old.reduce((a, b) => a * b, 1) === change.values.length ? old : [change.values.length];
    const tensor = numbersTensor(name, type, dims, change.values);
    const alone = (index.uses.get(name) ?? []).length === 1 && !index.outputNames.has(name);
    if (alone && index.initializer.has(name)) replacedTensors.set(name, tensor);
    else if (alone && index.producer.get(name)?.op === 'Constant') replacedNodes.set(name, tensor);
    else {
      const own = freshName(model.graph, `${name === '' ? change.node.id : name}_${added.length}`);
      added.push({ ...tensor, name: own });
      const of = rewired.get(change.node.id) ?? new Map<number, string>();
      rewired.set(change.node.id, of.set(change.input, own));
    }
  }
  const listed = model.irVersion < 4;
  return {
    ...graph,
    nodes: graph.nodes.map((n) => {
      const inputs = rewired.size === 0 ? undefined : rewired.get(n.id);
      if (inputs !== undefined) {
        const length = Math.max(n.inputs.length, ...[...inputs.keys()].map((k) => k + 1));
        return { ...n, inputs: Array.from({ length }, (_, k) => inputs.get(k) ?? n.inputs[k] ?? '') };
      }
      const tensor = n.op === 'Constant' ? replacedNodes.get(n.outputs[0] ?? '') : undefined;
      if (tensor === undefined) return n;
      return { ...n, attributes: [{ name: 'value', kind: 'tensor', value: { ...tensor, name: '' } }] };
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
