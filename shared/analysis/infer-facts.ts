/**
 * Owns inferFacts: shape, type, small content and constancy of every value, by each operator's rule, in graph order.
 * Memoised per node, so a run after an edit costs what the edit reached.
 */
import { Fault } from '../base/fault.ts';
import { graphIndex, outerReads, subgraphs } from '../ir/graph-index.ts';
import { type Graph, type Model, type Node, opsetVersion, type ValueInfo } from '../ir/model.ts';
import { type Facts, isNone, unknownFacts } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import type { ShapeChoice } from './figures.ts';
import { interned } from './interned-facts.ts';
import { bodyOf, functionOf } from './local-functions.ts';
import { type Remembered, remembered } from './node-memo.ts';
import { chosenInputs, type Symbols, sparseSource, tensorSource, typeFacts, withSymbols } from './source-facts.ts';

/** Functions may call functions; a file in which they call themselves ends here, with unknown facts. */
const callDepth = 32;

/** Where a graph stands: its model, the operator sets in force, the values around it. */
export interface Scope {
  readonly model: Model;
  readonly graph: Graph;
  /** The scope that a subgraph reads from; undefined for the main graph and for a function's body. */
  readonly outer?: Scope;
  readonly opsets: Model['opsets'];
  readonly facts: Map<string, Facts>;
  readonly symbols: Symbols;
  readonly depth: number;
  /** What inference met for each node of this scope, so that asking for the work need not look it up again. */
  readonly met: Map<Node, Remembered>;
}

/** Version of a domain in force here; 1 where the file forgot to import it. */
export function versionOf(scope: Scope, domain: string): number {
  let known = versions.get(scope.opsets);
  if (known === undefined) {
    known = new Map();
    versions.set(scope.opsets, known);
  }
  let version = known.get(domain);
  if (version === undefined) {
    version = opsetVersion(scope, domain === 'ai.onnx' ? '' : domain) ?? 1;
    known.set(domain, version);
  }
  return version;
}
const versions = new WeakMap<Model['opsets'], Map<string, number>>();

const factsOf = (scope: Scope, name: string): Facts | undefined =>
  name === '' ? undefined : (scope.facts.get(name) ?? unknownFacts);

/** Facts of the inputs of a node, an omitted one undefined. */
export const inputsOf = (scope: Scope, node: Node): readonly (Facts | undefined)[] =>
  node.inputs.map((name) => factsOf(scope, name));

/** Declared types, for values that rules know nothing of. */
function declaredTypes(graph: Graph): ReadonlyMap<string, ValueInfo> {
  return new Map([...graph.valueInfos, ...graph.outputs].map((v) => [v.name, v]));
}

function orDeclared(found: Facts, declared: ValueInfo | undefined, symbols: Symbols): Facts {
  if (declared === undefined || found.other !== undefined) return found;
  if (found.elem !== null && found.shape !== null) return found;
  const said = typeFacts(declared.type);
  if (said.other !== undefined) return found.elem === null && found.shape === null ? said : found;
  if (said.elem === null && said.shape === null) return found;
  return {
    ...found,
    elem: found.elem ?? said.elem,
    shape: found.shape ?? (said.shape === null ? null : withSymbols(said.shape, symbols)),
  };
}

/** Infers every node of `graph` into `scope.facts`, which holds the graph's inputs and what stands around it. */
export function inferGraph(graph: Graph, scope: Scope): void {
  for (const t of graph.initializers) scope.facts.set(t.name, tensorSource(t));
  for (const t of graph.sparseInitializers) scope.facts.set(t.values.name, sparseSource(t));
  let declared: ReadonlyMap<string, ValueInfo> | undefined;
  for (const node of graphIndex(graph).order) {
    const outputs = inferNode(node, scope);
    for (let k = 0; k < node.outputs.length; k++) {
      const name = node.outputs[k];
      if (name === undefined || name === '') continue;
      const found = outputs[k] ?? unknownFacts;
      if (found.other === undefined && (found.elem === null || found.shape === null)) {
        declared ??= declaredTypes(graph);
        scope.facts.set(name, interned(orDeclared(found, declared.get(name), scope.symbols)));
      } else scope.facts.set(name, found);
    }
  }
}

/** Everything a node's result depends on: its inputs, then what its subgraphs read from around. */
export function dependencies(scope: Scope, node: Node): readonly (Facts | undefined)[] {
  const inputs = inputsOf(scope, node);
  const inner = subgraphs(node);
  if (inner.length === 0) return inputs;
  return [...inputs, ...inner.flatMap((g) => [...outerReads(g)].map((name) => factsOf(scope, name)))];
}

function inferNode(node: Node, scope: Scope): readonly Facts[] {
  const inputs = dependencies(scope, node);
  const of = functionOf(scope.model, node);
  const within = of ?? versionOf(scope, node.domain);
  const entry = remembered(node, inputs, within, () =>
    (of === undefined ? byRule(node, scope) : throughCall(node, scope)).map(interned),
  );
  scope.met.set(node, entry);
  return entry.outputs;
}

function byRule(node: Node, scope: Scope): readonly Facts[] {
  const rule = opOf(node)?.infer;
  const inputs = inputsOf(scope, node);
  if (rule === undefined || isNone(rule)) {
    const constant = inputs.length > 0 && inputs.every((i) => i === undefined || i.constant);
    return node.outputs.map(() => (constant ? { ...unknownFacts, constant } : unknownFacts));
  }
  try {
    return rule({
      node,
      version: versionOf(scope, node.domain),
      inputs,
      subgraph: (graph, given) => {
        const inner = enterSubgraph(graph, given, scope);
        return graph.outputs.map((o) => inner.facts.get(o.name) ?? unknownFacts);
      },
    });
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.where !== undefined) throw thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Fault(thrown instanceof Fault ? thrown.code : 'internal', `${node.op}: ${message}`, {
      where: node.id,
      cause: thrown,
    });
  }
}

/** A subgraph inferred with these facts for its inputs, on top of the values around it. */
export function enterSubgraph(graph: Graph, given: readonly Facts[], outer: Scope): Scope {
  const scope: Scope = { ...outer, graph, outer, facts: new Map(outer.facts), met: new Map() };
  graph.inputs.forEach((input, k) => {
    scope.facts.set(input.name, interned(orDeclared(given[k] ?? unknownFacts, input, outer.symbols)));
  });
  inferGraph(graph, scope);
  return scope;
}

/** The body of the local function that a node calls, inferred with the call's facts; undefined beyond the depth. */
export function enterCall(node: Node, outer: Scope): { readonly body: Graph; readonly scope: Scope } | undefined {
  const of = functionOf(outer.model, node);
  if (of === undefined || outer.depth >= callDepth) return undefined;
  const body = bodyOf(node, of);
  const facts = new Map<string, Facts>();
  of.inputs.forEach((name, k) => {
    const given = factsOf(outer, node.inputs[k] ?? '');
    if (given !== undefined) facts.set(name, given);
  });
  const scope: Scope = {
    model: outer.model,
    graph: body,
    opsets: of.opsets,
    facts,
    symbols: new Map(),
    depth: outer.depth + 1,
    met: new Map(),
  };
  inferGraph(body, scope);
  return { body, scope };
}

function throughCall(node: Node, outer: Scope): readonly Facts[] {
  const entered = enterCall(node, outer);
  if (entered === undefined) return node.outputs.map(() => unknownFacts);
  return entered.body.outputs.map((o) => entered.scope.facts.get(o.name) ?? unknownFacts);
}

/** The main graph's scope, inferred. */
export function inferScope(
  model: Model,
  choice: ShapeChoice = { inputs: {} },
  more: { readonly batch?: number } = {},
): Scope {
  const { facts, symbols } = chosenInputs(model.graph.inputs, choice.inputs, more.batch);
  const scope: Scope = { model, graph: model.graph, opsets: model.opsets, facts, symbols, depth: 0, met: new Map() };
  inferGraph(model.graph, scope);
  return scope;
}

/**
 * What is known of every value of the main graph, by name. Symbols stay symbolic unless `choice` sets an input's shape;
 * a symbol set there is set everywhere. A value that no rule knows has what the file declares, or unknown facts.
 * Faults: `bad-graph` (a node contradicts its operator, a cycle), `bad-input` (a choice that does not fit).
 */
export function inferFacts(model: Model, choice?: ShapeChoice): ReadonlyMap<string, Facts> {
  const key = JSON.stringify(choice?.inputs ?? {});
  const known = inferred.get(model);
  if (known?.key === key) return known.facts;
  const { facts } = inferScope(model, choice);
  inferred.set(model, { key, facts });
  return facts;
}

/** The last answer per model: what builds on facts (channel groups) is remembered by this very map. */
const inferred = new WeakMap<Model, { readonly key: string; readonly facts: ReadonlyMap<string, Facts> }>();
