/**
 * Owns convertOpset: a model raised to a newer ai.onnx opset with every operator's meaning kept. One adapter per operator and
 * version stands in `opset/`; a node walks through those between the two versions, and so does what an adapter put in.
 */
import { Fault } from '../base/fault.ts';
import { attr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { type Attribute, type Graph, type LocalFunction, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { allNames } from './names.ts';
import { inputAdapters } from './opset/attributes-to-inputs.ts';
import type { Adapt, Adapters } from './opset/context.ts';
import { legacyAdapters } from './opset/legacy.ts';
import { meaningAdapters } from './opset/meaning.ts';
import {
  type Constants,
  constantsOf,
  contextOf,
  inferred,
  nothingKnown,
  type Scope,
  scopeOf,
  type Work,
} from './opset/scope.ts';

/** The newest opset that has adapters up to it (22 to 25 change no operator's meaning, only types and new operators). */
export const newestOpset = 25;

/** ir_version that came with an opset (onnx/docs/Versioning.md). */
export const irOfOpset = [3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 10, 10, 11, 12, 13];

const table: ReadonlyMap<string, ReadonlyMap<number, Adapt>> = (() => {
  const out = new Map<string, Map<number, Adapt>>();
  for (const adapters of [legacyAdapters, inputAdapters, meaningAdapters] satisfies Adapters[])
    for (const [op, byVersion] of Object.entries(adapters)) {
      const of = out.get(op) ?? new Map<number, Adapt>();
      for (const [v, adapt] of Object.entries(byVersion)) of.set(Number(v), adapt);
      out.set(op, of);
    }
  return out;
})();

/** A node brought from version `from` on to `to`; most come back as they are. */
function convertNode(node: Node, from: number, work: Work, scope: Scope, constants: Constants): readonly Node[] {
  const adapters = node.domain === '' || node.domain === 'ai.onnx' ? table.get(node.op) : undefined;
  if (adapters === undefined) return [node];
  let now = node;
  for (let v = from + 1; v <= work.to; v++) {
    const adapt = adapters.get(v);
    if (adapt === undefined) continue;
    const reference = now.attributes.find((a) => a.kind === 'reference');
    if (reference !== undefined)
      throw new Fault('unsupported', `${now.op} of a local function takes ${reference.name} from its caller`, {
        where: now.id,
      });
    const out = adapt(contextOf(now, v, work, scope, constants));
    const only = out.length === 1 ? out[0] : undefined;
    if (only === undefined || only.op !== now.op) return out.flatMap((n) => convertNode(n, v, work, scope, constants));
    now = only;
  }
  return [now];
}

function convertSubgraphs(node: Node, work: Work, scope: Scope): Node {
  if (!node.attributes.some((a) => a.kind === 'graph' || a.kind === 'graphs')) return node;
  const attributes = node.attributes.map((a): Attribute => {
    if (a.kind === 'graph') return { ...a, value: convertGraph(a.value, work, scope) };
    if (a.kind === 'graphs') return { ...a, value: a.value.map((g) => convertGraph(g, work, scope)) };
    return a;
  });
  return { ...node, attributes };
}

function convertGraph(graph: Graph, work: Work, outer: Scope, main = false): Graph {
  const scope = scopeOf(graph, outer, main);
  const constants = constantsOf(work.taken);
  const nodes = graph.nodes.flatMap((n) => {
    const inside = convertSubgraphs(n, work, scope);
    return convertNode(inside, work.from, work, scope, constants);
  });
  if (nodes.length === graph.nodes.length && nodes.every((n, i) => n === graph.nodes[i])) return graph;
  return { ...graph, nodes, initializers: [...graph.initializers, ...constants.made.values()] };
}

function convertFunction(f: LocalFunction, to: number, taken: Set<string>): LocalFunction {
  const from = opsetVersion(f);
  if (from === undefined || from >= to) return f;
  const constants = constantsOf(taken);
  const work = { from, to, taken };
  const nodes = f.nodes.flatMap((n) =>
    convertNode(convertSubgraphs(n, work, nothingKnown), from, work, nothingKnown, constants),
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
  return { ...f, nodes: [...held, ...nodes], opsets: raised(f.opsets, to) };
}

const raised = (opsets: Model['opsets'], to: number): Model['opsets'] =>
  opsets.map((o) => (o.domain === '' || o.domain === 'ai.onnx' ? { ...o, version: to } : o));

/**
 * The model at opset `to` of ai.onnx (at most 25), subgraphs and local functions with it; the same object where it is there
 * already. Also raises ir_version to what that opset came with; an IR 3 file's initializers leave its inputs then, because
 * before IR 4 they could not be overridden. Faults: `unsupported`, naming the node, where a meaning cannot be kept.
 */
export function convertOpset(model: Model, to: number): Model {
  const from = opsetVersion(model);
  if (from === undefined || from >= to) return model;
  if (to > newestOpset) throw new Fault('unsupported', `opset ${to} is newer than ${newestOpset}, the newest known`);
  const taken = allNames(model);
  const graph = convertGraph(model.graph, { from, to, taken }, inferred(model), true);
  const irVersion = Math.max(model.irVersion, irOfOpset[to] ?? 13);
  return {
    ...model,
    irVersion,
    opsets: raised(model.opsets, to),
    graph: model.irVersion < 4 && irVersion >= 4 ? constantInitializers(graph) : graph,
    functions: model.functions.map((f) => convertFunction(f, to, taken)),
  };
}

function constantInitializers(graph: Graph): Graph {
  const { requiredInputs } = graphIndex(graph);
  return requiredInputs.length === graph.inputs.length ? graph : { ...graph, inputs: requiredInputs };
}
