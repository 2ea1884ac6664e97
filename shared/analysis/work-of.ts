/** Owns the work of one node: its operator's rule, or what stands inside the local function or subgraphs it runs. */
import type { Graph, Node } from '../ir/model.ts';
import { subgraphs } from '../ir/subgraphs.ts';
import { isNone, type OpWork, unknownFacts, type WorkContext } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { type ParameterUse, parametersOf, throughCall } from './count-parameters.ts';
import { enterCall, enterSubgraph, inputsAt, type Scope, versionOf } from './infer-facts.ts';
import { functionOf } from './local-functions.ts';

export interface NodeWork {
  /** undefined: no rule, not counted. */
  readonly work: OpWork | undefined;
  /** Operators without a rule met here or inside, by name, once per node. */
  readonly notCounted: readonly string[];
  /** Parameters that nodes inside read (subgraphs, local functions). */
  readonly inside: readonly ParameterUse[];
}

/** What was met on the way through a node's inside. */
interface Met {
  readonly notCounted: string[];
  readonly inside: ParameterUse[];
}

/** "domain::Type"; the default domain reads as ai.onnx. */
export const opName = (node: Node): string => `${node.domain === '' ? 'ai.onnx' : node.domain}::${node.op}`;

/** Unknown stays unknown: a null on either side gives null. */
export const plus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

interface Sum {
  readonly macs: number | null;
  readonly otherOps: number | null;
}

function sumOf(graph: Graph, scope: Scope, met: Met): Sum {
  let macs: number | null = 0;
  let otherOps: number | null = 0;
  for (const at of scope.wiring.order) {
    const node = graph.nodes[at];
    if (node === undefined) continue;
    if (node.outputs.every((o) => o === '' || scope.facts.get(o)?.constant === true)) continue;
    const inner = workOf(node, at, scope);
    met.notCounted.push(...inner.notCounted);
    met.inside.push(...parametersOf(node, scope), ...inner.inside);
    if (inner.work === undefined) continue;
    macs = plus(macs, inner.work.macs);
    otherOps = plus(otherOps, inner.work.otherOps);
  }
  return { macs, otherOps };
}

const none: Met = { notCounted: [], inside: [] };
const kept = new WeakMap<OpWork, Met>();

/** The work of the node at a position of a graph whose scope has been inferred. */
export function workOf(node: Node, at: number, scope: Scope): NodeWork {
  const memo = scope.met[at];
  if (memo?.work !== undefined) return { work: memo.work, ...(kept.get(memo.work) ?? none) };
  const of = functionOf(scope.model, node);
  const met: Met = { notCounted: [], inside: [] };
  const work = of === undefined ? byRule(node, at, scope, met) : ofCall(node, scope, met);
  if (work === undefined) return { work, notCounted: [opName(node)], inside: [] };
  if (met.notCounted.length > 0 || met.inside.length > 0) kept.set(work, met);
  if (memo !== undefined) memo.work = work;
  return { work, ...met };
}

function byRule(node: Node, at: number, scope: Scope, met: Met): OpWork | undefined {
  const rule = opOf(node)?.work;
  if (rule === undefined || isNone(rule)) return undefined;
  return rule({
    node,
    version: versionOf(scope, node.domain),
    inputs: inputsAt(scope, at, node),
    outputs: scope.met[at]?.outputs ?? node.outputs.map((o) => scope.facts.get(o) ?? unknownFacts),
    subgraph: subgraphs(node).length > 0 ? insideOf(scope, met) : noInside,
  });
}

type Inside = WorkContext['subgraph'];

const noInside: Inside = () => ({ macs: 0, otherOps: 0 });

const insideOf =
  (scope: Scope, met: Met): Inside =>
  (graph, given) =>
    sumOf(graph, enterSubgraph(graph, given, scope), met);

function ofCall(node: Node, scope: Scope, met: Met): OpWork | undefined {
  const entered = enterCall(node, scope);
  if (entered === undefined) return undefined;
  const within: Met = { notCounted: met.notCounted, inside: [] };
  const sum = sumOf(entered.body, entered.scope, within);
  met.inside.push(...throughCall(node, entered.body, within.inside, scope));
  return { kernel: 'other', ...sum };
}
