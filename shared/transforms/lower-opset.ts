/**
 * Owns lowerOpset: a model brought to an older ai.onnx opset with every operator's meaning kept, or refused with the node that
 * cannot follow. Per operator and version: adapters in `opset/lower/`, else the form is the old one once newer settings are off.
 */
import { Fault } from '../base/fault.ts';
import { attr } from '../ir/attribute.ts';
import { graphIndex, outerReads, subgraphs } from '../ir/graph-index.ts';
import { type Attribute, type Graph, type LocalFunction, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { opOf } from '../ops/index.ts';
import { irOfOpset } from './convert-opset.ts';
import { allNames } from './names.ts';
import { type Adapt, type AdapterContext, type Adapters, refuse } from './opset/context.ts';
import { attributeAdapters } from './opset/lower/inputs-to-attributes.ts';
import { meaningAdaptersBack } from './opset/lower/meaning.ts';
import { withoutNewer } from './opset/lower/older-attributes.ts';
import { olderOperators } from './opset/lower/older-operators.ts';
import { typesGained } from './opset/lower/older-types.ts';
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

/** The oldest opset that models are brought down to. */
export const oldestOpset = 7;

const table: ReadonlyMap<string, ReadonlyMap<number, Adapt>> = (() => {
  const out = new Map<string, Map<number, Adapt>>();
  for (const adapters of [attributeAdapters, meaningAdaptersBack, olderOperators] satisfies Adapters[])
    for (const [op, byVersion] of Object.entries(adapters)) {
      const of = out.get(op) ?? new Map<number, Adapt>();
      for (const [v, adapt] of Object.entries(byVersion)) of.set(Number(v), adapt);
      out.set(op, of);
    }
  return out;
})();

/** Refuses values of a type that the operator took only from `version` on. */
function checkTypes(c: AdapterContext, version: number): void {
  const gained = typesGained(c.node.op, version);
  if (gained.length === 0) return;
  // The condition of a Where is no number: what it chooses from is input 1.
  const read = c.node.inputs[c.node.op === 'Where' ? 1 : 0] ?? '';
  for (const value of [read, c.node.outputs[0] ?? '']) {
    const elem = value === '' ? null : c.elem(value);
    if (elem !== null && gained.includes(elem)) refuse(c, `it takes ${elem} only from opset ${version} on`);
  }
}

/** A node of version `from` brought down to `to`, and with it what an adapter put in its place. */
function lowerNode(node: Node, from: number, work: Work, scope: Scope, constants: Constants): readonly Node[] {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return [node];
  const since = opOf({ op: node.op, domain: '' })?.since;
  let now = node;
  for (let v = from; v > work.to; v--) {
    if (since !== undefined && !since.includes(v)) continue;
    const c = contextOf(now, v - 1, work, scope, constants);
    if (since === undefined) refuse(c, 'nothing is known of this operator');
    const reference = now.attributes.find((a) => a.kind === 'reference');
    if (reference !== undefined) refuse(c, `a local function takes ${reference.name} from its caller`);
    const adapt = table.get(now.op)?.get(v);
    if (adapt === undefined && v === since[0]) refuse(c, `the operator came with opset ${v}`);
    if (v !== since[0]) checkTypes(c, v);
    const old = withoutNewer(c, v);
    const out = adapt?.({ ...c, node: old }) ?? [old];
    const only = out.length === 1 ? out[0] : undefined;
    if (only === undefined || only.op !== now.op)
      return out.flatMap((n) => lowerNode(n, v - 1, work, scope, constants));
    now = only;
  }
  return [now];
}

function lowerInside(node: Node, work: Work, scope: Scope): Node {
  if (!node.attributes.some((a) => a.kind === 'graph' || a.kind === 'graphs')) return node;
  const attributes = node.attributes.map((a): Attribute => {
    if (a.kind === 'graph') return { ...a, value: lowerGraph(a.value, work, scope) };
    if (a.kind === 'graphs') return { ...a, value: a.value.map((g) => lowerGraph(g, work, scope)) };
    return a;
  });
  return { ...node, attributes };
}

interface MainGraph {
  readonly overridable: ReadonlySet<string>;
}

function lowerGraph(graph: Graph, work: Work, outer: Scope, main?: MainGraph): Graph {
  const scope = scopeOf(graph, outer, main !== undefined, main?.overridable);
  const constants = constantsOf(work.taken);
  const nodes = graph.nodes.flatMap((n) => lowerNode(lowerInside(n, work, scope), work.from, work, scope, constants));
  if (nodes.length === graph.nodes.length && nodes.every((n, i) => n === graph.nodes[i])) return graph;
  const lowered = { ...graph, nodes, initializers: [...graph.initializers, ...constants.made.values()] };
  return withoutOrphans(lowered, graph);
}

/** What the outputs of a graph are computed from: value names. */
function reached(graph: Graph): ReadonlySet<string> {
  const { producer } = graphIndex(graph);
  const seen = new Set<string>();
  const queue = graph.outputs.map((o) => o.name);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (name === '' || seen.has(name)) continue;
    seen.add(name);
    const node = producer.get(name);
    if (node === undefined) continue;
    queue.push(...node.inputs);
    for (const inner of subgraphs(node)) queue.push(...outerReads(inner));
  }
  return seen;
}

/** Without the constants, and the nodes behind them, that only the newer form read. */
function withoutOrphans(lowered: Graph, before: Graph): Graph {
  const was = reached(before);
  const is = reached(lowered);
  const inputs = new Set(lowered.inputs.map((i) => i.name));
  const orphan = (name: string): boolean => was.has(name) && !is.has(name) && !inputs.has(name);
  const nodes = lowered.nodes.filter(
    (n) => n.outputs.some((o) => o !== '' && !orphan(o)) || n.outputs.every((o) => o === ''),
  );
  return {
    ...lowered,
    nodes,
    initializers: lowered.initializers.filter((t) => !orphan(t.name)),
    valueInfos: lowered.valueInfos.filter((v) => !orphan(v.name)),
  };
}

function lowerFunction(f: LocalFunction, to: number, taken: Set<string>): LocalFunction {
  const from = opsetVersion(f);
  if (from === undefined || from <= to) return f;
  const constants = constantsOf(taken);
  const work = { from, to, taken };
  const nodes = f.nodes.flatMap((n) =>
    lowerNode(lowerInside(n, work, nothingKnown), from, work, nothingKnown, constants),
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
  return { ...f, nodes: [...held, ...nodes], opsets: at(f.opsets, to) };
}

const at = (opsets: Model['opsets'], to: number): Model['opsets'] =>
  opsets.map((o) => (o.domain === '' || o.domain === 'ai.onnx' ? { ...o, version: to } : o));

/**
 * The ir_version that came with the opset, for readers that know no newer one; at least 4, since which initializers need not be
 * inputs, and 8 where there are local functions.
 */
function irFor(model: Model, to: number): number {
  const least = model.functions.length > 0 ? 8 : 4;
  return Math.min(model.irVersion, Math.max(least, irOfOpset[to] ?? least));
}

/**
 * The model at opset `to` of ai.onnx (at least 7), subgraphs and local functions with it; the same object where it is not above
 * it. Faults: `unsupported`, naming the node, where an operator has no older form with the same meaning.
 */
export function lowerOpset(model: Model, to: number): Model {
  const from = opsetVersion(model);
  if (from === undefined || from <= to) return model;
  if (to < oldestOpset) throw new Fault('unsupported', `opset ${to} is older than ${oldestOpset}, the oldest written`);
  const taken = allNames(model);
  const initializers = new Set(model.graph.initializers.map((t) => t.name));
  const listed = model.graph.inputs.filter((i) => initializers.has(i.name)).map((i) => i.name);
  const overridable = new Set(model.irVersion >= 4 ? listed : []);
  return {
    ...model,
    irVersion: irFor(model, to),
    opsets: at(model.opsets, to),
    graph: lowerGraph(model.graph, { from, to, taken }, inferred(model), { overridable }),
    functions: model.functions.map((f) => lowerFunction(f, to, taken)),
  };
}
