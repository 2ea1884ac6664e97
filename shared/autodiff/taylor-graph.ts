/**
 * Owns the Taylor graph: one pass forward and back that gives the gradients of stored tensors, and gradient times activation
 * summed per sample and channel. Weights stay as they are.
 */
import type { ChannelAxis, TaylorRequest } from '../analysis/evidence.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import { type Model, opsetVersion, type ValueInfo } from '../ir/model.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { backward, Emitter, gradientOpset } from './backward.ts';
import { crossEntropy } from './losses.ts';
import { setBatch } from './set-batch.ts';
import { needed, scoresOf, withIndices } from './trained-part.ts';

export interface TaylorGraph {
  /** Inputs: the data (batch set), `target` [batch, classes]. */
  readonly model: Model;
  readonly target: string;
  /** [batch, classes] */
  readonly scores: string;
  readonly classes: number;
  /** Parameter -> output with its gradient, in its own shape. Those that the scores do not depend on are left out. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Per asked channel axis, in order: output [batch, channels]; undefined where the scores do not depend on it. */
  readonly terms: readonly (string | undefined)[];
}

const anyShape = (name: string): ValueInfo => ({ name, type: { kind: 'tensor', elem: 'float', shape: null } });

/** Sum over positions of gradient x activation: [batch, ..., channels, ...] -> [batch, channels]. */
function term(e: Emitter, gradient: string, want: ChannelAxis, rank: number): string {
  const product = e.one('Mul', [gradient, want.value]);
  const rest = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 0 && i !== want.axis);
  return rest.length === 0 ? product : e.one('ReduceSum', [product, e.ints(rest)], [attr.int('keepdims', 0)]);
}

/**
 * Builds the graph for the data input `data` under softmax cross-entropy of the first output. Faults: `no-rule` (node and
 * operator), `unsupported` where sizes are unknown, those of setBatch and convertOpset.
 */
export function taylorGraph(source: Model, data: string, batch: number, request: TaylorRequest): TaylorGraph {
  const raised = (opsetVersion(source) ?? 1) < gradientOpset ? convertOpset(source, gradientOpset) : source;
  const model = setBatch(raised, data, batch);
  const { graph } = model;
  const { value } = scoresOf(graph, graph.outputs[0]?.name ?? '');
  const e = new Emitter([
    ...graph.nodes.flatMap((n) => n.outputs),
    ...graph.initializers.map((t) => t.name),
    ...graph.inputs.map((i) => i.name),
  ]);
  const nodes = needed(graph, [value]).map((n) => withIndices(n, e));
  const inner: Model = { ...model, graph: { ...graph, nodes, outputs: [{ name: value, type: { kind: 'unknown' } }] } };
  const facts = inferFacts(inner);
  const shape = facts.get(value)?.shape;
  if (!shape?.every((d): d is number => typeof d === 'number') || shape[0] !== batch)
    throw new Fault(
      'unsupported',
      text('the output has no known size per sample', '출력의 샘플당 크기를 알 수 없습니다'),
      { where: value },
    );
  const classes = shape.slice(1).reduce<number>((a, b) => a * Number(b), 1);
  const target = e.fresh('target');
  const scores = e.one('Reshape', [value, e.ints([batch, classes])]);
  const loss = crossEntropy(e, scores, target, batch);
  const seed = e.one('Reshape', [loss.gradient, e.ints(shape as readonly number[])]);
  const channels = request.channels ?? [];
  const sources = new Set([...(request.parameters ?? []), ...channels.map((c) => c.value)]);
  const found = backward(inner, facts, new Map([[value, seed]]), sources, e);
  const gradients = new Map((request.parameters ?? []).flatMap((p) => pair(p, found.get(p))));
  const terms = channels.map((c) => {
    const gradient = found.get(c.value);
    return gradient === undefined ? undefined : term(e, gradient, c, facts.get(c.value)?.shape?.length ?? 0);
  });
  const outputs = [...new Set([scores, ...gradients.values(), ...terms.flatMap((t) => t ?? [])])];
  const reads = new Set(nodes.flatMap((n) => n.inputs));
  return {
    model: {
      ...model,
      irVersion: Math.max(8, model.irVersion),
      graph: {
        ...graph,
        nodes: [...nodes, ...e.nodes],
        initializers: [...graph.initializers.filter((t) => reads.has(t.name)), ...e.constants],
        inputs: [
          ...graph.inputs.filter((i) => reads.has(i.name)),
          { name: target, type: { kind: 'tensor', elem: 'float', shape: [batch, classes] } },
        ],
        outputs: outputs.map(anyShape),
        valueInfos: [],
      },
    },
    target,
    scores,
    classes,
    gradients,
    terms,
  };
}

const pair = (key: string, value: string | undefined): readonly (readonly [string, string])[] =>
  value === undefined ? [] : [[key, value]];
