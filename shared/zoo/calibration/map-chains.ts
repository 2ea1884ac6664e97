/** Owns calibration chains of kernels that multiply little: maps, pools, normalisations, copies, recurrent layers. */
import type { Rng } from '../../base/random.ts';
import { attr } from '../../ir/attribute.ts';
import type { Model } from '../../ir/model.ts';
import type { Tap } from '../write-net.ts';
import { type ChainFamily, channelsBetween, pick, Written } from './written.ts';

const sides = [112, 56, 28, 28, 14, 14, 7] as const;
const channelsFor = (random: Rng, side: number, multiple: number): number =>
  channelsBetween(random, 16, side > 60 ? 64 : side > 20 ? 256 : 1024, multiple);

/** Pools, sums, joins and normalisations between convolutions, so that they meet the layout that they meet in networks. */
function pictures(multiple: number): (random: Rng) => Model {
  return (random) => {
    const net = new Written(random.below(1 << 30));
    const side = pick(random, sides);
    const c = channelsFor(random, side, multiple);
    const input = net.input(8, side, side);
    const a = net.conv(input, 'a', c, 1);
    const b = net.conv(input, 'b', c, 1);
    // Two readers each, so that nothing is fused.
    const sum = net.add(a, b, 'sum');
    const both = net.concat([a, b, sum], 'both');
    const normed = net.norm(both, 'norm');
    const relu = net.relu(normed, 'relu');
    const pools: Tap[] = [
      net.maxPool(sum, 'max3', 3, { stride: pick(random, [1, 2]), pad: 'same' }),
      net.maxPool(both, 'max2', 2),
      net.averagePool(relu, 'average3', 3, { stride: pick(random, [1, 2]), pad: 'same' }),
      net.averagePool(sum, 'average2', 2),
      net.globalPool(both, 'global'),
      net.globalPool(a, 'global2'),
    ];
    return net.wholeOf(input, [
      ...pools,
      net.relu(sum, 'relu2'),
      { ...a, value: net.node('Mul', [a.value, b.value], 'times') },
    ]);
  };
}

/** Maps on plain tensors of many sizes. */
function maps(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const side = pick(random, sides);
  const c = channelsFor(random, side, pick(random, [1, 8]));
  const input = net.input(c, side, side);
  const outs: string[] = [];
  const unary = [
    'Relu',
    'Sigmoid',
    'Tanh',
    'HardSigmoid',
    'HardSwish',
    'Erf',
    'Exp',
    'Sqrt',
    'LeakyRelu',
    'Abs',
    'Neg',
    'Softplus',
    'Elu',
  ];
  for (const op of unary) outs.push(net.node(op, ['input'], `u${op}`));
  const [low, high] = [net.scalar(0), net.scalar(6)];
  outs.push(net.node('Clip', ['input', low, high], 'clip'));
  const [x, y] = [outs[0] ?? '', outs[1] ?? ''];
  for (const op of ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Pow']) outs.push(net.node(op, [x, y], `b${op}`));
  const column = net.filled('column', [c, 1, 1], 0.5);
  outs.push(
    net.node('Mul', [x, column], 'scaled'),
    net.node('Add', [x, column], 'shifted'),
    net.node('Div', [x, low], 'over'),
  );
  return net.wholeOf({ ...input }, [], outs);
}

/** Copies, reductions, normalisations, softmax. */
function moves(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const side = pick(random, sides);
  const c = channelsFor(random, side, 8);
  const input = net.input(c, side, side);
  const start = net.node('Relu', ['input'], 'start');
  const tap: Tap = { value: start, channels: c, height: side, width: side };
  const outs: Tap[] = [];
  const more: string[] = [];
  outs.push(net.shuffle(tap, 'shuffle', pick(random, [2, 4])));
  const [a, b] = net.halves(tap, 'halves');
  outs.push(a, net.concat([b, tap], 'joined'), net.norm(tap, 'norm'));
  outs.push(
    net.maxPool(tap, 'max', 2),
    net.averagePool(tap, 'average', 3, { stride: 1, pad: 'same' }),
    net.globalPool(tap, 'global'),
  );
  more.push(net.node('Transpose', [start], 'last', [attr.ints('perm', [0, 2, 3, 1])]));
  more.push(net.node('ReduceMean', [start], 'mean', [attr.ints('axes', [2, 3])]));
  more.push(net.node('ReduceMean', [start], 'row', [attr.ints('axes', [-1])]));
  more.push(net.node('Softmax', [start], 'soft', [attr.int('axis', -1)]));
  more.push(
    net.node('LayerNormalization', [start, net.filled('scale', [side], 1), net.filled('shift', [side], 0)], 'layer', [
      attr.int('axis', -1),
    ]),
  );
  more.push(
    net.node('InstanceNormalization', [start, net.filled('iscale', [c], 1), net.filled('ishift', [c], 0)], 'instance'),
  );
  if (c * side * side < 2e5) more.push(net.node('LRN', [start], 'lrn', [attr.int('size', 5)]));
  more.push(net.node('Slice', [start, net.ints([1]), net.ints([side - 1]), net.ints([2])], 'slice'));
  more.push(net.node('Pad', [start, net.ints([0, 0, 1, 1, 0, 0, 1, 1])], 'pad'));
  if (side < 60) {
    const two = net.node('Resize', [start, '', net.doubling()], 'nearest', [
      attr.string('mode', 'nearest'),
      attr.string('coordinate_transformation_mode', 'asymmetric'),
      attr.string('nearest_mode', 'floor'),
    ]);
    more.push(two, net.node('Resize', [start, '', net.doubling()], 'linear', [attr.string('mode', 'linear')]));
  }
  return net.wholeOf(input, outs, more);
}

function upsampling(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const side = pick(random, [28, 14, 7]);
  const c = channelsBetween(random, 16, 128, 8);
  const input = net.input(c, side, side);
  const outs: string[] = [];
  for (let k = 0; k < 3; k++) {
    const cout = channelsBetween(random, 8, 64, 8);
    const size = pick(random, [2, 3, 4]);
    const w = net.filled(`w${k}`, [c, cout, size, size], 0.01);
    outs.push(net.node('ConvTranspose', ['input', w], `up${k}`, [attr.ints('strides', [2, 2])]));
  }
  return net.wholeOf(input, [], outs);
}

function recurrent(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const steps = pick(random, [1, 8, 32, 64]);
  const width = channelsBetween(random, 16, 256, 8);
  const hidden = channelsBetween(random, 16, 256, 8);
  const input = net.input(steps, 1, width);
  const value = net.node('Reshape', ['input', net.ints([steps, 1, width])], 'steps');
  const outs: string[] = [];
  for (const [op, gates] of [
    ['LSTM', 4],
    ['GRU', 3],
    ['RNN', 1],
  ] as const) {
    const w = net.filled(`${op}w`, [1, gates * hidden, width], 0.01);
    const r = net.filled(`${op}r`, [1, gates * hidden, hidden], 0.01);
    outs.push(net.node(op, [value, w, r], op, [attr.int('hidden_size', hidden)]));
  }
  return net.wholeOf(input, [], outs);
}

export const mapFamilies: readonly ChainFamily[] = [
  { id: 'pictures', count: 10, build: pictures(8) },
  { id: 'odd pictures', count: 2, build: pictures(1) },
  { id: 'maps', count: 7, build: maps },
  { id: 'moves', count: 8, build: moves },
  { id: 'upsampling', count: 2, build: upsampling },
  { id: 'recurrent', count: 3, build: recurrent },
];
