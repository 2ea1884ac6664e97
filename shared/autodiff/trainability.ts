/**
 * Owns trainability: which layers of a model can learn and which cannot, and why, asked before a job starts. Emits nothing and
 * reads no weights; a rule is only tried on the shapes that are known.
 */
import { Fault, faultMessage } from '../base/fault.ts';
import { type Said, type Text, text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { type Model, type Node, opsetVersion } from '../ir/model.ts';
import { type Facts, type GradientContext, isNone, unknownFacts } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { carries, gradientOpset, reached } from './backward.ts';
import { trainableBehind } from './parameters.ts';

/** Why a rule refused, without the operator that the fault names. */
const ownReason = (fault: Fault): Text => {
  const { en, ko } = faultMessage(fault);
  return text(en.replace(/^.*has no gradient: /, ''), ko.replace(/^.*기울기가 없습니다: /, ''));
};

/** Where the way from a layer to the output ends. */
export interface Stop {
  /** Id of the node without a gradient; undefined: no gradient of the output reaches the layer. */
  readonly node?: string;
  readonly op?: string;
  readonly reason: Said;
}

export interface LayerTrainability {
  readonly id: string;
  /** undefined: it trains. */
  readonly stop?: Stop;
}

/** Unknown sizes stand as ones: whether a rule exists does not hang on them. */
const sized = (f: Facts | undefined): Facts | undefined =>
  f === undefined || f.shape === null || f.shape.every((d) => typeof d === 'number')
    ? f
    : { ...f, shape: f.shape.map((d) => (typeof d === 'number' ? d : 1)) };

/** A context that emits nothing. */
function dryContext(
  node: Node,
  facts: ReadonlyMap<string, Facts>,
  opset: number,
  leads: ReadonlySet<string>,
  wanted: ReadonlySet<string>,
): GradientContext {
  const name = (): string => '~';
  return {
    node,
    version: opset,
    opset,
    inputs: node.inputs.map((i) => (i === '' ? undefined : sized(facts.get(i)))),
    outputs: node.outputs.map((o) => sized(facts.get(o)) ?? unknownFacts),
    x: (k) => node.inputs[k] ?? '',
    y: (k) => node.outputs[k] ?? '',
    dy: (k) => (leads.has(node.outputs[k] ?? '') ? '~' : undefined),
    wants: (k) => wanted.has(node.inputs[k] ?? ''),
    emit: (_op, _inputs, _attributes, outputs = 1) => Array.from({ length: outputs }, name),
    one: name,
    again: name,
    constant: name,
    floats: name,
    ints: name,
    through: (build) => {
      build();
      return node.inputs;
    },
    unbroadcast: name,
  };
}

/** Why no gradient passes this node; undefined: one does. */
function stopAt(node: Node, context: () => GradientContext): Stop | undefined {
  const rule = opOf(node)?.gradient;
  const at = { node: node.id, op: node.op };
  if (rule === undefined) return { ...at, reason: text('unknown operator', '알 수 없는 연산자') };
  if (isNone(rule)) return { ...at, reason: rule.none };
  try {
    rule(context());
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'no-rule') throw thrown;
    // A rank that is not known yet says nothing of the rule.
    const open = [...node.inputs, ...node.outputs].some(
      (v) => v !== '' && context().inputs.some((f) => f?.shape === null),
    );
    return open ? undefined : { ...at, reason: ownReason(thrown) };
  }
}

/**
 * Every layer with float weights (of `selection`, node ids, or all) and what stops it. `facts`: of this model, its batch may
 * be open. `output`: the one to train, the first by default. A layer with several ways to the output stops where one does.
 */
export function trainability(
  model: Model,
  facts: ReadonlyMap<string, Facts>,
  selection?: ReadonlySet<string>,
  output = model.graph.outputs[0]?.name ?? '',
): readonly LayerTrainability[] {
  const { order } = graphIndex(model.graph);
  const layers = order.flatMap((node) => {
    if (selection !== undefined && !selection.has(node.id)) return [];
    if (node.outputs.every((o) => facts.get(o)?.constant === true)) return [];
    const behind = [...trainableBehind(model.graph, facts, node).keys()];
    return behind.length === 0 ? [] : [{ node, behind }];
  });
  const wanted = reached(order, new Set(layers.flatMap((l) => l.behind)));
  // Values that a gradient reaches, as the backward walk goes: whole numbers on the way end it.
  const leads = new Set([output]);
  const opset = Math.max(gradientOpset, opsetVersion(model) ?? 1);
  const stops = new Map<string, Stop>();
  const own = new Map<Node, Stop | undefined>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    if (node === undefined || !node.outputs.some((o) => leads.has(o))) continue;
    const through = node.inputs.filter((n) => wanted.has(n) && carries(facts.get(n)));
    if (through.length === 0) continue;
    const stop =
      stopAt(node, () => dryContext(node, facts, opset, leads, wanted)) ??
      node.outputs.map((o) => stops.get(o)).find((s) => s !== undefined);
    own.set(node, stop);
    for (const name of through) {
      leads.add(name);
      if (stop !== undefined && !stops.has(name)) stops.set(name, stop);
    }
  }
  return layers.map(({ node }) => {
    if (!node.outputs.some((o) => leads.has(o)))
      return {
        id: node.id,
        stop: { reason: text('no gradient of the output reaches it', '출력의 기울기가 닿지 않습니다') },
      };
    const stop = own.get(node);
    return stop === undefined ? { id: node.id } : { id: node.id, stop };
  });
}
