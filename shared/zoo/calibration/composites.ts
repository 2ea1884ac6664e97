/**
 * Owns calibration chains in which kernels meet what they meet in networks: weights that the layers between have put out of the
 * cache, sums and joins of several widths, many small kernels in a row. Their sizes are drawn; no published network is among them.
 */
import type { Rng } from '../../base/random.ts';
import { attr } from '../../ir/attribute.ts';
import type { Model } from '../../ir/model.ts';
import type { Tap } from '../write-net.ts';
import { type ChainFamily, pick, Written } from './written.ts';

const eights = (x: number): number => Math.max(8, 8 * Math.round(x / 8));

/** A picture of some size, a first convolution, at times a pool. */
function begin(net: Written, random: Rng): { readonly input: Tap; readonly x: Tap } {
  const side = pick(random, [224, 192, 160, 128, 96, 64, 32]);
  const input = net.input(3, side, side);
  const large = side >= 96;
  const width = eights(16 + 48 * random.next());
  let x = net.conv(input, 'first', width, pick(random, large ? [3, 5, 7] : [3]), {
    stride: large ? 2 : 1,
    pad: 'same',
  });
  x = net.relu(x, 'first.relu');
  if (side >= 160 && random.next() < 0.6) x = net.maxPool(x, 'first.pool', 3, { stride: 2, pad: 'same' });
  return { input, x };
}

function end(net: Written, random: Rng, input: Tap, x: Tap): Model {
  const flat = net.flatten(net.globalPool(x, 'mean'), 'flat');
  return net.whole(input, net.dense(flat, 'classes', pick(random, [10, 100, 1000])));
}

const strideAt = (x: Tap, stage: number, k: number): number => (stage > 0 && k === 0 && (x.height ?? 1) > 8 ? 2 : 1);

/** Sums over two layers or a bottleneck of three. */
function sums(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const { input, x: first } = begin(net, random);
  let x = first;
  let width = eights(x.channels * (0.75 + random.next()));
  const narrow = random.next() < 0.5;
  for (let stage = 0; stage < 4; stage++) {
    const out = narrow ? width * pick(random, [2, 4]) : width;
    for (let k = 0; k < 2; k++) {
      const id = `s${stage}.${k}`;
      const stride = strideAt(x, stage, k);
      let y = narrow ? net.relu(net.conv(x, `${id}.in`, width, 1), `${id}.in.relu`) : x;
      y = net.relu(net.conv(y, `${id}.mid`, width, 3, { stride, pad: 'same' }), `${id}.mid.relu`);
      y = narrow ? net.conv(y, `${id}.out`, out, 1) : net.conv(y, `${id}.out`, out, 3, { pad: 'same' });
      const around = stride === 1 && x.channels === out ? x : net.conv(x, `${id}.around`, out, 1, { stride });
      x = net.relu(net.add(y, around, `${id}.sum`), `${id}.relu`);
    }
    width = eights(width * (1.3 + 0.8 * random.next()));
  }
  return end(net, random, input, x);
}

/** Wide layers by channel between narrow ones. */
function inverted(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const { input, x: first } = begin(net, random);
  let x = first;
  let width = eights(16 + 16 * random.next());
  for (let stage = 0; stage < 5; stage++) {
    for (let k = 0; k < 2; k++) {
      const id = `s${stage}.${k}`;
      const stride = strideAt(x, stage, k);
      const wide = eights(x.channels * pick(random, [2, 3, 4, 6]));
      const kernel = pick(random, [3, 3, 5]);
      let y = net.activation(net.conv(x, `${id}.in`, wide, 1), `${id}.in.act`, 'relu6');
      y = net.conv(y, `${id}.by`, wide, kernel, { stride, pad: 'same', group: wide });
      y = net.conv(net.activation(y, `${id}.by.act`, 'relu6'), `${id}.out`, width, 1);
      x = stride === 1 && x.channels === width ? net.add(y, x, `${id}.sum`) : y;
    }
    width = eights(width * (1.2 + 0.6 * random.next()));
  }
  return end(net, random, input, x);
}

/** Branches of several kernels, joined; at times a normalisation over neighbouring channels. */
function branches(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const { input, x: first } = begin(net, random);
  const across = (x: Tap, id: string): Tap =>
    random.next() < 0.5 ? x : { ...x, value: net.node('LRN', [x.value], id, [attr.int('size', 5)]) };
  let x = across(first, 'across');
  for (let k = 0; k < 6; k++) {
    const id = `b${k}`;
    const width = eights(x.channels * (0.15 + 0.25 * random.next()));
    const relu = (y: Tap, name: string): Tap => net.relu(y, `${name}.relu`);
    const a = relu(net.conv(x, `${id}.one`, width, 1), `${id}.one`);
    const inner = relu(net.conv(x, `${id}.in`, width, 1), `${id}.in`);
    const b = relu(net.conv(inner, `${id}.three`, 2 * width, 3, { pad: 'same' }), `${id}.three`);
    const c = relu(net.conv(inner, `${id}.five`, width, pick(random, [3, 5]), { pad: 'same' }), `${id}.five`);
    const pooled = net.maxPool(x, `${id}.pool`, 3, { stride: 1, pad: 'same' });
    const d = relu(net.conv(pooled, `${id}.last`, width, 1), `${id}.last`);
    x = net.concat([a, b, c, d], `${id}.all`);
    if (k % 2 === 1 && (x.height ?? 1) > 8) x = net.maxPool(x, `${id}.half`, 3, { stride: 2, pad: 'same' });
  }
  return end(net, random, input, x);
}

/** Every layer reads all before it: joins, and normalisations that nothing takes in. */
function joins(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const { input, x: first } = begin(net, random);
  let x = first;
  const growth = pick(random, [8, 16, 24, 32]);
  for (let stage = 0; stage < 3; stage++) {
    for (let k = 0; k < 4; k++) {
      const id = `j${stage}.${k}`;
      let y = net.relu(net.norm(x, `${id}.norm`), `${id}.relu`);
      y = net.conv(y, `${id}.in`, 4 * growth, 1);
      y = net.conv(net.relu(net.norm(y, `${id}.norm2`), `${id}.relu2`), `${id}.out`, growth, 3, { pad: 'same' });
      x = net.concat([x, y], `${id}.all`);
    }
    if (stage < 2) {
      const y = net.relu(net.norm(x, `t${stage}.norm`), `t${stage}.relu`);
      x = net.averagePool(net.conv(y, `t${stage}.half`, eights(x.channels / 2), 1), `t${stage}.pool`, 2);
    }
  }
  return end(net, random, input, x);
}

/** Kernels so small that what they cost is the call. */
function small(random: Rng): Model {
  const net = new Written(random.below(1 << 30));
  const side = pick(random, [28, 14, 7, 7]);
  const input = net.input(pick(random, [1, 3, 16]), side, side);
  let x = net.relu(net.conv(input, 'first', 8 * (1 + random.below(3)), 3, { pad: 'same' }), 'first.relu');
  for (let k = 0; k < 10; k++) {
    const id = `k${k}`;
    const width = 8 * (1 + random.below(4));
    const draw = random.next();
    if (draw < 0.3) x = net.relu(net.conv(x, `${id}.conv`, width, 3, { pad: 'same' }), `${id}.relu`);
    else if (draw < 0.55) {
      const y = net.conv(x, `${id}.by`, x.channels, 3, { pad: 'same', group: x.channels });
      x = net.conv(net.relu(y, `${id}.by.relu`), `${id}.point`, width, 1);
    } else if (draw < 0.75) {
      const [a, b] = [net.conv(x, `${id}.a`, width, 1), net.conv(x, `${id}.b`, width, 3, { pad: 'same' })];
      x = net.concat([net.relu(a, `${id}.a.relu`), net.relu(b, `${id}.b.relu`)], `${id}.both`);
    } else if (draw < 0.9) {
      const y = net.conv(net.relu(net.norm(x, `${id}.norm`), `${id}.relu`), `${id}.same`, x.channels, 1);
      x = net.add(x, y, `${id}.sum`);
    } else x = net.shuffle(x, `${id}.shuffle`, pick(random, [2, 4]));
    if (k === 5 && side > 7) x = net.maxPool(x, `${id}.pool`, 2);
  }
  return end(net, random, input, x);
}

export const compositeFamilies: readonly ChainFamily[] = [
  { id: 'composite sums', count: 6, build: sums },
  { id: 'composite inverted', count: 6, build: inverted },
  { id: 'composite branches', count: 5, build: branches },
  { id: 'composite joins', count: 4, build: joins },
  { id: 'composite small', count: 8, build: small },
];
