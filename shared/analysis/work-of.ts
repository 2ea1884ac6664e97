/** Owns the work of one node: its operator's rule, or what stands inside the local function or subgraphs it runs. */
import { graphIndex } from '../ir/graph-index.ts';
import type { Graph, Node } from '../ir/model.ts';
import { isNone, type OpWork, unknownFacts } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { dependencies, enterCall, enterSubgraph, inputsOf, type Scope, versionOf } from './infer-facts.ts';
import { functionOf } from './local-functions.ts';
import { recall } from './node-memo.ts';

export interface NodeWork {
  /** undefined: no rule, not counted. */
  readonly work: OpWork | undefined;
  /** Operators without a rule met here or inside, by name, once per node. */
  readonly notCounted: readonly string[];
}

/** "domain::Type"; the default domain reads as ai.onnx. */
export const opName = (node: Node): string => `${node.domain === '' ? 'ai.onnx' : node.domain}::${node.op}`;

/** Unknown stays unknown: a null on either side gives null. */
export const plus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

const nothing: readonly string[] = [];

interface Sum {
  readonly macs: number | null;
  readonly otherOps: number | null;
}

function sumOf(graph: Graph, scope: Scope, missing: string[]): Sum {
  let macs: number | null = 0;
  let otherOps: number | null = 0;
  for (const node of graphIndex(graph).order) {
    if (node.outputs.every((o) => o === '' || scope.facts.get(o)?.constant === true)) continue;
    const inner = workOf(node, scope);
    missing.push(...inner.notCounted);
    if (inner.work === undefined) continue;
    macs = plus(macs, inner.work.macs);
    otherOps = plus(otherOps, inner.work.otherOps);
  }
  return { macs, otherOps };
}

const keptMissing = new WeakMap<OpWork, readonly string[]>();

/** The work of a node whose scope has been inferred. */
export function workOf(node: Node, scope: Scope): NodeWork {
  const of = functionOf(scope.model, node);
  const memo = recall(node, dependencies(scope, node), of ?? versionOf(scope, node.domain));
  if (memo?.work !== undefined) return { work: memo.work, notCounted: keptMissing.get(memo.work) ?? nothing };
  const missing: string[] = [];
  const work = of === undefined ? byRule(node, scope, missing) : throughCall(node, scope, missing);
  if (work === undefined) return { work, notCounted: [opName(node)] };
  if (missing.length > 0) keptMissing.set(work, missing);
  if (memo !== undefined) memo.work = work;
  return { work, notCounted: missing };
}

function byRule(node: Node, scope: Scope, missing: string[]): OpWork | undefined {
  const rule = opOf(node)?.work;
  if (rule === undefined || isNone(rule)) return undefined;
  return rule({
    node,
    version: versionOf(scope, node.domain),
    inputs: inputsOf(scope, node),
    outputs: node.outputs.map((o) => scope.facts.get(o) ?? unknownFacts),
    subgraph: (graph, given) => sumOf(graph, enterSubgraph(graph, given, scope), missing),
  });
}

function throughCall(node: Node, scope: Scope, missing: string[]): OpWork | undefined {
  const entered = enterCall(node, scope);
  if (entered === undefined) return undefined;
  return { kernel: 'other', ...sumOf(entered.body, entered.scope, missing) };
}
