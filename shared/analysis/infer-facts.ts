/**
 * Owns inferFacts: shape, type, small content and constancy of every value, by each operator's rule, in graph order.
 * Memoised per node, so a run after an edit costs what the edit reached.
 */
import { Fault, faultMessage, toFault } from '../base/fault.ts';
import { both } from '../base/text.ts';
import { type Graph, type Model, type Node, opsetVersion, type ValueInfo } from '../ir/model.ts';
import { subgraphs } from '../ir/subgraphs.ts';
import { requiredInputs, type Wiring, wiringOf } from '../ir/wiring.ts';
import { type Facts, type InferContext, isNone, unknownFacts } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { FactsTable } from './facts-table.ts';
import type { ShapeChoice } from './figures.ts';
import { factsId, interned } from './interned-facts.ts';
import { bodyOf, functionOf } from './local-functions.ts';
import { memoOf, type NodeMemo, type Remembered } from './node-memo.ts';
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
  readonly wiring: Wiring;
  readonly facts: FactsTable;
  /** Room for the numbers of the facts that one node meets. */
  readonly numbers: Int32Array;
  readonly symbols: Symbols;
  readonly depth: number;
  /** What inference met at each position of `graph.nodes`, so that asking for the work need not look it up again. */
  readonly met: (Remembered | undefined)[];
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

const unknownId = factsId(unknownFacts);

const roomFor = (wiring: Wiring): Int32Array => new Int32Array(wiring.mostInputs);

const factsOf = (scope: Scope, name: string): Facts | undefined =>
  name === '' ? undefined : (scope.facts.get(name) ?? unknownFacts);

/** Facts of the inputs of the node at a position, an omitted one undefined. */
export function inputsAt(scope: Scope, at: number, node: Node): readonly (Facts | undefined)[] {
  const { wiring, facts } = scope;
  const start = wiring.inputStart[at] ?? 0;
  const inputs = new Array<Facts | undefined>(node.inputs.length);
  for (let k = 0; k < inputs.length; k++) {
    const id = wiring.inputs[start + k] ?? -1;
    inputs[k] = id < 0 ? undefined : (facts.at(id) ?? unknownFacts);
  }
  return inputs;
}

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
  const { wiring, facts } = scope;
  const memo = memoOf(wiring);
  graph.initializers.forEach((t, k) => {
    facts.put(wiring.initializers[k] ?? 0, tensorSource(t));
  });
  graph.sparseInitializers.forEach((t, k) => {
    facts.put(wiring.sparse[k] ?? 0, sparseSource(t));
  });
  let declared: ReadonlyMap<string, ValueInfo> | undefined;
  for (let k = 0; k < wiring.order.length; k++) {
    const at = wiring.order[k] ?? 0;
    const node = graph.nodes[at];
    if (node === undefined) continue;
    const entry = inferNode(node, at, scope, memo);
    const first = wiring.outputStart[at] ?? 0;
    for (let o = first; o < (wiring.outputStart[at + 1] ?? 0); o++) {
      const id = wiring.outputs[o] ?? -1;
      if (id < 0) continue;
      const found = entry.outputs[o - first] ?? unknownFacts;
      if (found.other === undefined && (found.elem === null || found.shape === null)) {
        declared ??= declaredTypes(graph);
        facts.put(id, interned(orDeclared(found, declared.get(wiring.names[id] ?? ''), scope.symbols)));
      } else facts.put(id, found, entry.numbers[o - first] ?? unknownId);
    }
  }
}

function inferNode(node: Node, at: number, scope: Scope, memo: NodeMemo): Remembered {
  const { wiring, facts, numbers } = scope;
  // Everything the result depends on: the inputs, then what its subgraphs read from around.
  const start = wiring.inputStart[at] ?? 0;
  const count = (wiring.inputStart[at + 1] ?? 0) - start;
  for (let k = 0; k < count; k++) {
    const id = wiring.inputs[start + k] ?? -1;
    numbers[k] = id < 0 ? 0 : facts.numberAt(id) || unknownId;
  }
  const of = functionOf(scope.model, node);
  const within = of ?? versionOf(scope, node.domain);
  let entry = memo.recall(at, node, numbers, within);
  if (entry === undefined) {
    const outputs = of === undefined ? byRule(node, inputsAt(scope, at, node), scope) : throughCall(node, scope);
    entry = memo.remember(at, node, numbers, within, outputs.map(interned));
  }
  scope.met[at] = entry;
  return entry;
}

type Inside = InferContext['subgraph'];

/** For the nodes that hold no graph, which are nearly all: a closure each is a cost that a slider feels. */
const noInside: Inside = () => [];

const insideOf =
  (scope: Scope): Inside =>
  (graph, given) => {
    const inner = enterSubgraph(graph, given, scope);
    return graph.outputs.map((o) => inner.facts.get(o.name) ?? unknownFacts);
  };

function byRule(node: Node, inputs: readonly (Facts | undefined)[], scope: Scope): readonly Facts[] {
  const rule = opOf(node)?.infer;
  if (rule === undefined || isNone(rule)) {
    const constant = inputs.length > 0 && inputs.every((i) => i === undefined || i.constant);
    return node.outputs.map(() => (constant ? { ...unknownFacts, constant } : unknownFacts));
  }
  try {
    return rule({
      node,
      version: versionOf(scope, node.domain),
      inputs,
      subgraph: subgraphs(node).length > 0 ? insideOf(scope) : noInside,
    });
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.where !== undefined) throw thrown;
    const fault = toFault(thrown);
    const message = both((say) => `${node.op}: ${say(faultMessage(fault))}`);
    throw new Fault(fault.code, message, {
      where: node.id,
      cause: thrown,
    });
  }
}

/** A subgraph inferred with these facts for its inputs, on top of the values around it. */
export function enterSubgraph(graph: Graph, given: readonly Facts[], outer: Scope): Scope {
  const wiring = wiringOf(graph);
  const facts = new FactsTable(wiring, outer.facts);
  const scope: Scope = { ...outer, graph, wiring, outer, facts, numbers: roomFor(wiring), met: [] };
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
  const wiring = wiringOf(body);
  const facts = new FactsTable(wiring);
  of.inputs.forEach((name, k) => {
    const given = factsOf(outer, node.inputs[k] ?? '');
    if (given !== undefined) facts.set(name, given);
  });
  const scope: Scope = {
    model: outer.model,
    graph: body,
    opsets: of.opsets,
    wiring,
    facts,
    numbers: roomFor(wiring),
    symbols: new Map(),
    depth: outer.depth + 1,
    met: [],
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
  const given = chosenInputs(requiredInputs(model.graph), choice.inputs, more.batch);
  const { graph, opsets } = model;
  const wiring = wiringOf(graph);
  const facts = new FactsTable(wiring);
  for (const [name, known] of given.facts) facts.set(name, known);
  const numbers = roomFor(wiring);
  const scope: Scope = { model, graph, opsets, wiring, facts, numbers, symbols: given.symbols, depth: 0, met: [] };
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
