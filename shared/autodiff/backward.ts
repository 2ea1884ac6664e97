/**
 * Owns the backward walk: from the gradient of some values to the gradients of others, as ONNX nodes. One rule per operator
 * (`gradient` in its declaration); a needed path without a rule stops at once, naming node and operator.
 */
import { inferFacts } from '../analysis/infer-facts.ts';
import { Fault } from '../base/fault.ts';
import { type Said, type Text, text, textAround } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { type Attribute, type Dim, type Model, type Node, opsetVersion, type ValueInfo } from '../ir/model.ts';
import { renameTensor, type Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';
import { type Facts, type GradientContext, isNone, unknownFacts } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';

/** That an operator has no gradient, and why where its declaration says. */
const noGradient = (op: string, why: Said = ''): Text =>
  textAround(
    why,
    (w) => `${op} has no gradient${w === '' ? '' : `: ${w}`}`,
    (w) => `${op}에 기울기가 없습니다${w === '' ? '' : `: ${w}`}`,
  );

/** The oldest opset that the rules are written for: axes as inputs (13), ScatterElements that adds (16). */
export const gradientOpset = 17;

/** Collects backward nodes and constants under fresh names. */
export class Emitter {
  readonly nodes: Node[] = [];
  readonly constants: Tensor[] = [];
  readonly #taken: Set<string>;
  readonly #pooled = new Map<string, string>();
  #next = 0;

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  fresh(base: string): string {
    let name = `${base}~${this.#next++}`;
    while (this.#taken.has(name)) name = `${base}~${this.#next++}`;
    this.#taken.add(name);
    return name;
  }

  emit(
    op: string,
    inputs: readonly string[],
    attributes: readonly Attribute[] = [],
    outputs = 1,
    domain = '',
  ): readonly string[] {
    const names = Array.from({ length: outputs }, () => this.fresh(op));
    const id = names[0] ?? op;
    this.nodes.push({ id, name: id, op, domain, inputs, outputs: names, attributes });
    return names;
  }

  one(op: string, inputs: readonly string[], attributes: readonly Attribute[] = []): string {
    return this.emit(op, inputs, attributes)[0] ?? '';
  }

  constant(tensor: Tensor): string {
    const name = this.fresh(tensor.name || 'constant');
    this.constants.push(renameTensor(tensor, name));
    return name;
  }

  /** Small constants are kept once. */
  #pool(key: string, make: () => Tensor): string {
    const known = this.#pooled.get(key);
    if (known !== undefined) return known;
    const name = this.constant(make());
    this.#pooled.set(key, name);
    return name;
  }

  floats(values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.#pool(`f${dims}:${values}`, () => numbersTensor('floats', 'float', dims, values));
  }

  ints(values: readonly number[]): string {
    return this.#pool(`i${values}`, () => int64Tensor('ints', [values.length], values));
  }

  /** Sums a gradient of shape `from` down to `to`, as broadcasting spread it. */
  unbroadcast(grad: string, from: readonly Dim[] | null, to: readonly Dim[] | null): string {
    if (from === null || to === null)
      throw new Fault('no-rule', text('broadcasting of unknown shapes', '알 수 없는 형상의 브로드캐스트'));
    if (from.length === to.length && from.every((d, i) => d === to[i])) return grad;
    const lead = from.length - to.length;
    const axes = from.flatMap((d, i) => (i < lead || (to[i - lead] === 1 && d !== 1) ? [i] : []));
    const sum = axes.length === 0 ? grad : this.one('ReduceSum', [grad, this.ints(axes)]);
    return lead === 0 ? sum : this.one('Reshape', [sum, this.ints(to.map((d) => (typeof d === 'number' ? d : -1)))]);
  }
}

/** Values that depend on one of `sources`. `order`: makers before readers. */
export function reached(order: readonly Node[], sources: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(sources);
  for (const node of order)
    if (node.inputs.some((i) => found.has(i))) for (const o of node.outputs) if (o !== '') found.add(o);
  return found;
}

/** One walk: what is known of its values, the gradients so far, the values whose gradient is wanted. */
interface Walk {
  readonly emitter: Emitter;
  readonly facts: ReadonlyMap<string, Facts>;
  readonly opset: number;
  readonly gradients: Map<string, string>;
  readonly wanted: ReadonlySet<string>;
}

/** The gradients of a node's inputs by the rules of what it is made of. A value read twice comes back once. */
function throughParts(node: Node, w: Walk, build: () => readonly string[]): readonly (string | undefined)[] {
  const { emitter, opset } = w;
  const from = emitter.nodes.length;
  const outputs = build();
  const parts = emitter.nodes.slice(from);
  const gradients = new Map<string, string>();
  for (const [k, o] of outputs.entries()) {
    const dy = w.gradients.get(node.outputs[k] ?? '');
    if (dy !== undefined) gradients.set(o, dy);
  }
  const sources = new Set(node.inputs.filter((i) => w.wanted.has(i)));
  const facts = factsOfParts(parts, w);
  walk(parts, { emitter, opset, facts, gradients, wanted: reached(parts, sources) });
  return node.inputs.map((i, k) => (sources.has(i) && node.inputs.indexOf(i) === k ? gradients.get(i) : undefined));
}

/** Facts of emitted nodes, from those of the values around them. */
function factsOfParts(parts: readonly Node[], w: Walk): ReadonlyMap<string, Facts> {
  const made = new Set(parts.flatMap((n) => n.outputs));
  const read = new Set(parts.flatMap((n) => n.inputs).filter((i) => i !== '' && !made.has(i)));
  const constants = w.emitter.constants.filter((t) => read.has(t.name));
  for (const t of constants) read.delete(t.name);
  const inputs = [...read].map((name): ValueInfo => {
    const { elem, shape } = w.facts.get(name) ?? unknownFacts;
    return { name, type: { kind: 'tensor', elem, shape } };
  });
  const graph = { name: 'parts', nodes: parts, initializers: constants, sparseInitializers: [], inputs, outputs: [] };
  return inferFacts({
    irVersion: 10,
    opsets: [{ domain: '', version: w.opset }],
    producerName: '',
    producerVersion: '',
    graph: { ...graph, valueInfos: [] },
    functions: [],
    metadata: [],
  });
}

function contextOf(node: Node, w: Walk): GradientContext {
  const { emitter, facts, opset, gradients, wanted } = w;
  const factsOf = (name: string): Facts | undefined => (name === '' ? undefined : facts.get(name));
  return {
    node,
    version: opset,
    opset,
    inputs: node.inputs.map(factsOf),
    outputs: node.outputs.map((o) => factsOf(o) ?? { elem: null, shape: null, constant: false }),
    x: (k) => node.inputs[k] ?? '',
    y: (k) => node.outputs[k] ?? '',
    dy: (k) => gradients.get(node.outputs[k] ?? ''),
    wants: (k) => wanted.has(node.inputs[k] ?? ''),
    emit: (op, inputs, attributes, outputs) => emitter.emit(op, inputs, attributes, outputs),
    one: (op, inputs, attributes) => emitter.one(op, inputs, attributes),
    again: (inputs) => emitter.emit(node.op, inputs, node.attributes, 1, node.domain)[0] ?? '',
    constant: (tensor) => emitter.constant(tensor),
    floats: (values, dims) => emitter.floats(values, dims),
    ints: (values) => emitter.ints(values),
    through: (build) => throughParts(node, w, build),
    unbroadcast: (grad, from, to) => emitter.unbroadcast(grad, from, to),
  };
}

/** Element types whose values have gradients; quantized ones pass them straight through. */
export const carries = (facts: Facts | undefined): boolean =>
  facts?.elem !== 'int64' && facts?.elem !== 'int32' && facts?.elem !== 'bool';

/**
 * Emits the gradients of `sources` given those of `seeds` (value -> name of its gradient, same shape). Returns source ->
 * name of its gradient; a source that no seed depends on is left out. `facts` must hold known shapes.
 * Faults: `no-rule` naming node and operator where a needed path has no rule.
 */
export function backward(
  model: Model,
  facts: ReadonlyMap<string, Facts>,
  seeds: ReadonlyMap<string, string>,
  sources: ReadonlySet<string>,
  emitter: Emitter,
): ReadonlyMap<string, string> {
  const { order } = graphIndex(model.graph);
  const gradients = new Map(seeds);
  walk(order, {
    emitter,
    facts,
    opset: opsetVersion(model) ?? 1,
    gradients,
    wanted: reached(order, sources),
  });
  return new Map([...sources].flatMap((s) => (gradients.has(s) ? [[s, gradients.get(s) ?? ''] as const] : [])));
}

/** Adds to `gradients`, from the last node to the first. */
function walk(order: readonly Node[], w: Walk): void {
  const { facts, gradients, wanted, emitter } = w;
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    if (node === undefined) continue;
    const given = node.outputs.some((o) => o !== '' && gradients.has(o));
    if (!given || !node.inputs.some((n) => wanted.has(n) && carries(facts.get(n)))) continue;
    const rule = opOf(node)?.gradient;
    if (rule === undefined || isNone(rule))
      throw new Fault('no-rule', noGradient(node.op, rule?.none), {
        where: node.name || node.id,
        hint: text(
          'Freeze the layers before it, or leave this model untrained.',
          '그 앞의 레이어를 고정하거나 이 모델을 학습하지 마세요.',
        ),
      });
    const found = rule(contextOf(node, w));
    // A value read twice by one node, or by several nodes, gets the sum.
    for (const [k, grad] of found.entries()) {
      const name = node.inputs[k] ?? '';
      if (grad === undefined || !wanted.has(name)) continue;
      const before = gradients.get(name);
      gradients.set(name, before === undefined ? grad : emitter.one('Add', [before, grad]));
    }
  }
}
