/**
 * Owns the models of the device kit: one kernel class, shape and type each, several of its kernels in a row so that the cost of a
 * run does not hide them. Not one of them is a network.
 */
import { attr } from '../../ir/attribute.ts';
import type { Model } from '../../ir/model.ts';
import { type KitType, type KitValue, KitWriter } from './kit-writer.ts';

/** Grows when a model of the kit changes: results are of one version. */
export const kitVersion = 1;

export interface KitModel {
  /** Also the file's name, without its ending. */
  readonly id: string;
  readonly type: KitType;
  readonly dims: readonly number[];
  readonly what: string;
  build(): Model;
}

/** Kernels in a row. */
const row = 4;

type Body = (net: KitWriter, x: KitValue) => readonly KitValue[];

function entry(id: string, type: KitType, dims: readonly number[], what: string, body: Body): KitModel {
  return {
    id: `${id}-${type}`,
    type,
    dims,
    what: `${what}, ${type}`,
    build: () => {
      const net = new KitWriter(type);
      return net.model(id, dims, body(net, net.input(dims)));
    },
  };
}

/** A chain that goes from a to b channels and back. */
function convs(type: KitType, k: number, a: number, b: number, side: number): KitModel {
  return entry(
    `conv${k}x${k}-${a}-${b}-${side}`,
    type,
    [1, a, side, side],
    `${row} convolutions ${k} x ${k}, ${a} and ${b} channels at ${side} x ${side}`,
    (net, x) => {
      let y = x;
      for (let n = 0; n < row; n++) y = net.conv(y, `conv${n}`, n % 2 === 0 ? b : a, k);
      return [y];
    },
  );
}

const stem = (type: KitType, k: number, c: number, side: number): KitModel =>
  entry(
    `stem${k}x${k}-${c}-${side}`,
    type,
    [1, 3, side, side],
    `a first convolution ${k} x ${k} of stride 2, 3 to ${c} channels at ${side} x ${side}`,
    (net, x) => [net.conv(x, 'stem', c, k, 2)],
  );

function depthwise(type: KitType, k: number, c: number, side: number): KitModel {
  return entry(
    `depthwise${k}x${k}-${c}-${side}`,
    type,
    [1, c, side, side],
    `${row} depthwise convolutions ${k} x ${k}, ${c} channels at ${side} x ${side}`,
    (net, x) => {
      let y = x;
      for (let n = 0; n < row; n++) y = net.conv(y, `depthwise${n}`, c, k, 1, c);
      return [y];
    },
  );
}

function grouped(type: KitType, c: number, side: number, groups: number): KitModel {
  return entry(
    `grouped-${c}-${side}-${groups}`,
    type,
    [1, c, side, side],
    `${row} convolutions 3 x 3 in ${groups} groups, ${c} channels at ${side} x ${side}`,
    (net, x) => {
      let y = x;
      for (let n = 0; n < row; n++) y = net.conv(y, `conv${n}`, c, 3, 1, groups);
      return [y];
    },
  );
}

function gemms(type: KitType, rows: number, a: number, b: number): KitModel {
  return entry(
    `gemm-${rows}-${a}-${b}`,
    type,
    [rows, a],
    `2 fully connected layers, ${a} to ${b} and back, ${rows} rows`,
    (net, x) => [net.gemm(net.gemm(x, 'gemm0', b), 'gemm1', a)],
  );
}

/** Products of two activations: x times its transpose. */
const products = (rows: number, inner: number): KitModel =>
  entry(
    `matmul-${rows}-${inner}`,
    'fp32',
    [8, rows, inner],
    `a product of two activations, 8 x ${rows} x ${inner} by its transpose`,
    (net, x) => {
      const turned = net.node('Transpose', [x.name], 'turned', [attr.ints('perm', [0, 2, 1])]);
      return [net.done(net.node('MatMul', [x.name, turned], 'product'), [8, rows, rows])];
    },
  );

/** Kernels of one operator in a row, each over the output of the one before. */
function maps(op: string, c: number, side: number, layer: (net: KitWriter, x: string, n: number) => string): KitModel {
  const dims = [1, c, side, side];
  return entry(
    `${op.toLowerCase()}-${c}-${side}`,
    'fp32',
    dims,
    `${row} of ${op}, ${c} channels at ${side} x ${side}`,
    (net, x) => {
      let y = x.name;
      for (let n = 0; n < row; n++) y = layer(net, y, n);
      return [net.done(y, dims)];
    },
  );
}

const places: readonly (readonly [channels: number, side: number])[] = [
  [16, 112],
  [64, 56],
  [256, 14],
];

const mapModels: readonly KitModel[] = places.flatMap(([c, side]) => [
  maps('Add', c, side, (net, x, n) => net.node('Add', [x, 'input'], `add${n}`)),
  maps('Sigmoid', c, side, (net, x, n) => net.node('Sigmoid', [x], `sigmoid${n}`)),
  maps('MaxPool', c, side, (net, x, n) =>
    net.node('MaxPool', [x], `pool${n}`, [
      attr.ints('kernel_shape', [3, 3]),
      attr.ints('strides', [1, 1]),
      attr.ints('pads', [1, 1, 1, 1]),
    ]),
  ),
  maps('Softmax', c, side, (net, x, n) => net.node('Softmax', [x], `softmax${n}`, [attr.int('axis', -1)])),
  maps('Transpose', c, side, (net, x, n) =>
    net.node('Transpose', [x], `turned${n}`, [attr.ints('perm', [0, 1, 3, 2])]),
  ),
]);

/** Nothing but a run. */
const idle = entry('idle', 'fp32', [1, 8], 'next to nothing: the cost of a run', (net, x) => [
  net.done(net.node('Sigmoid', [x.name], 'idle'), [1, 8]),
]);

const weighted = (type: KitType): readonly KitModel[] => [
  convs(type, 1, 32, 64, 56),
  convs(type, 1, 64, 128, 28),
  convs(type, 1, 256, 256, 14),
  convs(type, 1, 128, 512, 7),
  convs(type, 3, 16, 32, 56),
  convs(type, 3, 64, 64, 28),
  convs(type, 3, 128, 128, 14),
  convs(type, 5, 32, 32, 28),
  stem(type, 3, 32, 224),
  stem(type, 7, 64, 224),
  depthwise(type, 3, 32, 112),
  depthwise(type, 3, 96, 56),
  depthwise(type, 3, 384, 14),
  depthwise(type, 5, 120, 28),
  grouped(type, 64, 28, 8),
  grouped(type, 256, 14, 32),
  gemms(type, 1, 512, 512),
  gemms(type, 1, 2048, 1000),
  gemms(type, 64, 256, 512),
];

/** Every model of the kit. */
export const kitModels: readonly KitModel[] = [
  idle,
  ...weighted('fp32'),
  ...weighted('int8'),
  ...weighted('fp16'),
  products(64, 64),
  products(197, 64),
  ...mapModels,
];
