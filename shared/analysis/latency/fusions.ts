/**
 * Owns which node's kernel computes each node once the runtime has optimised the graph: constants are folded, reshapes are
 * free, normalisation, sum and activation go into the product before them, a quantize-dequantize group is one integer kernel.
 */
import type { Node } from '../../ir/model.ts';
import type { Facts } from '../../ops/declare.ts';
import type { Scope } from '../infer-facts.ts';
import { workOf } from '../work-of.ts';

/** Per position of `graph.nodes`. */
export interface Fusions {
  /** Position of the node whose kernel computes this one: its own, another's, or -1 where it takes no time. */
  readonly owner: Int32Array;
  /** 1 where the kernel of this position computes on integers, its inputs being dequantized and its output quantized. */
  readonly integer: Uint8Array;
  /** Positions of the nodes that read a value, by value number, and -1 for the caller. */
  readers(id: number): readonly number[];
}

const products = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);
/** What the runtime's CPU kernels of Conv and Gemm apply themselves (ConvActivationFusion, GemmActivationFusion). */
const activations = new Set(['Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'Clip', 'HardSigmoid']);
/** Operators with an integer kernel that a quantize-dequantize group becomes (the runtime's QDQ selectors). */
const integerOps = new Set([
  ...['Conv', 'Gemm', 'MatMul', 'Add', 'Mul', 'AveragePool', 'GlobalAveragePool', 'LeakyRelu', 'Sigmoid', 'Softmax'],
  ...['Concat', 'MaxPool', 'Resize', 'Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Split', 'Gather'],
]);
const removed = new Set(['Identity', 'Dropout']);

/** A graph as the rules below ask about it. */
class View implements Fusions {
  readonly owner: Int32Array;
  readonly integer: Uint8Array;
  readonly #scope: Scope;
  readonly #readers: readonly (readonly number[])[];
  readonly #isOutput: Uint8Array;
  readonly #overridable: ReadonlySet<number>;

  constructor(scope: Scope, overridable: ReadonlySet<number>) {
    this.#overridable = overridable;
    const { graph, wiring } = scope;
    this.#scope = scope;
    this.owner = new Int32Array(graph.nodes.length).fill(-1);
    this.integer = new Uint8Array(graph.nodes.length);
    const readers: number[][] = wiring.names.map(() => []);
    for (const p of wiring.order)
      for (let k = wiring.inputStart[p] ?? 0; k < (wiring.inputStart[p + 1] ?? 0); k++)
        readers[wiring.inputs[k] ?? -1]?.push(p);
    this.#readers = readers;
    this.#isOutput = new Uint8Array(wiring.names.length);
    for (const { name } of graph.outputs) this.#isOutput[wiring.ids.get(name) ?? -1] = 1;
  }

  node(p: number): Node | undefined {
    return this.#scope.graph.nodes[p];
  }
  op(p: number): string {
    return this.node(p)?.op ?? '';
  }
  inputs(p: number): Int32Array {
    const { inputs, inputStart } = this.#scope.wiring;
    return inputs.subarray(inputStart[p] ?? 0, inputStart[p + 1] ?? 0);
  }
  output(p: number): number {
    const { outputs, outputStart } = this.#scope.wiring;
    return outputs[outputStart[p] ?? -1] ?? -1;
  }
  facts(id: number | undefined): Facts | undefined {
    return id === undefined || id < 0 ? undefined : this.#scope.facts.at(id);
  }
  isConstant(id: number | undefined): boolean {
    return this.facts(id)?.constant === true && !this.#overridable.has(id ?? -1);
  }
  maker(id: number | undefined): number {
    return this.#scope.wiring.producer[id ?? -1] ?? -1;
  }
  readers(id: number): readonly number[] {
    const nodes = this.#readers[id] ?? [];
    return this.#isOutput[id] === 1 ? [...nodes, -1] : nodes;
  }
  soleReader(id: number): number {
    const all = this.readers(id);
    return all.length === 1 ? (all[0] ?? -1) : -1;
  }

  /** Nodes that take time by themselves own themselves. */
  begin(): void {
    const { wiring } = this.#scope;
    for (const p of wiring.order) {
      const node = this.node(p);
      if (node === undefined || removed.has(node.op)) continue;
      let constant = true;
      for (let k = wiring.outputStart[p] ?? 0; k < (wiring.outputStart[p + 1] ?? 0); k++) {
        const id = wiring.outputs[k] ?? -1;
        if (id >= 0 && !this.isConstant(id)) constant = false;
      }
      if (!constant && workOf(node, p, this.#scope).work?.kernel !== 'view') this.owner[p] = p;
    }
  }
}

/** The input of a node of two that `maker` did not make. */
function operand(view: View, p: number, maker: number): number | undefined {
  const [a, b] = view.inputs(p);
  return view.maker(a) === maker ? b : a;
}

/** BatchNormalization, or a Mul or Add by one constant a channel: folded into the weights. */
function isScaleShift(view: View, p: number, main: number): boolean {
  const op = view.op(p);
  if (op === 'BatchNormalization')
    return view
      .inputs(p)
      .slice(1)
      .every((id) => view.isConstant(id));
  const other = operand(view, p, main);
  const shape = view.facts(other)?.shape;
  if ((op !== 'Mul' && op !== 'Add') || !view.isConstant(other) || !shape) return false;
  const sizes = shape.filter((d) => d !== 1);
  const channels = view.facts(view.output(main))?.shape?.[1];
  // A scalar, or [C, 1, 1] with or without a leading 1.
  return sizes.length === 0 || (sizes.length === 1 && sizes[0] === channels && shape.at(-1) === 1);
}

/** Add of a constant row to a MatMul (it becomes a Gemm), or of an activation of the same shape to a Conv. */
function isSum(view: View, p: number, at: number, main: number): boolean {
  if (view.op(p) !== 'Add') return false;
  const other = operand(view, p, at);
  const its = view.facts(other)?.shape;
  if (!its) return false;
  if (view.op(main) === 'MatMul')
    return view.isConstant(other) && its.length > 0 && its.slice(0, -1).every((d) => d === 1);
  const mine = view.facts(view.output(at))?.shape;
  return view.op(main) === 'Conv' && !view.isConstant(other) && !!mine && String(mine) === String(its);
}

/** Takes what follows a product into its kernel, as long as it alone reads what stands there. */
function follow(view: View, main: number): void {
  let at = main;
  let summed = false;
  for (;;) {
    const next = view.soleReader(view.output(at));
    if (next < 0 || view.owner[next] !== next || view.integer[next] === 1) return;
    if (activations.has(view.op(next)) && view.op(main) !== 'ConvTranspose') {
      view.owner[next] = main;
      return;
    }
    const scaled: boolean = !summed && view.op(main) === 'Conv' && isScaleShift(view, next, at);
    if (!scaled && (summed || !isSum(view, next, at, main))) return;
    view.owner[next] = main;
    summed ||= !scaled;
    at = next;
  }
}

/** The nodes after an integer kernel up to its QuantizeLinear: itself alone or an activation before it; undefined: none. */
function quantizedEnd(view: View, p: number): readonly number[] | undefined {
  const out = view.output(p);
  const next = view.soleReader(out);
  if (next >= 0 && activations.has(view.op(next))) {
    const after = view.readers(view.output(next));
    return after.length > 0 && after.every((q) => view.op(q) === 'QuantizeLinear') ? [next, ...after] : undefined;
  }
  const readers = view.readers(out);
  return readers.length > 0 && readers.every((q) => view.op(q) === 'QuantizeLinear') ? readers : undefined;
}

function groupIntegers(view: View, order: Int32Array): void {
  for (const p of order) {
    if (!integerOps.has(view.op(p))) continue;
    const data = view.inputs(p).filter((id) => id >= 0 && !view.isConstant(id));
    if (data.length === 0 || data.some((id) => view.op(view.maker(id)) !== 'DequantizeLinear')) continue;
    const end = quantizedEnd(view, p);
    if (end === undefined) continue;
    view.integer[p] = 1;
    for (const q of end) view.owner[q] = view.owner[p] === p ? p : -1;
  }
  // A DequantizeLinear that only integer kernels read is gone: each reads the integers.
  for (const p of order) {
    if (view.op(p) !== 'DequantizeLinear' || view.owner[p] !== p) continue;
    const readers = view.readers(view.output(p));
    if (readers.length > 0 && readers.every((r) => r >= 0 && view.integer[r] === 1))
      view.owner[p] = view.owner[readers[0] ?? -1] ?? -1;
  }
}

/** `overridable`: numbers of constants that the runtime does not count on. */
export function fusionsOf(scope: Scope, overridable: ReadonlySet<number>): Fusions {
  const view = new View(scope, overridable);
  view.begin();
  groupIntegers(view, scope.wiring.order);
  for (const p of scope.wiring.order)
    if (view.owner[p] === p && view.integer[p] === 0 && products.has(view.op(p))) follow(view, p);
  return view;
}
