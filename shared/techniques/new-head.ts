/** Owns withNewHead: a model whose layer of class scores is a fresh one for another number of classes. */
import { inferFacts } from '../analysis/infer-facts.ts';
import { rng } from '../base/random.ts';
import { elementCount } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node, ValueInfo } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { int64Tensor, packNumbers } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';
import type { Head } from './head.ts';
import { withInitializers } from './with-initializers.ts';

type FactsMap = ReadonlyMap<string, Facts>;

/** Uniform in +-sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010, eq. 16). */
function drawn(name: string, dims: readonly number[], fanIn: number, fanOut: number, seed: number): Tensor {
  return lazyTensor(name, 'float', dims, () => {
    const random = rng(seed).fork(`head ${name}`);
    const limit = Math.sqrt(6 / (fanIn + fanOut));
    return packNumbers(
      'float',
      Float32Array.from({ length: elementCount(dims) }, () => (2 * random.next() - 1) * limit),
    );
  });
}

const filled = (name: string, dims: readonly number[], value: number): Tensor =>
  lazyTensor(name, 'float', dims, () => packNumbers('float', new Float32Array(elementCount(dims)).fill(value)));

/** What a constant of one number a class begins as: adds nothing, scales by nothing. */
const neutral = (node: Node, input: number): number => {
  if (node.op === 'BatchNormalization') return input === 1 || input === 4 ? 1 : 0;
  return node.op === 'Mul' || node.op === 'Div' ? 1 : 0;
};

/** Dims with the class axis at its new size; undefined: a single number, which stays. */
function resized(dims: readonly number[], from: number, to: number): readonly number[] | undefined {
  const at = from === 1 ? (dims.length === 1 ? 0 : -1) : dims.indexOf(from);
  return at < 0 ? undefined : dims.map((d, k) => (k === at ? to : d));
}

/** A Reshape's target with the new number of classes; undefined: it needs no change. Words: it cannot be told. */
function target(node: Node, facts: FactsMap, from: number, to: number): readonly number[] | string | undefined {
  const content = facts.get(node.inputs[1] ?? '')?.content;
  if (content === undefined) return `the target of ${node.op} ${node.id} is not known`;
  const found = content.flatMap((d, k) => (d === from && (k > 0 || content.length === 1) ? [k] : []));
  const [at] = found;
  const free = content.includes(-1);
  if (at === undefined) return free ? undefined : `the target of ${node.op} ${node.id} holds no number of classes`;
  if (found.length > 1) return `the target of ${node.op} ${node.id} holds the number of classes twice`;
  const open = content.filter((d) => typeof d !== 'number').length;
  if (open > 1 || (open === 1 && free)) return `the target of ${node.op} ${node.id} is not known`;
  return content.map((d, k) => (k === at ? to : typeof d === 'number' ? d : -1));
}

/** Outputs behind the head say their old sizes until they are inferred anew; what was open stays open. */
function withOutputs(model: Model, stale: ReadonlySet<string>): Model {
  const { graph } = model;
  const open = graph.outputs.map((o): ValueInfo => (stale.has(o.name) ? { ...o, type: { kind: 'unknown' } } : o));
  const facts = inferFacts({ ...model, graph: { ...graph, outputs: open } });
  const outputs = graph.outputs.map((o) => {
    const shape = facts.get(o.name)?.shape;
    if (!stale.has(o.name) || o.type.kind !== 'tensor' || o.type.shape?.length !== shape?.length) return o;
    const next = o.type.shape?.map((d, k) => {
      const now = shape?.[k];
      return typeof d === 'number' && typeof now === 'number' ? now : d;
    });
    return { ...o, type: { ...o.type, shape: next ?? null } };
  });
  return { ...model, graph: { ...graph, outputs } };
}

export interface NewHead {
  readonly model: Model;
  /** Nodes of the head with parameters that learn: the layer, its bias, a normalisation behind it. */
  readonly layers: readonly string[];
}

/** The model with a fresh head, its weights drawn by the seed when they are asked; or why the graph cannot follow. */
export function withNewHead(
  model: Model,
  facts: FactsMap,
  head: Head,
  classes: number,
  seed: number,
): NewHead | string {
  const index = graphIndex(model.graph);
  const edit = new GraphEdit(model.graph);
  const added: Tensor[] = [];
  const changed = new Map<string, Node>();
  const layers = [head.layer.id];
  /** The tensor in the place of what the node reads there: under the same name where it was stored for this node alone. */
  const put = (node: Node, input: number, make: (name: string) => Tensor): void => {
    const old = node.inputs[input] ?? '';
    const own = index.initializer.has(old) && index.uses.get(old)?.length === 1 && !index.outputNames.has(old);
    const tensor = make(own ? old : edit.unique(`${node.id}.${input}`));
    edit.setInitializer(tensor);
    if (own) return;
    added.push(tensor);
    const now = changed.get(node.id) ?? node;
    changed.set(node.id, { ...now, inputs: now.inputs.map((i, k) => (k === input ? tensor.name : i)) });
  };
  const fresh = (node: Node, input: number): string | undefined => {
    const known = facts.get(node.inputs[input] ?? '');
    const dims = known?.shape as readonly number[] | undefined;
    if (known?.constant !== true || dims === undefined || !dims.every((d) => typeof d === 'number'))
      return `a bias of ${node.op} ${node.id} is no constant`;
    const next = resized(dims, head.classes, classes);
    if (next === undefined) return undefined;
    if (known.elem !== 'float') return `${node.op} ${node.id} holds ${known.elem} numbers, training wants float`;
    put(node, input, (name) => filled(name, next, neutral(node, input)));
    if (!layers.includes(node.id)) layers.push(node.id);
    return undefined;
  };

  const { layer, weight, axis, fanIn } = head;
  const dims = weight.map((d, k) => (k === axis ? classes : d));
  put(layer, 1, (name) => drawn(name, dims, fanIn, classes, seed));
  if ((layer.inputs[2] ?? '') !== '') {
    const why = fresh(layer, 2);
    if (why !== undefined) return why;
  }
  for (const node of head.tail) {
    if (node.op === 'Reshape') {
      const next = target(node, facts, head.classes, classes);
      if (typeof next === 'string') return next;
      if (next !== undefined) put(node, 1, (name) => int64Tensor(name, [next.length], next));
    }
    if (!['Add', 'Sub', 'Mul', 'Div', 'BatchNormalization'].includes(node.op)) continue;
    for (const [k, name] of node.inputs.entries()) {
      if (facts.get(name)?.constant !== true) continue;
      const why = fresh(node, k);
      if (why !== undefined) return why;
    }
  }
  edit.updateNodes(changed);
  const stale = new Set([layer, ...head.tail].flatMap((n) => n.outputs));
  edit.dropValueInfos((name) => stale.has(name));
  edit.removeUnused();
  return { model: withOutputs(withInitializers(model, edit.done(), added), stale), layers };
}
