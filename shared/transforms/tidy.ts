/** Owns the small tidyings of a graph: equal initializers made one, nodes that do nothing taken out, dead nodes dropped. */
import { Fault } from '../base/fault.ts';
import { attributeOf, intAttr } from '../ir/attribute.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Graph, Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import type { Transformed } from './transform.ts';

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

/** A tensor's bytes; undefined where only the skeleton of the model is here. */
function bytesHere(t: Tensor): Uint8Array | undefined {
  try {
    return t.bytes();
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'no-data') return undefined;
    throw thrown;
  }
}

/**
 * Makes initializers of equal type, shape and bytes one (S09: type, shape and bytes, never a name or a value alone). Reads every
 * tensor's bytes; those that are not here (the screen) are left. Initializers that are inputs or outputs too, or that a subgraph reads, keep their names.
 */
export function dedupInitializers(model: Model): Transformed {
  const { graph } = model;
  const index = graphIndex(graph);
  const fixed = new Set([...graph.inputs, ...graph.outputs].map((v) => v.name));
  const groups = new Map<string, { readonly tensor: Tensor; readonly bytes: Uint8Array }[]>();
  const to = new Map<string, string>();
  for (const t of graph.initializers) {
    if (t.type === 'string' || fixed.has(t.name) || index.uses.get(t.name)?.some((u) => u.input < 0)) continue;
    const key = `${t.type}[${t.dims.join()}]`;
    const group = groups.get(key) ?? [];
    const bytes = bytesHere(t);
    if (bytes === undefined) continue;
    const twin = group.find((g) => same(g.bytes, bytes));
    if (twin !== undefined) to.set(t.name, twin.tensor.name);
    else groups.set(key, [...group, { tensor: t, bytes }]);
  }
  if (to.size === 0) return { model, changes: [] };
  return {
    model: {
      ...model,
      graph: {
        ...graph,
        initializers: graph.initializers.filter((t) => !to.has(t.name)),
        nodes: graph.nodes.map((n) => renamedInputs(n, to)),
      },
    },
    changes: [...to.keys()],
  };
}

const renamedInputs = (n: Node, to: ReadonlyMap<string, string>): Node =>
  n.inputs.some((i) => to.has(i)) ? { ...n, inputs: n.inputs.map((i) => to.get(i) ?? i) } : n;

/** True where the node hands its first input on: Identity, Dropout outside training, a Transpose that moves nothing. */
function doesNothing(graph: Graph, n: Node): boolean {
  if (n.domain !== '' && n.domain !== 'ai.onnx') return false;
  if (n.op === 'Identity') return true;
  if (n.op === 'Dropout') {
    const { uses, outputNames } = graphIndex(graph);
    const mask = n.outputs[1] ?? '';
    const training = (n.inputs[2] ?? '') !== '' || intAttr(n, 'is_test', 1) === 0;
    return !training && (mask === '' || (!uses.has(mask) && !outputNames.has(mask)));
  }
  return n.op === 'Transpose' && attributeOf(n, 'perm', 'ints')?.every((p, i) => Number(p) === i) === true;
}

/** Takes out nodes that only hand a value on. One whose result is a graph output, or is read by a subgraph, stays. */
export function removeIdentity(model: Model): Transformed {
  const { graph } = model;
  const index = graphIndex(graph);
  const to = new Map<string, string>();
  const gone = new Set<string>();
  for (const n of index.order) {
    const out = n.outputs[0] ?? '';
    const x = n.inputs[0] ?? '';
    if (x === '' || index.outputNames.has(out) || !doesNothing(graph, n)) continue;
    if (index.uses.get(out)?.some((u) => u.input < 0)) continue;
    to.set(out, to.get(x) ?? x);
    gone.add(n.id);
  }
  if (gone.size === 0) return { model, changes: [] };
  const nodes = graph.nodes.filter((n) => !gone.has(n.id)).map((n) => renamedInputs(n, to));
  const valueInfos = graph.valueInfos.filter((v) => !to.has(v.name));
  return { model: { ...model, graph: { ...graph, nodes, valueInfos } }, changes: [...gone] };
}

/** Drops nodes and initializers that no output needs. */
export function removeDead(model: Model): Transformed {
  const edit = new GraphEdit(model.graph);
  edit.removeUnused();
  const graph = edit.done();
  const nodes = new Set(graph.nodes);
  const tensors = new Set(graph.initializers);
  const changes = [
    ...model.graph.nodes.filter((n) => !nodes.has(n)).map((n) => n.id),
    ...model.graph.initializers.filter((t) => !tensors.has(t)).map((t) => t.name),
  ];
  return changes.length === 0 ? { model, changes } : { model: { ...model, graph }, changes };
}
