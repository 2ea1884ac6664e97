/**
 * Owns static quantization: QuantizeLinear and DequantizeLinear around layers and between them (QDQ), which the runtime fuses
 * into 8-bit kernels. Weights uint8 around 128 (int8 would saturate on x86 processors without 8-bit dot products), activations uint8 (symmetric ones
 * around 128), biases int32 with scale = data x weight.
 */

import { lazy } from '../base/lazy.ts';
import { attr } from '../ir/attribute.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { lazyTensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor, packNumbers, toNumbers } from '../ir/values.ts';
import { linearLayer } from '../transforms/channel-scaling.ts';
import { constantValue } from '../transforms/constant-values.ts';
import { readBy } from '../transforms/input-channels.ts';
import type { Ranges } from './declare.ts';
import type { Correction } from './quantize-correction.ts';
import { ActivationGrids, type GridChoices, type GridNames } from './quantize-grids.ts';
import type { QuantLayer } from './quantize-layers.ts';
import {
  around128,
  channelMaxima,
  type Grid,
  lazyNumbers,
  quantizedTensor,
  roundedLevels,
  symmetricScales,
  usableScale,
} from './quantize-numbers.ts';
import type { QuantPlan } from './quantize-plan.ts';
import type { Rounder } from './quantize-rounding.ts';

/** What the parameters choose of a static rewrite. */
export interface StaticChoices extends GridChoices {
  readonly round: Rounder;
  readonly correct: Correction;
}

/** A weight in the graph, shared by the layers that read it (S17). */
interface WeightForm {
  readonly name: string;
  readonly scales: () => Float64Array;
  /** The numbers that it stands for. */
  readonly rounded: () => Float64Array;
  /** Lower bounds of the scales that its layers' biases ask for, so that int32 holds them. */
  readonly bounds: (() => Float64Array)[];
}

const requantized: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm']);

/** Biases keep clear of the ends of int32, where an accumulator would overflow. */
const biasTop = 2 ** 30;

export class StaticRewrite {
  readonly #plan: QuantPlan;
  readonly #edit: GraphEdit;
  readonly #model: Model;
  readonly #how: StaticChoices;
  readonly #grids: ActivationGrids;
  readonly #weights = new Map<string, WeightForm>();
  readonly #operands = new Map<string, string>();
  /** Names of the integers that a quantized value is. */
  readonly #integers = new Map<string, string>();
  #nodes: Node[] = [];

  constructor(model: Model, plan: QuantPlan, ranges: Ranges, how: StaticChoices) {
    this.#plan = plan;
    this.#model = model;
    this.#how = how;
    this.#edit = new GraphEdit(model.graph);
    this.#grids = new ActivationGrids(model, plan, ranges, how, this.#edit);
  }

  /** The rewritten model; nodes in topological order (S15). */
  run(): Model {
    const { graph } = this.#model;
    const index = graphIndex(graph);
    const { values } = this.#plan;
    // What readers take instead of a quantized value, and what its maker calls it.
    const read = new Map<string, string>();
    const made = new Map<string, string>();
    for (const v of values.keys()) {
      const isOutput = index.outputNames.has(v) && index.producer.has(v);
      read.set(v, isOutput ? v : this.#edit.unique(`${v}_dequantized`));
      if (isOutput) made.set(v, this.#edit.unique(`${v}_float`));
    }
    for (const input of index.requiredInputs) this.#around(input.name, input.name, read.get(input.name));
    for (const node of index.order) {
      if (values.get(node.outputs[0] ?? '')?.scaled !== undefined) {
        this.#scaled(node.outputs[0] ?? '', read.get(node.outputs[0] ?? ''));
        continue;
      }
      const layer = this.#plan.layers.get(node.id);
      const inputs = node.inputs.map((i) => read.get(i) ?? this.#operand(node, i));
      const now =
        layer === undefined ? this.#float({ ...node, inputs }, node) : this.#layer({ ...node, inputs }, layer);
      this.#nodes.push({ ...now, outputs: now.outputs.map((o) => made.get(o) ?? o) });
      for (const o of node.outputs) this.#around(o, made.get(o) ?? o, read.get(o));
    }
    const swapped = new GraphEdit({ ...this.#edit.done(), nodes: this.#nodes });
    swapped.removeUnused();
    return { ...this.#model, graph: swapped.done() };
  }

  /**
   * A node that stays float. The runtime would quantize the weights of a Conv, ConvTranspose or Gemm between quantized values by itself, with
   * one scale for all; it leaves those alone whose input is decoded with a scale per channel. So they get one: the same number for each.
   */
  #float(node: Node, was: Node): Node {
    const value = was.inputs[0] ?? '';
    const integers = this.#integers.get(value);
    if (integers === undefined || !requantized.has(node.op)) return node;
    const linear = linearLayer(this.#model.graph, was);
    const read = linear === undefined ? undefined : readBy(linear);
    if (read === undefined || read.channels < 2) return node;
    const output = this.#edit.unique(`${value}_for_float`);
    const { scale, zeroPoint } = this.#grids.perChannel(value, read.channels);
    this.#nodes.push(
      this.#edit.make({
        op: 'DequantizeLinear',
        inputs: [integers, scale, zeroPoint],
        outputs: [output],
        attributes: [attr.int('axis', 1)],
      }),
    );
    return { ...node, inputs: [output, ...node.inputs.slice(1)] };
  }

  /** value -> QuantizeLinear -> DequantizeLinear -> reader. */
  #around(value: string, from: string, to: string | undefined): void {
    if (to === undefined || !this.#plan.values.has(value)) return;
    const { scale, zeroPoint } = this.#grids.of(value);
    const quantized = this.#edit.unique(`${value}_quantized`);
    this.#integers.set(value, quantized);
    const make = (op: string, input: string, output: string): Node =>
      this.#edit.make({ op, name: `${output}/${op}`, inputs: [input, scale, zeroPoint], outputs: [output] });
    this.#nodes.push(make('QuantizeLinear', from, quantized), make('DequantizeLinear', quantized, to));
  }

  /** The integers of another value, read under a scaled grid. */
  #scaled(value: string, to = value): void {
    const of = this.#plan.values.get(value)?.scaled?.of ?? '';
    const { scale, zeroPoint } = this.#grids.of(value);
    const quantized = this.#integers.get(of) ?? '';
    this.#integers.set(value, quantized);
    this.#nodes.push(this.#edit.make({ op: 'DequantizeLinear', inputs: [quantized, scale, zeroPoint], outputs: [to] }));
  }

  /** A constant operand of an elementwise node between quantized values, on a grid of its own. */
  #operand(node: Node, name: string): string {
    if (!this.#plan.operands.has(name) || !node.outputs.some((o) => this.#isResult(node, o))) return name;
    const found = this.#operands.get(name);
    if (found !== undefined) return found;
    const held = constantValue(this.#model.graph, name)?.tensor;
    if (held === undefined || held.type !== 'float') return name;
    const numbers = lazy(() => toNumbers(held));
    const grid = lazy((): Grid => {
      const all = numbers();
      const range = { min: all.reduce((a, b) => Math.min(a, b), 0), max: all.reduce((a, b) => Math.max(a, b), 0) };
      return this.#grids.over(range);
    });
    const { scale, zeroPoint } = this.#grids.tensors(name, grid);
    const stored = this.#edit.unique(`${name}_quantized`);
    this.#edit.setInitializer(
      lazyTensor(stored, this.#grids.type, held.dims, () => {
        const g = grid();
        return packNumbers(
          this.#grids.type,
          numbers().map((x) => x / g.scale + g.zeroPoint),
        );
      }),
    );
    const out = this.#edit.unique(`${name}_dequantized`);
    this.#nodes.push(this.#edit.make({ op: 'DequantizeLinear', inputs: [stored, scale, zeroPoint], outputs: [out] }));
    this.#operands.set(name, out);
    return out;
  }

  /** True where the output, or what a fused activation makes of it, is quantized. */
  #isResult(node: Node, output: string): boolean {
    if (this.#plan.values.has(output)) return true;
    const uses = graphIndex(this.#model.graph).uses.get(output) ?? [];
    const only = uses.length === 1 ? uses[0]?.node.outputs[0] : undefined;
    return node.op !== 'Constant' && only !== undefined && this.#plan.values.has(only);
  }

  #layer(node: Node, layer: QuantLayer): Node {
    const data = layer.node.inputs[0] ?? '';
    const x = this.#grids.of(data);
    const weight = this.#weight(layer);
    const inputs = [node.inputs[0] ?? '', weight.name];
    const shift = this.#how.correct(layer);
    if (layer.bias !== undefined || shift !== undefined) inputs.push(this.#bias(layer, shift, x, weight));
    const attributes =
      node.op === 'Gemm' ? node.attributes.filter((a) => a.name !== 'alpha' && a.name !== 'beta') : node.attributes;
    // Between matrices; what a MatMul adds it takes as a Gemm.
    return { ...node, op: inputs.length > 2 && node.op === 'MatMul' ? 'Gemm' : node.op, inputs, attributes };
  }

  #weight(layer: QuantLayer): WeightForm {
    const base = layer.weight.tensor.name;
    const key = `${base}|${layer.axis}|${layer.alpha}`;
    const found = this.#weights.get(key);
    if (found !== undefined) return found;
    const { dims } = layer.weight.tensor;
    const bounds: (() => Float64Array)[] = [];
    const scales = lazy(() => {
      const own = symmetricScales(channelMaxima(layer.numbers(), layer.channels, layer.channelOf), 127);
      for (const bound of bounds)
        bound().forEach((b, c) => {
          if (b > (own[c] ?? 1)) own[c] = usableScale(b * (1 + 1e-6));
        });
      return own;
    });
    const scaleDims = layer.axis === undefined ? [] : [layer.channels];
    const stored = this.#edit.unique(`${base}_quantized`);
    const scale = this.#edit.unique(`${base}_scale`);
    const zeroPoint = this.#edit.unique(`${base}_zero_point`);
    this.#edit.setInitializer(lazyNumbers(scale, 'float', scaleDims, scales));
    this.#edit.setInitializer(numbersTensor(zeroPoint, 'uint8', scaleDims, new Uint8Array(layer.channels).fill(128)));
    const scaleOf = (k: number): number => scales()[layer.channelOf(k)] ?? 1;
    const { uniform } = layer.weight;
    const levels = lazy(() =>
      uniform === undefined ? this.#how.round(layer, scaleOf, 127) : roundedLevels(layer.numbers(), scaleOf, 127),
    );
    if (uniform === undefined) this.#edit.setInitializer(around128(quantizedTensor(stored, 'int8', dims, levels)));
    else {
      const shape = this.#edit.unique(`${base}_shape`);
      this.#edit.setInitializer(int64Tensor(shape, [dims.length], dims));
      const one = (): Float64Array => toNumbers(uniform).map((u) => u * layer.alpha);
      const attributes = [
        attr.tensor('value', around128(quantizedTensor('', 'int8', [1], () => roundedLevels(one(), scaleOf, 127)))),
      ];
      this.#nodes.push(this.#edit.make({ op: 'ConstantOfShape', inputs: [shape], outputs: [stored], attributes }));
    }
    const name = this.#edit.unique(`${base}_dequantized`);
    const attributes = layer.axis === undefined ? [] : [attr.int('axis', layer.axis)];
    this.#nodes.push(
      this.#edit.make({ op: 'DequantizeLinear', inputs: [stored, scale, zeroPoint], outputs: [name], attributes }),
    );
    const form = { name, scales, bounds, rounded: () => levels().map((q, k) => q * scaleOf(k)) };
    this.#weights.set(key, form);
    return form;
  }

  /** int32 with scale = data x weight, one per output channel (a grouped ConvTranspose repeats its weight's scales). */
  #bias(layer: QuantLayer, shift: ReturnType<Correction>, x: GridNames, weight: WeightForm): string {
    const own = layer.bias ?? (() => new Float64Array(layer.outputChannels));
    const corrected = lazy(() => {
      const by = shift?.(weight.rounded);
      return by === undefined ? own() : own().map((b, c) => b + (by[c] ?? 0));
    });
    const base = `${layer.node.id}_bias`;
    const perChannel = layer.axis !== undefined;
    weight.bounds.push(() => {
      const least = new Float64Array(layer.channels);
      own().forEach((b, c) => {
        const k = c % layer.channels;
        least[k] = Math.max(least[k] ?? 0, Math.abs(b) / (x.value() * biasTop));
      });
      return least;
    });
    const scaleOf = (c: number): number => Math.fround(x.value() * (weight.scales()[c % layer.channels] ?? 1));
    const scaleDims = perChannel ? [layer.outputChannels] : [];
    const stored = this.#edit.unique(`${base}_quantized`);
    const scale = this.#edit.unique(`${base}_scale`);
    const zeroPoint = this.#edit.unique(`${base}_zero_point`);
    const count = perChannel ? layer.outputChannels : 1;
    this.#edit.setInitializer(
      lazyNumbers(scale, 'float', scaleDims, () => Array.from({ length: count }, (_, c) => scaleOf(c))),
    );
    this.#edit.setInitializer(numbersTensor(zeroPoint, 'int32', scaleDims, new Int32Array(count)));
    this.#edit.setInitializer(
      lazyNumbers(stored, 'int32', [layer.outputChannels], () => corrected().map((b, c) => b / scaleOf(c))),
    );
    const name = this.#edit.unique(`${base}_dequantized`);
    const attributes = perChannel ? [attr.int('axis', 0)] : [];
    this.#nodes.push(
      this.#edit.make({ op: 'DequantizeLinear', inputs: [stored, scale, zeroPoint], outputs: [name], attributes }),
    );
    return name;
  }
}
