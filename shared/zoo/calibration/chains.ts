/**
 * Owns the models that calibrate a machine: chains of layers of every kernel class, drawn from a seed over the sizes that
 * networks have. They are no networks: an estimate is checked on networks, never fitted to them.
 */
import { type Rng, rng } from '../../base/random.ts';
import { cacheProbe } from '../../devices/machine/fit-machine.ts';
import { attr } from '../../ir/attribute.ts';
import type { Model } from '../../ir/model.ts';
import type { Tap } from '../write-net.ts';
import { compositeFamilies } from './composites.ts';
import { int8Families } from './int8-chains.ts';
import { mapFamilies } from './map-chains.ts';
import { type ChainFamily, channelsBetween, pick, Written } from './written.ts';

const macsOf = (x: Tap, cout: number, taps: number, stride: number, groups = 1): number =>
  (((x.height ?? 1) / stride) * ((x.width ?? 1) / stride) * (x.channels / groups) * cout * taps) | 0;
const mostMacs = 1.2e8;
const sides = [112, 56, 56, 32, 28, 28, 16, 14, 14, 14, 8, 7, 7] as const;

/** Channels that networks have at a side of the picture. */
function channelsAt(random: Rng, side: number, multiple: number): number {
  const high = side >= 100 ? 96 : side >= 50 ? 256 : side >= 25 ? 512 : 1024;
  return channelsBetween(random, 8, high, multiple);
}

function denseConvs(multiple: number, fixed?: readonly number[]): (random: Rng) => Model {
  return (random) => {
    const net = new Written(random.below(1 << 30));
    const side = pick(random, sides);
    const input = net.input(channelsAt(random, side, Math.max(multiple, 8)), side, side);
    let x: Tap = input;
    for (let k = 0; k < 7; k++) {
      const [kh, kw] = kernelFrom(random, fixed, x.height ?? 1);
      const stride = (x.height ?? 1) >= 14 && random.next() < 0.15 ? 2 : 1;
      let cout = channelsAt(random, (x.height ?? 1) / stride, multiple);
      while (macsOf(x, cout, kh * kw, stride) > mostMacs && cout > 2 * multiple)
        cout = Math.ceil(cout / 2 / multiple) * multiple;
      if (macsOf(x, cout, kh * kw, stride) > 2 * mostMacs) continue;
      const y = net.conv(x, `conv${k}`, cout, [kh, kw], { stride, pad: [(kh - 1) / 2, (kw - 1) / 2] });
      const residual = stride === 1 && cout === x.channels && k > 0;
      x = net.relu(residual ? net.add(y, x, `sum${k}`) : y, `relu${k}`);
    }
    return net.whole(input, x);
  };
}

function kernelFrom(random: Rng, fixed: readonly number[] | undefined, side: number): readonly [number, number] {
  if (fixed !== undefined) return [fixed[0] ?? 1, fixed[1] ?? 1];
  const draw = random.next();
  if (draw < 0.34) return [1, 1];
  if (draw < 0.78) return [3, 3];
  if (draw < 0.9 || side < 7) return [5, 5];
  return pick<readonly [number, number]>(random, [
    [1, 7],
    [7, 1],
    [1, 3],
    [3, 1],
    [7, 7],
  ]);
}

function separable(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const side = pick(random, sides);
  const multiple = pick(random, [8, 8, 8, 4]);
  const input = net.input(channelsAt(random, side, 8), side, side);
  let x: Tap = input;
  for (let k = 0; k < 5; k++) {
    const cout = channelsAt(random, x.height ?? 1, multiple);
    if (macsOf(x, cout, 1, 1) <= mostMacs) {
      const y = net.conv(x, `point${k}`, cout, 1);
      x = random.next() < 0.7 ? net.activation(y, `act${k}`, 'relu6') : y;
    }
    const stride = (x.height ?? 1) >= 14 && random.next() < 0.3 ? 2 : 1;
    const kernel = pick(random, [3, 3, 3, 5]);
    const z = net.conv(x, `depth${k}`, x.channels, kernel, { stride, pad: 'same', group: x.channels });
    x = random.next() < 0.8 ? net.activation(z, `depthact${k}`, 'relu6') : z;
  }
  return net.whole(input, x);
}

/** First layers: few input channels on a picture. */
function stems(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const channels = pick(random, [1, 3, 3]);
  const side = pick(random, [28, 32, 32, 96, 160, 224, 224]);
  const input = net.input(channels, side, side);
  const outs: Tap[] = [];
  for (let k = 0; k < 5; k++) {
    const kernel = pick(random, side < 40 ? [3, 5] : [3, 3, 5, 7, 11]);
    const stride = side < 40 ? 1 : pick(random, [1, 2, 2, 4]);
    const cout = channelsBetween(random, 6, stride === 1 && side > 40 ? 64 : 96, pick(random, [1, 2, 8, 8]));
    const y = net.relu(net.conv(input, `conv${k}`, cout, kernel, { stride, pad: 'same' }), `relu${k}`);
    outs.push(net.maxPool(y, `pool${k}`, pick(random, [2, 3]), { stride: 2 }));
  }
  return net.wholeOf(input, outs);
}

function grouped(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const side = pick(random, [56, 28, 28, 14, 7]);
  const groups = pick(random, [2, 3, 4, 8, 32]);
  const multiple = groups * pick(random, [1, 4, 8, 8]);
  const input = net.input(channelsBetween(random, multiple, Math.max(512, multiple), multiple), side, side);
  let x: Tap = input;
  for (let k = 0; k < 6; k++) {
    let cout = channelsBetween(random, multiple, Math.max(512, multiple), multiple);
    const kernel = pick(random, [1, 1, 3, 5]);
    while (macsOf(x, cout, kernel * kernel, 1, groups) > mostMacs && cout > multiple) cout -= multiple;
    x = net.relu(net.conv(x, `conv${k}`, cout, kernel, { pad: 'same', group: groups }), `relu${k}`);
  }
  return net.whole(input, x);
}

/** One row: fully connected layers of a classifier. */
function dense(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const input = net.input(channelsBetween(random, 32, 9216, 1), 1, 1);
  let x: Tap = net.flatten(input, 'flat');
  const large = random.next() < 0.5;
  for (let k = 0; k < 6; k++) {
    const features = channelsBetween(random, 8, large ? 4096 : 1024, pick(random, [1, 2, 8]));
    if (x.channels * features > 1.2e7) continue;
    x = net.dense(x, `dense${k}`, features);
    if (random.next() < 0.6) x = net.relu(x, `relu${k}`);
  }
  return net.whole(input, x);
}

/** Many rows: layers of a transformer, with products of two activations. */
function tokens(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const rows = pick(random, [8, 16, 32, 64, 128, 197]);
  const width = channelsBetween(random, 32, 768, 8);
  const input = net.input(rows, 1, width);
  const flat = net.ints([rows, width]);
  let value = net.node('Reshape', ['input', flat], 'rows');
  let size = width;
  for (let k = 0; k < 4; k++) {
    const next = channelsBetween(random, 32, 1536, 8);
    value = net.node('MatMul', [value, net.filled(`weight${k}`, [size, next], 0.01)], `product${k}`);
    value = net.node('Add', [value, net.filled(`bias${k}`, [next], 0.01)], `biased${k}`);
    if (random.next() < 0.5) value = net.node('Softmax', [value], `soft${k}`, [attr.int('axis', -1)]);
    size = next;
  }
  const heads = pick(random, [1, 4, 8, 12]);
  const each = pick(random, [16, 32, 64]);
  const split = net.ints([heads, rows, each]);
  const part = net.node('MatMul', [value, net.filled('to', [size, heads * each], 0.01)], 'projected');
  const q = net.node('Reshape', [part, split], 'q');
  const turned = net.node('Transpose', [q], 'k', [attr.ints('perm', [0, 2, 1])]);
  const scores = net.node('Softmax', [net.node('MatMul', [q, turned], 'scores')], 'weights', [attr.int('axis', -1)]);
  return net.wholeOf(input, [], [net.node('MatMul', [scores, q], 'mixed')]);
}

/** One convolution of a millisecond or two: timed between the others, it tells how fast the machine is at the moment. */
export function paceChain(): Model {
  const net = new Written(1);
  const input = net.input(64, 28, 28);
  return net.whole(input, net.conv(input, 'conv', 64, 3, { pad: 'same' }));
}

/** A pool of so many channels: the runtime blocks it where they fill its blocks. */
export function blockProbe(channels: number): Model {
  const net = new Written(1);
  const input = net.input(channels, 8, 8);
  return net.whole(input, net.maxPool(input, 'pool', 2));
}

/** Whether weights are most of what a chain of this name reads: then it is timed with an emptied cache too. */
export const isWeighty = (name: string): boolean => /^(?:dense|pointwise|odd channels|separable|grouped)/.test(name);

/** Nothing but weights, a given number of megabytes of them: when the cache no longer keeps them. */
function cache(megabytes: number): () => Model {
  return () => {
    const net = new Written(1);
    const width = Math.round(Math.sqrt((megabytes * 2 ** 20) / 4 / 4));
    const input = net.input(width, 1, 1);
    let x: Tap = net.flatten(input, 'flat');
    for (let k = 0; k < 4; k++) x = net.dense(x, `dense${k}`, width);
    return net.whole(input, x);
  };
}

export const chainFamilies: readonly ChainFamily[] = [
  { id: 'dense convolutions', count: 26, build: denseConvs(8) },
  { id: 'pointwise convolutions', count: 14, build: denseConvs(8, [1, 1]) },
  { id: 'odd channels', count: 8, build: denseConvs(1) },
  { id: 'separable', count: 16, build: separable },
  { id: 'stems', count: 6, build: stems },
  { id: 'grouped', count: 8, build: grouped },
  { id: 'dense layers', count: 10, build: dense },
  { id: 'tokens', count: 8, build: tokens },
  ...[2, 8, 16, 24, 32, 48, 96].map((mb) => ({ id: `${cacheProbe} ${mb} MB`, count: 1, build: cache(mb) })),
  ...mapFamilies,
  ...int8Families,
  ...compositeFamilies,
];

/**
 * The chains of a calibration, families in turn so that a calibration that is cut short has some of each. The same seed
 * gives the same chains.
 */
export function calibrationChains(
  seed = 1,
  share = 1,
): readonly { readonly name: string; readonly build: () => Model }[] {
  const root = rng(seed);
  const lists = chainFamilies.map(({ id, count, build }) =>
    Array.from({ length: Math.max(1, Math.round(count * share)) }, (_, k) => ({
      name: `${id} ${k + 1}`,
      at: (k + 0.5) / Math.max(1, Math.round(count * share)),
      build: () => build(root.fork(`${id} ${k}`)),
    })),
  );
  return lists.flat().sort((a, b) => a.at - b.at);
}
