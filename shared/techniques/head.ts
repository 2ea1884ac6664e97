/**
 * Owns headOf: the layer that turns features into class scores, and what stands between it and the output. Read by `transfer`,
 * which puts another in its place.
 */
import { intAttr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { fixedDims, type Model, type Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';

/** Nodes that leave each class what it is: views, squashes, activations and pools of each score map. */
const passing: ReadonlySet<string> = new Set([
  ...['Identity', 'Dropout', 'Cast', 'Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Transpose'],
  ...[
    'Softmax',
    'LogSoftmax',
    'Log',
    'Exp',
    'Sigmoid',
    'HardSigmoid',
    'Tanh',
    'Relu',
    'LeakyRelu',
    'Clip',
    'Elu',
    'Softplus',
  ],
  ...['GlobalAveragePool', 'GlobalMaxPool', 'AveragePool', 'MaxPool', 'ReduceMean', 'ReduceMax', 'ReduceSum'],
]);
/** With a constant of one number a class, or a single one. */
const perClass: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'BatchNormalization']);
/** Read off the scores without their number mattering. */
const ending: ReadonlySet<string> = new Set(['ArgMax', 'Shape']);

const isDefault = (n: Node): boolean => n.domain === '' || n.domain === 'ai.onnx';

export interface Head {
  readonly layer: Node;
  /** Dims of its weight, and the axis of the classes. */
  readonly weight: readonly number[];
  readonly axis: number;
  readonly classes: number;
  /** What one score reads. */
  readonly fanIn: number;
  /** Nodes after it up to the outputs, in graph order. */
  readonly tail: readonly Node[];
}

type Where = { readonly model: Model; readonly facts: ReadonlyMap<string, Facts> };

/** Input of a node that carries the scores: the one that is no constant; undefined where several are computed. */
function carrier(node: Node, facts: Where['facts']): string | undefined {
  const computed = node.inputs.filter((i) => i !== '' && facts.get(i)?.constant !== true);
  return computed.length === 1 ? computed[0] : isDefault(node) && passing.has(node.op) ? node.inputs[0] : undefined;
}

type Shaped = Pick<Head, 'weight' | 'axis'>;

/** Weight and class axis of a layer that makes class scores; undefined for any other node, in words where it nearly is one. */
function shaped(node: Node, facts: Where['facts']): Shaped | string | undefined {
  if (!isDefault(node) || !['Gemm', 'MatMul', 'Conv'].includes(node.op)) return undefined;
  const known = facts.get(node.inputs[1] ?? '');
  const weight = fixedDims(known?.shape);
  if (known?.constant !== true || weight === undefined) return `the weight of ${node.op} is no constant`;
  if (known.elem !== 'float') return `the weights of ${node.op} are ${known.elem}, training wants float`;
  if (node.op === 'MatMul') return weight.length === 2 ? { weight, axis: 1 } : 'the weight of MatMul is no matrix';
  if (node.op === 'Gemm')
    return intAttr(node, 'transA', 0) === 1
      ? 'Gemm reads its features transposed'
      : { weight, axis: intAttr(node, 'transB', 0) === 1 ? 0 : 1 };
  return intAttr(node, 'group', 1) === 1 ? { weight, axis: 0 } : 'the convolution is grouped';
}

/** Why a node behind the head cannot follow another number of classes; undefined: it can. */
function barrier(node: Node, classes: number, facts: Where['facts']): string | undefined {
  if (!isDefault(node) || !(passing.has(node.op) || perClass.has(node.op) || ending.has(node.op)))
    return `${node.op} ${node.id} stands between the layer that scores and an output`;
  if (!perClass.has(node.op)) return undefined;
  if (carrier(node, facts) === undefined) return `${node.op} ${node.id} joins the scores with other values`;
  for (const name of node.inputs) {
    const f = facts.get(name);
    if (f?.constant !== true) continue;
    const dims = fixedDims(f?.shape);
    const wide = dims?.filter((d) => d !== 1) ?? [];
    if (dims === undefined || wide.length > 1 || (wide.length === 1 && wide[0] !== classes))
      return `${node.op} ${node.id} has a constant that is not one number a class`;
  }
  return undefined;
}

/** The head of an output (the first by default), or why there is none that could be replaced. */
export function headOf(c: Where, output = c.model.graph.outputs[0]?.name ?? ''): Head | string {
  const index = graphIndex(c.model.graph);
  let node = index.producer.get(output);
  let layer: (Shaped & { readonly node: Node }) | undefined;
  while (node !== undefined && layer === undefined) {
    const found = shaped(node, c.facts);
    if (typeof found === 'string') return found;
    if (found !== undefined) layer = { ...found, node };
    else {
      const follows = isDefault(node) && (passing.has(node.op) || perClass.has(node.op));
      const from = follows ? carrier(node, c.facts) : undefined;
      if (from === undefined) return `${node.op} ${node.id} stands between the output and the layer that scores`;
      node = index.producer.get(from);
    }
  }
  if (layer === undefined) return 'no layer makes this output';
  const { weight, axis } = layer;
  const classes = weight[axis] ?? 0;
  const reached = new Set<Node>();
  const stack = [...layer.node.outputs];
  for (let at = stack.pop(); at !== undefined; at = stack.pop())
    for (const use of index.uses.get(at) ?? []) {
      if (reached.has(use.node)) continue;
      reached.add(use.node);
      const why =
        use.input < 0 ? `${use.node.op} ${use.node.id} reads the scores inside` : barrier(use.node, classes, c.facts);
      if (why !== undefined) return why;
      if (!ending.has(use.node.op)) stack.push(...use.node.outputs);
    }
  const fanIn = weight.reduce((n, d, k) => n * (k === axis ? 1 : d), 1);
  return { layer: layer.node, weight, axis, classes, fanIn, tail: index.order.filter((n) => reached.has(n)) };
}
