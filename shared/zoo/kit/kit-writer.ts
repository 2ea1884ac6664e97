/** Owns KitWriter: how the small models that calibrate a device are written, in floats, half floats or 8 bits. */
import { attr } from '../../ir/attribute.ts';
import { elementCount } from '../../ir/element-type.ts';
import type { Attribute, Model, Node, ValueInfo } from '../../ir/model.ts';
import { lazyTensor, type Tensor } from '../../ir/tensor.ts';
import { numbersTensor, packNumbers } from '../../ir/values.ts';

export type KitType = 'fp32' | 'fp16' | 'int8';

/** A value while it is written. In 8 bits it is what DequantizeLinear gives, and every layer ends in a pair of its own. */
export interface KitValue {
  readonly name: string;
  readonly dims: readonly number[];
}

/** Weights are all one small number: values change no time, as long as none is denormal. */
export class KitWriter {
  readonly #nodes: Node[] = [];
  readonly #tensors = new Map<string, Tensor>();
  readonly #type: KitType;

  constructor(type: KitType) {
    this.#type = type;
  }

  get #elem(): 'float' | 'float16' {
    return this.#type === 'fp16' ? 'float16' : 'float';
  }

  node(op: string, inputs: readonly string[], name: string, attributes: readonly Attribute[] = []): string {
    this.#nodes.push({ id: name, name, op, domain: '', inputs, outputs: [name], attributes });
    return name;
  }

  #constant(tensor: Tensor): string {
    if (!this.#tensors.has(tensor.name)) this.#tensors.set(tensor.name, tensor);
    return tensor.name;
  }

  #filled(name: string, type: Tensor['type'], dims: readonly number[], value: number): string {
    const count = elementCount(dims);
    const make = (): Uint8Array => packNumbers(type, new Float64Array(count).fill(value));
    return this.#constant(lazyTensor(name, type, dims, make));
  }

  numbers(name: string, dims: readonly number[], values: readonly number[]): string {
    return this.#constant(numbersTensor(name, 'int64', dims, values));
  }

  #pair(value: string): string {
    const scale = this.#constant(numbersTensor('scale', 'float', [], [0.02]));
    const zero = this.#constant(numbersTensor('zero', 'uint8', [], [128]));
    const q = this.node('QuantizeLinear', [value, scale, zero], `${value}.q`);
    return this.node('DequantizeLinear', [q, scale, zero], `${value}.dq`);
  }

  /** The model's input; in 8 bits quantized at once, as a static quantization does. */
  input(dims: readonly number[]): KitValue {
    return { name: this.#type === 'int8' ? this.#pair('input') : 'input', dims };
  }

  weight(name: string, dims: readonly number[]): string {
    if (this.#type !== 'int8') return this.#filled(name, this.#elem, dims, 0.01);
    const scale = this.#constant(numbersTensor('weight scale', 'float', [], [0.01]));
    const zero = this.#constant(numbersTensor('weight zero', 'int8', [], [0]));
    return this.node('DequantizeLinear', [this.#filled(`${name}.stored`, 'int8', dims, 1), scale, zero], name);
  }

  /** Ends a layer. */
  done(name: string, dims: readonly number[]): KitValue {
    return { name: this.#type === 'int8' ? this.#pair(name) : name, dims };
  }

  /** x: [1, C, H, W] -> [1, channels, H / stride, W / stride], odd kernels, padded to keep the size. */
  conv(x: KitValue, name: string, channels: number, k: number, stride = 1, group = 1): KitValue {
    const [, c = 1, h = 1, w = 1] = x.dims;
    const pad = (k - 1) / 2;
    const out = this.node('Conv', [x.name, this.weight(`${name}.w`, [channels, c / group, k, k])], name, [
      attr.ints('kernel_shape', [k, k]),
      attr.ints('strides', [stride, stride]),
      attr.ints('pads', [pad, pad, pad, pad]),
      attr.int('group', group),
    ]);
    return this.done(out, [1, channels, Math.ceil(h / stride), Math.ceil(w / stride)]);
  }

  /** x: [rows, C] -> [rows, features] */
  gemm(x: KitValue, name: string, features: number): KitValue {
    const [rows = 1, c = 1] = x.dims;
    const out = this.node('Gemm', [x.name, this.weight(`${name}.w`, [features, c])], name, [attr.int('transB', 1)]);
    return this.done(out, [rows, features]);
  }

  model(name: string, dims: readonly number[], outputs: readonly KitValue[]): Model {
    const value = (v: string, shape: readonly number[]): ValueInfo => ({
      name: v,
      type: { kind: 'tensor', elem: this.#elem, shape },
    });
    return {
      irVersion: 8,
      opsets: [{ domain: '', version: 17 }],
      producerName: 'bantam',
      producerVersion: '',
      graph: {
        name,
        nodes: this.#nodes,
        initializers: [...this.#tensors.values()],
        sparseInitializers: [],
        inputs: [value('input', dims)],
        outputs: outputs.map((o) => value(o.name, o.dims)),
        valueInfos: [],
      },
      functions: [],
      metadata: [],
    };
  }
}
