/**
 * Owns writing a network down layer by layer: nodes, weights drawn from a seed (He et al. 2015) and computed only when asked
 * for, and the size that each value has.
 */
import { Fault } from '../base/fault.ts';
import { rng } from '../base/random.ts';
import { text } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import type { Attribute, Model, Node } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';

/** A value of the net while it is written: [N, channels, height, width], or [N, channels] once flat (height = width = 1). */
export interface Tap {
  readonly value: string;
  readonly channels: number;
  /** null: not known here (a block put into a graph with an open size). */
  readonly height: number | null;
  readonly width: number | null;
}

export type Kernel = number | readonly [height: number, width: number];

export interface WindowOptions {
  readonly stride?: number;
  /** Zeros on each side; 'same': (k - 1) / 2, which keeps the size at stride 1. */
  readonly pad?: Kernel | 'same';
}
export interface ConvOptions extends WindowOptions {
  readonly group?: number;
  /** Off where a BatchNormalization follows. */
  readonly bias?: boolean;
}
export type Activation = 'relu' | 'relu6' | 'none';

const pair = (k: Kernel): readonly [number, number] => (typeof k === 'number' ? [k, k] : k);

/** Collects nodes and tensors; every layer method returns its output. `fresh` makes a name unique in a graph it goes into. */
export class NetWriter {
  readonly #nodes: Node[] = [];
  readonly #tensors = new Map<string, Tensor>();
  readonly #seed: number;
  readonly #fresh: (name: string) => string;
  /** Written names of tensors that several layers read. */
  readonly #shared = new Map<string, string>();

  constructor(seed: number, fresh: (name: string) => string = (name) => name) {
    this.#seed = seed;
    this.#fresh = fresh;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }
  get tensors(): readonly Tensor[] {
    return [...this.#tensors.values()];
  }

  /** One node; the names of its outputs (the first is `name`, further ones `name.1`, `name.2` ...). */
  multi(
    op: string,
    inputs: readonly string[],
    name: string,
    count: number,
    attributes: readonly Attribute[] = [],
  ): readonly string[] {
    const outputs = Array.from({ length: count }, (_, k) => this.#fresh(k === 0 ? name : `${name}.${k}`));
    const id = outputs[0] ?? name;
    this.#nodes.push({ id, name: id, op, domain: '', inputs, outputs, attributes });
    return outputs;
  }

  node(op: string, inputs: readonly string[], name: string, attributes: readonly Attribute[] = []): string {
    return this.multi(op, inputs, name, 1, attributes)[0] ?? name;
  }

  #store(tensor: Tensor): string {
    const name = this.#fresh(tensor.name);
    this.#tensors.set(name, { ...tensor, name });
    return name;
  }

  filled(name: string, dims: readonly number[], value: number): string {
    const count = elementCount(dims);
    return this.#store(
      lazyTensor(name, 'float', dims, () => new Uint8Array(new Float32Array(count).fill(value).buffer)),
    );
  }

  /** A constant that several layers may read: stored once. */
  constant(name: string, make: (name: string) => Tensor): string {
    const known = this.#shared.get(name);
    if (known !== undefined) return known;
    const written = this.#store(make(name));
    this.#shared.set(name, written);
    return written;
  }

  /** Normal, variance 2 / fanIn (He et al. 2015, eq. 10). */
  weight(name: string, dims: readonly number[], fanIn: number): string {
    const seed = this.#seed;
    return this.#store(
      lazyTensor(name, 'float', dims, () => {
        const random = rng(seed).fork(name);
        const scale = Math.sqrt(2 / fanIn);
        const values = Float32Array.from({ length: elementCount(dims) }, () => random.normal() * scale);
        return new Uint8Array(values.buffer);
      }),
    );
  }

  /** Output length of a window along one axis. Faults: `bad-input` where nothing is left. */
  #reach(name: string, size: number | null, k: number, pad: number, stride: number, ceil = false): number | null {
    if (size === null) return null;
    const steps = (size + 2 * pad - k) / stride;
    let out = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // ONNX drops a last window that would begin beyond the input and its left padding.
    if (ceil && (out - 1) * stride >= size + pad) out--;
    if (out < 1 || size + 2 * pad < k)
      throw new Fault(
        'bad-input',
        text(
          `the input is too small: a ${k} wide window meets ${size}`,
          `입력이 너무 작습니다: 너비 ${k}인 창에 크기가 ${size}입니다`,
        ),
        {
          where: name,
          hint: text('Take a larger input size.', '입력 크기를 키우세요.'),
        },
      );
    return out;
  }

  #window(x: Tap, name: string, kernel: Kernel, o: WindowOptions, ceil = false, bare = true) {
    const k = pair(kernel);
    const stride = o.stride ?? 1;
    const pad = o.pad === 'same' ? ([(k[0] - 1) / 2, (k[1] - 1) / 2] as const) : pair(o.pad ?? 0);
    return {
      attributes: [
        attr.ints('kernel_shape', k),
        attr.ints('strides', [stride, stride]),
        ...(bare && pad[0] === 0 && pad[1] === 0 ? [] : [attr.ints('pads', [...pad, ...pad])]),
      ],
      kernel: k,
      height: this.#reach(name, x.height, k[0], pad[0], stride, ceil),
      width: this.#reach(name, x.width, k[1], pad[1], stride, ceil),
    };
  }

  conv(x: Tap, name: string, channels: number, kernel: Kernel, o: ConvOptions = {}): Tap {
    const group = o.group ?? 1;
    const { attributes, kernel: k, height, width } = this.#window(x, name, kernel, o, false, false);
    const each = x.channels / group;
    if (!Number.isInteger(each) || channels % group !== 0)
      throw new Fault(
        'bad-input',
        text(
          `${x.channels} to ${channels} channels cannot stand in ${group} groups`,
          `채널 ${x.channels}개에서 ${channels}개로 가는 레이어는 그룹 ${group}개로 나눌 수 없습니다`,
        ),
        {
          where: name,
        },
      );
    const w = this.weight(`${name}.weight`, [channels, each, ...k], each * k[0] * k[1]);
    const inputs = o.bias === false ? [x.value, w] : [x.value, w, this.filled(`${name}.bias`, [channels], 0)];
    return {
      value: this.node('Conv', inputs, name, [...attributes, attr.int('group', group)]),
      channels,
      height,
      width,
    };
  }

  dense(x: Tap, name: string, features: number, o: { readonly bias?: boolean } = {}): Tap {
    const w = this.weight(`${name}.weight`, [features, x.channels], x.channels);
    const inputs = o.bias === false ? [x.value, w] : [x.value, w, this.filled(`${name}.bias`, [features], 0)];
    const value = this.node('Gemm', inputs, name, [attr.int('transB', 1)]);
    return { value, channels: features, height: 1, width: 1 };
  }

  norm(x: Tap, name: string): Tap {
    const part = (p: string, v: number): string => this.filled(`${name}.${p}`, [x.channels], v);
    const inputs = [x.value, part('scale', 1), part('bias', 0), part('mean', 0), part('variance', 1)];
    return { ...x, value: this.node('BatchNormalization', inputs, name) };
  }

  relu(x: Tap, name: string): Tap {
    return { ...x, value: this.node('Relu', [x.value], name) };
  }

  activation(x: Tap, name: string, kind: Activation): Tap {
    if (kind === 'none') return x;
    if (kind === 'relu') return this.relu(x, name);
    const bound = (n: string, v: number): string => this.constant(n, (as) => numbersTensor(as, 'float', [], [v]));
    return { ...x, value: this.node('Clip', [x.value, bound('zero', 0), bound('six', 6)], name) };
  }

  /** Convolution without bias, BatchNormalization, activation: `name`, `name.norm`, `name.relu`. */
  convNorm(
    x: Tap,
    name: string,
    channels: number,
    kernel: Kernel,
    o: Omit<ConvOptions, 'bias'> & { readonly act?: Activation } = {},
  ): Tap {
    const y = this.norm(this.conv(x, name, channels, kernel, { pad: 'same', ...o, bias: false }), `${name}.norm`);
    return this.activation(y, `${name}.relu`, o.act ?? 'relu');
  }

  maxPool(x: Tap, name: string, k: number, o: WindowOptions & { readonly ceil?: boolean } = {}): Tap {
    const { attributes, height, width } = this.#window(x, name, k, { stride: k, ...o }, o.ceil);
    const more = o.ceil === true ? [attr.int('ceil_mode', 1)] : [];
    return { ...x, value: this.node('MaxPool', [x.value], name, [...attributes, ...more]), height, width };
  }

  averagePool(x: Tap, name: string, k: number, o: WindowOptions & { readonly countPad?: boolean } = {}): Tap {
    const { attributes, height, width } = this.#window(x, name, k, { stride: k, ...o });
    const more = o.countPad === true ? [attr.int('count_include_pad', 1)] : [];
    return { ...x, value: this.node('AveragePool', [x.value], name, [...attributes, ...more]), height, width };
  }

  globalPool(x: Tap, name: string): Tap {
    return { ...x, value: this.node('GlobalAveragePool', [x.value], name), height: 1, width: 1 };
  }

  flatten(x: Tap, name: string): Tap {
    const { height, width } = x;
    if (height === null || width === null)
      throw new Fault(
        'does-not-fit',
        text('a picture of open size cannot be flattened', '크기가 정해지지 않은 그림은 펼칠 수 없습니다'),
        { where: name },
      );
    const channels = x.channels * height * width;
    return { value: this.node('Flatten', [x.value], name), channels, height: 1, width: 1 };
  }

  add(a: Tap, b: Tap, name: string): Tap {
    return { ...a, value: this.node('Add', [a.value, b.value], name) };
  }

  concat(parts: readonly Tap[], name: string): Tap {
    const first = parts[0];
    if (first === undefined)
      throw new Fault('internal', text('nothing to concatenate', '이어 붙일 것이 없습니다'), { where: name });
    const value = this.node(
      'Concat',
      parts.map((p) => p.value),
      name,
      [attr.int('axis', 1)],
    );
    return { ...first, value, channels: parts.reduce((n, p) => n + p.channels, 0) };
  }

  /** Channels in two halves. */
  halves(x: Tap, name: string): readonly [Tap, Tap] {
    const half = x.channels / 2;
    const sizes = this.constant(`halves of ${x.channels}`, (as) => int64Tensor(as, [2], [half, half]));
    const [a = '', b = ''] = this.multi('Split', [x.value, sizes], name, 2, [attr.int('axis', 1)]);
    return [
      { ...x, value: a, channels: half },
      { ...x, value: b, channels: half },
    ];
  }

  /** Channel c of group g goes to place c * groups + g (Zhang et al. 2018, section 3.1). */
  shuffle(x: Tap, name: string, groups: number): Tap {
    const { height, width, channels } = x;
    if (height === null || width === null)
      throw new Fault(
        'does-not-fit',
        text(
          'channels of a picture of open size cannot be shuffled',
          '크기가 정해지지 않은 그림의 채널은 섞을 수 없습니다',
        ),
        { where: name },
      );
    const shape = (part: string, dims: readonly number[]): string =>
      this.constant(`${name}.${part}`, (as) => int64Tensor(as, [dims.length], dims));
    const apart = shape('apart', [0, groups, channels / groups, height, width]);
    const split = this.node('Reshape', [x.value, apart], `${name}.split`);
    const turned = this.node('Transpose', [split], `${name}.turned`, [attr.ints('perm', [0, 2, 1, 3, 4])]);
    return { ...x, value: this.node('Reshape', [turned, shape('whole', [0, channels, height, width])], name) };
  }

  /** input [N, C, H, W] */
  input(channels: number, height: number, width: number): Tap {
    return { value: 'input', channels, height, width };
  }

  /** input [N, C, H, W] -> scores [N, classes] */
  model(name: string, input: Tap, output: Tap): Model {
    const value = (v: string, shape: readonly (number | string | null)[]) =>
      ({ name: v, type: { kind: 'tensor', elem: 'float', shape } }) as const;
    return {
      irVersion: 8,
      opsets: [{ domain: '', version: 17 }],
      producerName: 'bantam',
      producerVersion: '',
      graph: {
        name,
        nodes: this.#nodes,
        initializers: this.tensors,
        sparseInitializers: [],
        inputs: [value(input.value, ['N', input.channels, input.height, input.width])],
        outputs: [value(output.value, ['N', output.channels])],
        valueInfos: [],
      },
      functions: [],
      metadata: [],
    };
  }
}
