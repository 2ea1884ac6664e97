/** Owns small nets for tests of whole techniques, one per family of channel coupling. */
import { attr } from '../ir/attribute.ts';
import type { Attribute, Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';
import { model, node, randomTensor, value } from './build.ts';

const pads = (p: number): Attribute => attr.ints('pads', [p, p, p, p]);

/** Collects nodes and weights while a net is written down. */
export class Net {
  readonly nodes: Node[] = [];
  readonly tensors: Tensor[] = [];

  add(op: string, inputs: readonly string[], out: string, attributes: readonly Attribute[] = []): string {
    this.nodes.push(node(op, inputs, [out], attributes));
    return out;
  }

  weight(name: string, ...dims: number[]): string {
    this.tensors.push(randomTensor(name, dims));
    return name;
  }

  ints(name: string, ...values: number[]): string {
    this.tensors.push(int64Tensor(name, [values.length], values));
    return name;
  }

  /** Convolution cin -> cout with bias, "same" padding. */
  conv(x: string, out: string, cin: number, cout: number, k = 3, group = 1): string {
    const w = this.weight(`${out}.w`, cout, cin / group, k, k);
    const b = this.weight(`${out}.b`, cout);
    return this.add('Conv', [x, w, b], out, [pads((k - 1) / 2), attr.int('group', group)]);
  }

  norm(x: string, out: string, c: number): string {
    const part = (p: string): string => this.weight(`${out}.${p}`, c);
    const variance = `${out}.var`;
    this.tensors.push(
      numbersTensor(
        variance,
        'float',
        [c],
        Array.from({ length: c }, (_, i) => 0.5 + i / c),
      ),
    );
    return this.add('BatchNormalization', [x, part('scale'), part('bias'), part('mean'), variance], out);
  }

  relu(x: string): string {
    return this.add('Relu', [x], `${x}.relu`);
  }

  gemm(x: string, out: string, cin: number, cout: number): string {
    const w = this.weight(`${out}.w`, cout, cin);
    return this.add('Gemm', [x, w, this.weight(`${out}.b`, cout)], out, [attr.int('transB', 1)]);
  }

  /** x: [1, 3, 8, 8] in, y out. */
  done(
    y: readonly (number | string)[],
    more: { opset?: number; irVersion?: number; x?: readonly (number | string)[] } = {},
  ): Model {
    const { x, ...rest } = more;
    const listed = (rest.irVersion ?? 8) < 4 ? this.tensors.map((t) => value(t.name, t.dims, t.type)) : [];
    return model({
      ...rest,
      nodes: this.nodes,
      initializers: this.tensors,
      inputs: [value('x', x ?? [1, 3, 8, 8]), ...listed],
      outputs: [value('y', y)],
    });
  }
}

/** Conv, pool, conv, pool, Flatten, Gemm, Gemm: LeNet's shape. */
export function leNetLike(options: { irVersion?: number; opset?: number } = {}): Model {
  const n = new Net();
  const a = n.relu(n.conv('x', 'c1', 3, 8));
  const pool = (x: string): string =>
    n.add('MaxPool', [x], `${x}.pool`, [attr.ints('kernel_shape', [2, 2]), attr.ints('strides', [2, 2])]);
  const b = n.relu(n.conv(pool(a), 'c2', 8, 12));
  const flat = n.add('Flatten', [pool(b)], 'flat');
  n.gemm(n.relu(n.gemm(flat, 'f1', 12 * 2 * 2, 20)), 'y', 20, 5);
  return n.done([1, 5], options);
}

/** Two residual blocks with a projection, batch norms, global pooling, Gemm. */
export function residual(): Model {
  const n = new Net();
  const stem = n.relu(n.norm(n.conv('x', 'stem', 3, 16), 'bn0', 16));
  const a = n.norm(n.conv(n.relu(n.norm(n.conv(stem, 'a1', 16, 8), 'bna1', 8)), 'a2', 8, 16), 'bna2', 16);
  const s = n.relu(n.add('Add', [a, stem], 'suma'));
  const b = n.conv(n.relu(n.conv(s, 'b1', 16, 10)), 'b2', 10, 24);
  const t = n.relu(n.add('Add', [b, n.conv(s, 'proj', 16, 24, 1)], 'sumb'));
  const p = n.add('GlobalAveragePool', [t], 'gap');
  n.gemm(n.add('Flatten', [p], 'flat'), 'y', 24, 5);
  return n.done([1, 5]);
}

/** A fire module: squeeze, two expands, Concat, conv. */
export function fire(): Model {
  const n = new Net();
  const s = n.relu(n.conv('x', 's', 3, 6, 1));
  const cat = n.add('Concat', [n.relu(n.conv(s, 'e1', 6, 10, 1)), n.relu(n.conv(s, 'e3', 6, 12))], 'cat', [
    attr.int('axis', 1),
  ]);
  n.add('GlobalAveragePool', [n.conv(cat, 'out', 22, 4)], 'y');
  return n.done([1, 4, 1, 1]);
}

/** MobileNet's block: 1x1 expand, depthwise 3x3, BN, 1x1 project. */
export function depthwise(): Model {
  const n = new Net();
  const e = n.relu(n.conv('x', 'expand', 3, 27, 1));
  const d = n.relu(n.norm(n.conv(e, 'dw', 27, 27, 3, 27), 'bn', 27));
  n.add('GlobalAveragePool', [n.conv(d, 'project', 27, 8, 1)], 'y');
  return n.done([1, 8, 1, 1]);
}

/** ShuffleNet's unit: grouped 1x1, channel shuffle by Reshape and Transpose, grouped conv, 1x1. */
export function shuffle(): Model {
  const n = new Net();
  const g = n.relu(n.conv(n.conv('x', 'stem', 3, 24), 'g1', 24, 24, 1, 3));
  const split = n.add('Reshape', [g, n.ints('to5', 1, 3, 8, 8, 8)], 'split');
  const turned = n.add('Transpose', [split], 'turned', [attr.ints('perm', [0, 2, 1, 3, 4])]);
  const back = n.add('Reshape', [turned, n.ints('to4', 1, 24, 8, 8)], 'back');
  const h = n.relu(n.conv(n.conv(back, 'dw', 24, 24, 3, 24), 'g2', 24, 24, 1, 3));
  n.add('GlobalAveragePool', [n.conv(h, 'out', 24, 4, 1)], 'y');
  return n.done([1, 4, 1, 1]);
}

/** Channels last before the classifier: Transpose to NHWC, Reshape, MatMul, Add. */
export function channelsLast(): Model {
  const n = new Net();
  const c = n.relu(n.conv('x', 'c', 3, 6));
  const t = n.add('Transpose', [c], 't', [attr.ints('perm', [0, 2, 3, 1])]);
  const flat = n.add('Reshape', [t, n.ints('to2', 1, 6 * 64)], 'flat');
  const m = n.add('MatMul', [flat, n.weight('m.w', 6 * 64, 7)], 'm');
  const h = n.relu(n.add('Add', [m, n.weight('m.b', 1, 7)], 'h'));
  n.add('MatMul', [h, n.weight('y.w', 7, 3)], 'y');
  return n.done([1, 3]);
}

/** A weight that arrives through Reshape and Transpose, as some exporters write it (S03). */
export function formedWeight(): Model {
  const n = new Net();
  const c = n.relu(n.conv('x', 'c', 3, 6));
  const flat = n.add('Reshape', [c, n.ints('flatTo', 1, 6 * 64)], 'flat');
  const w = n.add('Reshape', [n.weight('m.w', 6, 8, 8, 7), n.ints('wTo', 6 * 64, 7)], 'm.w2');
  const m = n.relu(n.add('MatMul', [flat, w], 'm'));
  const v = n.add('Transpose', [n.weight('y.w', 3, 7)], 'y.w2', [attr.ints('perm', [1, 0])]);
  n.add('MatMul', [m, v], 'y');
  return n.done([1, 3]);
}

/** One conv split in two halves that go different ways, and a Slice. */
export function split(): Model {
  const n = new Net();
  const c = n.relu(n.conv('x', 'c', 3, 12));
  n.nodes.push(node('Split', [c, n.ints('sizes', 5, 7)], ['left', 'right'], [attr.int('axis', 1)]));
  const l = n.conv('left', 'l', 5, 6);
  const r = n.conv('right', 'r', 7, 6);
  const sum = n.add('Add', [l, r], 'sum');
  const cut = n.add('Slice', [sum, n.ints('from', 2), n.ints('to', 5), n.ints('axes', 1)], 'cut');
  n.add('GlobalAveragePool', [n.conv(cut, 'out', 3, 4, 1)], 'y');
  return n.done([1, 4, 1, 1]);
}

/** Plain 3x3 convolutions of one width behind one that strides: what most blocks can take the place of. */
export function plain(): Model {
  const n = new Net();
  const w = n.weight('c1.w', 8, 3, 3, 3);
  const c1 = n.add('Conv', ['x', w], 'c1', [attr.ints('strides', [2, 2]), pads(1)]);
  const c2 = n.relu(n.conv(n.relu(c1), 'c2', 8, 8));
  const p = n.add('GlobalAveragePool', [n.relu(n.conv(c2, 'c3', 8, 12))], 'gap');
  n.gemm(n.add('Flatten', [p], 'flat'), 'y', 12, 5);
  return n.done([1, 5]);
}

/** Attention over the 64 positions of a picture: 4 heads of width 4, a shortcut around them, the mean of the positions, Gemm. */
export function attention(): Model {
  const n = new Net();
  const map = n.add('Reshape', [n.conv('x', 'embed', 3, 16, 1), n.ints('toRows', 1, 16, 64)], 'map');
  const tokens = n.add('Transpose', [map], 'tokens', [attr.ints('perm', [0, 2, 1])]);
  const heads = (name: string, perm: readonly number[]): string => {
    const projected = n.add('MatMul', [tokens, n.weight(`${name}.w`, 16, 16)], `${name}.product`);
    const row = n.add('Add', [projected, n.weight(`${name}.b`, 16)], name);
    const split = n.add('Reshape', [row, n.ints(`${name}.to4`, 1, 64, 4, 4)], `${name}.split`);
    return n.add('Transpose', [split], `${name}.heads`, [attr.ints('perm', perm)]);
  };
  const scores = n.add('MatMul', [heads('q', [0, 2, 1, 3]), heads('k', [0, 2, 3, 1])], 'scores');
  n.tensors.push(numbersTensor('rootOfWidth', 'float', [], [2]));
  const scaled = n.add('Div', [scores, 'rootOfWidth'], 'scaled');
  const weights = n.add('Softmax', [scaled], 'weights', [attr.int('axis', -1)]);
  const mixed = n.add('MatMul', [weights, heads('v', [0, 2, 1, 3])], 'mixed');
  const back = n.add('Transpose', [mixed], 'mixed.rows', [attr.ints('perm', [0, 2, 1, 3])]);
  const joined = n.add('Reshape', [back, n.ints('to3', 1, 64, 16)], 'joined');
  const out = n.add('MatMul', [joined, n.weight('project.w', 16, 16)], 'project');
  const sum = n.add('Add', [n.add('Add', [out, n.weight('project.b', 16)], 'projected'), tokens], 'sum');
  const mean = n.add('ReduceMean', [sum], 'mean', [attr.ints('axes', [1]), attr.int('keepdims', 0)]);
  n.gemm(mean, 'y', 16, 5);
  return n.done([1, 5]);
}

/** Every net here, by name. */
export const nets: Readonly<Record<string, () => Model>> = {
  leNetLike,
  leNetOfIr3: () => leNetLike({ irVersion: 3, opset: 11 }),
  residual,
  fire,
  depthwise,
  shuffle,
  channelsLast,
  formedWeight,
  split,
  plain,
  attention,
};
