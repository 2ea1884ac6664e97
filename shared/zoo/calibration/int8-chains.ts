/** Owns calibration chains of integer kernels: quantize-dequantize groups as a static quantization writes them, and dynamic ones. */
import type { Rng } from '../../base/random.ts';
import { attr } from '../../ir/attribute.ts';
import type { Model } from '../../ir/model.ts';
import type { Tap } from '../write-net.ts';
import { type ChainFamily, channelsBetween, pick, Written } from './written.ts';

const sides = [112, 56, 28, 28, 14, 14, 7] as const;

/** A chain whose every value passes through QuantizeLinear and DequantizeLinear. */
class Quantized extends Written {
  #count = 0;

  /** QuantizeLinear, DequantizeLinear on 8 bits. */
  rounded(value: string): string {
    const name = `r${this.#count++}`;
    const [scale, zero] = [this.scalar(0.02), this.zero('uint8')];
    return this.node(
      'DequantizeLinear',
      [this.node('QuantizeLinear', [value, scale, zero], `${name}.q`), scale, zero],
      name,
    );
  }

  /** A weight of 8 bits through DequantizeLinear. */
  weight8(name: string, dims: readonly number[]): string {
    const stored = this.ones(`${name}.stored`, 'int8', dims);
    return this.node('DequantizeLinear', [stored, this.scalar(0.02), this.zero('int8')], name);
  }

  bias32(name: string, channels: number): string {
    const stored = this.ones(`${name}.stored`, 'int32', [channels]);
    return this.node('DequantizeLinear', [stored, this.scalar(0.0004)], name);
  }

  conv8(x: Tap, name: string, cout: number, k: number, stride: number, group = 1): Tap {
    const w = this.weight8(`${name}.w`, [cout, x.channels / group, k, k]);
    const pad = (k - 1) / 2;
    const y = this.node('Conv', [x.value, w, this.bias32(`${name}.b`, cout)], name, [
      attr.ints('kernel_shape', [k, k]),
      attr.ints('pads', [pad, pad, pad, pad]),
      attr.ints('strides', [stride, stride]),
      attr.int('group', group),
    ]);
    const size = (d: number | null): number => Math.floor(((d ?? 1) + 2 * pad - k) / stride) + 1;
    return { value: this.rounded(y), channels: cout, height: size(x.height), width: size(x.width) };
  }
}

function convs(random: Rng): Model {
  const net = new Quantized(random.below(1 << 30));
  const side = pick(random, sides);
  const high = side > 60 ? 96 : side > 20 ? 256 : 768;
  const multiple = pick(random, [1, 8, 8, 8]);
  const input = net.input(channelsBetween(random, 8, high, multiple), side, side);
  let x: Tap = { ...input, value: net.rounded('input') };
  for (let k = 0; k < 6; k++) {
    const kernel = pick(random, [1, 1, 3, 3, 5]);
    let cout = channelsBetween(random, 8, high, multiple);
    const macs = (c: number): number => (x.height ?? 1) * (x.width ?? 1) * x.channels * c * kernel * kernel;
    while (macs(cout) > 1e8 && cout > 16) cout = Math.ceil(cout / 2 / multiple) * multiple;
    x = net.conv8(x, `conv${k}`, cout, kernel, (x.height ?? 1) >= 14 && random.next() < 0.2 ? 2 : 1);
  }
  return net.whole(input, x);
}

function mixed(random: Rng): Model {
  const net = new Quantized(random.below(1 << 30));
  const side = pick(random, sides);
  const c = channelsBetween(random, 16, side > 60 ? 96 : side > 20 ? 256 : 768, 8);
  const input = net.input(c, side, side);
  const x: Tap = { ...input, value: net.rounded('input') };
  const a = net.conv8(x, 'depth3', c, 3, 1, c);
  const b = net.conv8(a, 'depth5', c, 5, 1, c);
  const d = net.conv8(a, 'depth2', c, 3, 2, c);
  const sum = net.rounded(net.node('Add', [a.value, b.value], 'sum'));
  const times = net.rounded(net.node('Mul', [a.value, b.value], 'times'));
  const joined = net.rounded(net.node('Concat', [a.value, b.value], 'joined', [attr.int('axis', 1)]));
  const window = [attr.ints('kernel_shape', [3, 3]), attr.ints('pads', [1, 1, 1, 1])];
  const most = net.rounded(net.node('MaxPool', [sum], 'max', window));
  const mean = net.rounded(net.node('AveragePool', [sum], 'mean', window));
  const whole = net.rounded(net.node('GlobalAveragePool', [joined], 'global'));
  const squash = net.rounded(net.node('Sigmoid', [sum], 'sigmoid'));
  return net.wholeOf(input, [d], [times, most, mean, whole, squash]);
}

function dense(random: Rng): Model {
  const net = new Quantized(random.below(1 << 30));
  const rows = pick(random, [1, 1, 16, 64, 128]);
  let size = channelsBetween(random, 32, rows === 1 ? 4096 : 768, 1);
  const input = net.input(rows, 1, size);
  let value = net.rounded(net.node('Reshape', ['input', net.ints([rows, size])], 'flat'));
  for (let k = 0; k < 4; k++) {
    const next = channelsBetween(random, 10, rows === 1 ? 2048 : 768, 1);
    const w = net.weight8(`w${k}`, [next, size]);
    value = net.rounded(net.node('Gemm', [value, w, net.bias32(`b${k}`, next)], `dense${k}`, [attr.int('transB', 1)]));
    size = next;
  }
  return net.wholeOf(input, [], [value]);
}

/** Activations quantized while running. */
function dynamic(random: Rng): Model {
  const net = new Quantized(random.below(1 << 30));
  const rows = pick(random, [1, 1, 16, 128]);
  let size = channelsBetween(random, 32, 1024, 8);
  const input = net.input(rows, 1, size);
  let value = net.node('Reshape', ['input', net.ints([rows, size])], 'flat');
  for (let k = 0; k < 4; k++) {
    const next = channelsBetween(random, 16, 1024, 8);
    const [q = '', scale = '', zero = ''] = net.multi('DynamicQuantizeLinear', [value], `q${k}`, 3);
    const w = net.ones(`w${k}`, 'int8', [size, next]);
    const sum = net.node('MatMulInteger', [q, w, zero, net.zero('int8')], `sum${k}`);
    const real = net.node('Cast', [sum], `real${k}`, [attr.int('to', 1)]);
    const by = net.node('Mul', [scale, net.scalar(0.02)], `by${k}`);
    value = net.node('Mul', [real, by], `y${k}`);
    size = next;
  }
  return net.wholeOf(input, [], [value]);
}

function dynamicConvs(random: Rng): Model {
  const net = new Quantized(random.below(1 << 30));
  const side = pick(random, [56, 28, 14, 7]);
  let channels = channelsBetween(random, 8, 256, 8);
  const input = net.input(channels, side, side);
  let value = 'input';
  for (let k = 0; k < 3; k++) {
    const next = channelsBetween(random, 8, 128, 8);
    const kernel = pick(random, [1, 3]);
    const [q = '', scale = '', zero = ''] = net.multi('DynamicQuantizeLinear', [value], `q${k}`, 3);
    const w = net.ones(`w${k}`, 'int8', [next, channels, kernel, kernel]);
    const pad = (kernel - 1) / 2;
    const sum = net.node('ConvInteger', [q, w, zero, net.zero('int8')], `sum${k}`, [
      attr.ints('pads', [pad, pad, pad, pad]),
    ]);
    const real = net.node('Cast', [sum], `real${k}`, [attr.int('to', 1)]);
    value = net.node('Mul', [real, net.node('Mul', [scale, net.scalar(0.02)], `by${k}`)], `y${k}`);
    channels = next;
  }
  return net.wholeOf(input, [], [value]);
}

/** Convolutions whose weight alone is stored in 8 bits behind DequantizeLinear: decoded in every call. */
function decoded(random: Rng): Model {
  const net = new Quantized(random.below(1 << 30));
  const side = pick(random, [56, 28, 14]);
  const input = net.input(channelsBetween(random, 8, 128, 8), side, side);
  let x: Tap = input;
  for (let k = 0; k < 4; k++) {
    const kernel = pick(random, [1, 3]);
    const cout = channelsBetween(random, 8, 128, 8);
    const pad = (kernel - 1) / 2;
    const w = net.weight8(`w${k}`, [cout, x.channels, kernel, kernel]);
    const y = net.node('Conv', [x.value, w], `conv${k}`, [
      attr.ints('kernel_shape', [kernel, kernel]),
      attr.ints('pads', [pad, pad, pad, pad]),
    ]);
    x = net.relu({ ...x, value: y, channels: cout }, `relu${k}`);
  }
  return net.whole(input, x);
}

export const int8Families: readonly ChainFamily[] = [
  { id: 'int8 convolutions', count: 14, build: convs },
  { id: 'int8 maps', count: 8, build: mixed },
  { id: 'int8 dense', count: 6, build: dense },
  { id: 'dynamic products', count: 4, build: dynamic },
  { id: 'dynamic convolutions', count: 3, build: dynamicConvs },
  { id: 'decoded weights', count: 2, build: decoded },
];
