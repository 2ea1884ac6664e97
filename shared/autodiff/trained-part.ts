/** Owns which part of a model is trained: where its scores stand before a closing squash, and the nodes that they need. */

import { attr, floatAttr, withAttribute } from '../ir/attribute.ts';
import { graphIndex, readsOf } from '../ir/graph-index.ts';
import type { Graph, Node } from '../ir/model.ts';
import { toFloat32 } from '../ir/values.ts';
import { tilesPlane } from '../ops/pool-gradient.ts';
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
    stack.push(...readsOf(node));
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

/**
 * BatchNormalization in training mode, its running mean and variance carried; only where each is its own initializer. With a
 * momentum of 0 the operator gives the batch's own statistics, which the gradient takes; the running ones are moved beside it.
 * It does not see them: the runtime writes its statistics over those given in place, an initializer included, whoever else
 * reads it (onnxruntime 1.30).
 */
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
    const momentum = floatAttr(n, 'momentum', 0.9);
    const own = tensors.map((t) => e.fresh(`${t?.name}.batch`));
    // Any finite numbers in a buffer of their own do: at a momentum of 0 they count for nothing.
    const stand = tensors.map((t) => e.one('Neg', [t?.name ?? '']));
    for (const [i, t] of tensors.entries()) {
      if (t === undefined) continue;
      const [old, fresh] = [e.floats([momentum], []), e.floats([1 - momentum], [])];
      const output = e.one('Add', [e.one('Mul', [t.name, old]), e.one('Mul', [own[i] ?? '', fresh])]);
      carried.push({ input: t.name, output, dims: t.dims, initial: toFloat32(t).slice() });
    }
    const training = withAttribute(n, 'training_mode', attr.int('training_mode', 1));
    changed.set(n, {
      ...withAttribute(training, 'momentum', attr.float('momentum', 0)),
      inputs: [...n.inputs.slice(0, 3), ...stand],
      outputs: [n.outputs[0] ?? '', ...own],
    });
  }
  return { nodes: changed, carried };
}

/** MaxPool with its Indices, which the gradient of overlapping windows needs. */
export const withIndices = (n: Node, e: Emitter): Node =>
  n.op === 'MaxPool' && !n.outputs[1] && !tilesPlane(n)
    ? { ...n, outputs: [n.outputs[0] ?? '', e.fresh('Indices')] }
    : n;
