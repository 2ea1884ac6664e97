/**
 * Owns lowerOpset: a model brought to an older ai.onnx opset with every operator's meaning kept, or refused with the node that
 * cannot follow. Per operator and version: adapters in `opset/lower/`, else the form is the old one once newer settings are off.
 */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { graphIndex, outerReads, subgraphs } from '../ir/graph-index.ts';
import { type Graph, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { opOf } from '../ops/index.ts';
import { irOfOpset } from './convert-opset.ts';
import { allNames } from './names.ts';
import { type AdapterContext, refuse } from './opset/context.ts';
import { attributeAdapters } from './opset/lower/inputs-to-attributes.ts';
import { meaningAdaptersBack } from './opset/lower/meaning.ts';
import { withoutNewer } from './opset/lower/older-attributes.ts';
import { olderOperators } from './opset/lower/older-operators.ts';
import { typesGained } from './opset/lower/older-types.ts';
import { type Constants, contextOf, inferred, type Scope, type Work } from './opset/scope.ts';
import { adapterTable, type Walk, walkFunction, walkGraph, withVersion } from './opset/walk.ts';

/** The oldest opset that models are brought down to. */
export const oldestOpset = 7;

const table = adapterTable([attributeAdapters, meaningAdaptersBack, olderOperators]);

/** Refuses values of a type that the operator took only from `version` on. */
function checkTypes(c: AdapterContext, version: number): void {
  const gained = typesGained(c.node.op, version);
  if (gained.length === 0) return;
  // The condition of a Where is no number: what it chooses from is input 1.
  const read = c.node.inputs[c.node.op === 'Where' ? 1 : 0] ?? '';
  for (const value of [read, c.node.outputs[0] ?? '']) {
    const elem = value === '' ? null : c.elem(value);
    if (elem !== null && gained.includes(elem))
      refuse(
        c,
        text(`it takes ${elem} only from opset ${version} on`, `opset ${version}부터만 ${elem}을(를) 받습니다`),
      );
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
    if (since === undefined) refuse(c, text('nothing is known of this operator', '이 연산자를 알지 못합니다'));
    const reference = now.attributes.find((a) => a.kind === 'reference');
    if (reference !== undefined)
      refuse(
        c,
        text(
          `a local function takes ${reference.name} from its caller`,
          `로컬 함수가 호출한 쪽에서 ${reference.name}을(를) 받습니다`,
        ),
      );
    const adapt = table.get(now.op)?.get(v);
    if (adapt === undefined && v === since[0])
      refuse(c, text(`the operator came with opset ${v}`, `opset ${v}에서 생긴 연산자입니다`));
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

const downward: Walk = { node: lowerNode, stays: (from, to) => from <= to, finish: withoutOrphans };

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
  if (to < oldestOpset)
    throw new Fault(
      'unsupported',
      text(
        `opset ${to} is older than ${oldestOpset}, the oldest written`,
        `opset ${to}은(는) 쓸 수 있는 가장 오래된 ${oldestOpset}보다 오래되었습니다`,
      ),
    );
  const taken = allNames(model);
  const initializers = new Set(model.graph.initializers.map((t) => t.name));
  const listed = model.graph.inputs.filter((i) => initializers.has(i.name)).map((i) => i.name);
  const overridable = new Set(model.irVersion >= 4 ? listed : []);
  return {
    ...model,
    irVersion: irFor(model, to),
    opsets: withVersion(model.opsets, to),
    graph: walkGraph(downward, model.graph, { from, to, taken }, inferred(model), { overridable }),
    functions: model.functions.map((f) => walkFunction(downward, f, to, taken)),
  };
}
