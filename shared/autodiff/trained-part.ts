/** Owns which part of a model is trained: where its scores stand before a closing squash, and the nodes that they need. */
import { attr, withAttribute } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Graph, Node } from '../ir/model.ts';
import { toFloat32 } from '../ir/values.ts';
import type { Emitter } from './backward.ts';

/** How an output ends. `log-softmax` stands for a Log of a Softmax too. */
export type OutputEnd = 'plain' | 'softmax' | 'log-softmax' | 'sigmoid';

export interface Scores {
  /** What enters the closing Softmax, LogSoftmax or Sigmoid, else the output itself. */
  readonly value: string;
  readonly end: OutputEnd;
}

/** Same elements in the same order: passed over on the way up from an output. */
const keepsOrder = new Set(['Identity', 'Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** Where the scores of an output stand. */
export function scoresOf(graph: Graph, output: string): Scores {
  const { producer } = graphIndex(graph);
  let node = producer.get(output);
  while (node !== undefined && keepsOrder.has(node.op)) node = producer.get(node.inputs[0] ?? '');
  const inner = node?.op === 'Log' ? producer.get(node.inputs[0] ?? '') : undefined;
  if (inner?.op === 'Softmax') return { value: inner.inputs[0] ?? output, end: 'log-softmax' };
  const value = node?.inputs[0] ?? output;
  if (node?.op === 'Softmax') return { value, end: 'softmax' };
  if (node?.op === 'LogSoftmax') return { value, end: 'log-softmax' };
  if (node?.op === 'Sigmoid') return { value, end: 'sigmoid' };
  return { value: output, end: 'plain' };
}

/** Nodes that some values need, in order. */
export function needed(graph: Graph, values: readonly string[]): readonly Node[] {
  const index = graphIndex(graph);
  const keep = new Set<Node>();
  const stack = [...values];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const node = index.producer.get(at);
    if (node === undefined || keep.has(node)) continue;
    keep.add(node);
    stack.push(...node.inputs);
  }
  return index.order.filter((n) => keep.has(n));
}

/** A tensor that goes in and comes out of every step. */
export interface Carried {
  readonly input: string;
  readonly output: string;
  readonly dims: readonly number[];
  readonly initial: Float32Array;
}

export interface Statistics {
  readonly nodes: ReadonlyMap<Node, Node>;
  readonly carried: readonly Carried[];
}

/** BatchNormalization in training mode, its running mean and variance carried; only where each is its own initializer. */
export function batchStatistics(
  graph: Graph,
  nodes: readonly Node[],
  e: Emitter,
  frozen: (parameter: string) => boolean,
): Statistics {
  const index = graphIndex(graph);
  const changed = new Map<Node, Node>();
  const carried: Carried[] = [];
  for (const n of nodes) {
    if (n.op !== 'BatchNormalization' || n.outputs.filter((o) => o !== '').length > 1) continue;
    if (frozen(n.inputs[1] ?? '')) continue;
    const tensors = [n.inputs[3], n.inputs[4]].map((name) => index.initializer.get(name ?? ''));
    if (!tensors.every((t) => t?.type === 'float' && index.uses.get(t.name)?.length === 1)) continue;
    const outputs = tensors.map((t) => e.fresh(`${t?.name}.next`));
    for (const [i, t] of tensors.entries())
      if (t !== undefined)
        carried.push({ input: t.name, output: outputs[i] ?? '', dims: t.dims, initial: toFloat32(t).slice() });
    changed.set(n, {
      ...withAttribute(n, 'training_mode', attr.int('training_mode', 1)),
      outputs: [n.outputs[0] ?? '', ...outputs],
    });
  }
  return { nodes: changed, carried };
}

/** MaxPool with its Indices, which the gradient needs. */
export const withIndices = (n: Node, e: Emitter): Node =>
  n.op === 'MaxPool' && !n.outputs[1] ? { ...n, outputs: [n.outputs[0] ?? '', e.fresh('Indices')] } : n;
