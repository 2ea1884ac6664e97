/** Owns writing a network down layer by layer, with weights drawn from a seed (He et al. 2015). */
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import type { Attribute, Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';

export interface ConvOptions {
  readonly stride?: number;
  readonly pad?: number;
  readonly group?: number;
  readonly bias?: boolean;
}

/** Collects nodes and tensors; every layer method returns the name of its output. */
export class NetWriter {
  readonly #nodes: Node[] = [];
  readonly #tensors: Tensor[] = [];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  node(op: string, inputs: readonly string[], name: string, attributes: readonly Attribute[] = []): string {
    this.#nodes.push({ id: name, name, op, domain: '', inputs, outputs: [name], attributes });
    return name;
  }

  filled(name: string, dims: readonly number[], value: number): string {
    const count = dims.reduce((a, b) => a * b, 1);
    this.#tensors.push(numbersTensor(name, 'float', dims, new Float32Array(count).fill(value)));
    return name;
  }

  /** Normal, variance 2 / fanIn. */
  weight(name: string, dims: readonly number[], fanIn: number): string {
    const random = rng(this.#seed).fork(name);
    const count = dims.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length: count }, () => random.normal() * Math.sqrt(2 / fanIn));
    this.#tensors.push(numbersTensor(name, 'float', dims, values));
    return name;
  }

  conv(x: string, name: string, cin: number, cout: number, k: number, o: ConvOptions = {}): string {
    const group = o.group ?? 1;
    const pad = o.pad ?? 0;
    const w = this.weight(`${name}.weight`, [cout, cin / group, k, k], (cin / group) * k * k);
    const inputs = o.bias === false ? [x, w] : [x, w, this.filled(`${name}.bias`, [cout], 0)];
    return this.node('Conv', inputs, name, [
      attr.ints('kernel_shape', [k, k]),
      attr.ints('strides', [o.stride ?? 1, o.stride ?? 1]),
      attr.ints('pads', [pad, pad, pad, pad]),
      attr.int('group', group),
    ]);
  }

  dense(x: string, name: string, cin: number, cout: number): string {
    const w = this.weight(`${name}.weight`, [cout, cin], cin);
    return this.node('Gemm', [x, w, this.filled(`${name}.bias`, [cout], 0)], name, [attr.int('transB', 1)]);
  }

  norm(x: string, name: string, channels: number): string {
    const part = (p: string, v: number): string => this.filled(`${name}.${p}`, [channels], v);
    const inputs = [x, part('scale', 1), part('bias', 0), part('mean', 0), part('variance', 1)];
    return this.node('BatchNormalization', inputs, name);
  }

  relu(x: string, name: string): string {
    return this.node('Relu', [x], name);
  }

  maxPool(x: string, name: string, k: number): string {
    return this.node('MaxPool', [x], name, [attr.ints('kernel_shape', [k, k]), attr.ints('strides', [k, k])]);
  }

  /** input [N, ...sample] -> output [N, classes] */
  model(name: string, sample: readonly number[], output: string, classes: number): Model {
    const value = (v: string, shape: readonly (number | string)[]) =>
      ({ name: v, type: { kind: 'tensor', elem: 'float', shape } }) as const;
    return {
      irVersion: 8,
      opsets: [{ domain: '', version: 17 }],
      producerName: 'bantam',
      producerVersion: '',
      graph: {
        name,
        nodes: this.#nodes,
        initializers: this.#tensors,
        sparseInitializers: [],
        inputs: [value('input', ['N', ...sample])],
        outputs: [value(output, ['N', classes])],
        valueInfos: [],
      },
      functions: [],
      metadata: [],
    };
  }
}
