/** Owns inception modules: GoogLeNet's (Szegedy et al. 2015) and the five of Inception v3 (Szegedy et al. 2016, figures 5 to 7). */
import type { Kernel, NetWriter, Tap } from '../write-net.ts';

export interface InceptionChannels {
  readonly one: number;
  readonly three: readonly [reduce: number, out: number];
  readonly five: readonly [reduce: number, out: number];
  readonly pool: number;
}

/** 1 x 1; 1 x 1 then 3 x 3; 1 x 1 then 5 x 5; 3 x 3 max pooling then 1 x 1: concatenated. Biases, no BatchNorm, as published. */
export function inceptionModule(net: NetWriter, x: Tap, name: string, c: InceptionChannels): Tap {
  const conv = (from: Tap, part: string, channels: number, k: number): Tap =>
    net.relu(net.conv(from, `${name}.${part}`, channels, k, { pad: 'same' }), `${name}.${part}.relu`);
  const pooled = net.maxPool(x, `${name}.pool`, 3, { stride: 1, pad: 1 });
  return net.concat(
    [
      conv(x, '1x1', c.one, 1),
      conv(conv(x, '3x3.reduce', c.three[0], 1), '3x3', c.three[1], 3),
      conv(conv(x, '5x5.reduce', c.five[0], 1), '5x5', c.five[1], 5),
      conv(pooled, 'pool.project', c.pool, 1),
    ],
    `${name}.concat`,
  );
}

type Step = readonly [part: string, channels: number, kernel: Kernel, stride?: number];

/** Convolutions with BatchNorm one after the other; unpadded where they carry a stride. */
const run = (net: NetWriter, x: Tap, name: string, steps: readonly Step[]): Tap =>
  steps.reduce(
    (from, [part, channels, k, stride = 1]) =>
      net.convNorm(from, `${name}.${part}`, channels, k, { stride, pad: stride === 1 ? 'same' : 0 }),
    x,
  );

const average = (net: NetWriter, x: Tap, name: string): Tap =>
  net.averagePool(x, `${name}.pool`, 3, { stride: 1, pad: 1, countPad: true });

/** At 35 x 35: 5 x 5, and two 3 x 3 in a row. `w` scales channels. */
export function inceptionA(net: NetWriter, x: Tap, name: string, pool: number, w: (c: number) => number): Tap {
  return net.concat(
    [
      run(net, x, name, [['1x1', w(64), 1]]),
      run(net, x, name, [
        ['5x5.reduce', w(48), 1],
        ['5x5', w(64), 5],
      ]),
      run(net, x, name, [
        ['3x3.reduce', w(64), 1],
        ['3x3.a', w(96), 3],
        ['3x3.b', w(96), 3],
      ]),
      run(net, average(net, x, name), name, [['pool.project', w(pool), 1]]),
    ],
    `${name}.concat`,
  );
}

/** 35 x 35 to 17 x 17. */
export function inceptionB(net: NetWriter, x: Tap, name: string, w: (c: number) => number): Tap {
  return net.concat(
    [
      run(net, x, name, [['3x3', w(384), 3, 2]]),
      run(net, x, name, [
        ['double.reduce', w(64), 1],
        ['double.a', w(96), 3],
        ['double.b', w(96), 3, 2],
      ]),
      net.maxPool(x, `${name}.pool`, 3, { stride: 2 }),
    ],
    `${name}.concat`,
  );
}

/** At 17 x 17: 7 x 7 as 1 x 7 and 7 x 1. */
export function inceptionC(net: NetWriter, x: Tap, name: string, inner: number, w: (c: number) => number): Tap {
  const c = w(inner);
  return net.concat(
    [
      run(net, x, name, [['1x1', w(192), 1]]),
      run(net, x, name, [
        ['7x7.reduce', c, 1],
        ['7x7.1x7', c, [1, 7]],
        ['7x7.7x1', w(192), [7, 1]],
      ]),
      run(net, x, name, [
        ['double.reduce', c, 1],
        ['double.7x1.a', c, [7, 1]],
        ['double.1x7.a', c, [1, 7]],
        ['double.7x1.b', c, [7, 1]],
        ['double.1x7.b', w(192), [1, 7]],
      ]),
      run(net, average(net, x, name), name, [['pool.project', w(192), 1]]),
    ],
    `${name}.concat`,
  );
}

/** 17 x 17 to 8 x 8. */
export function inceptionD(net: NetWriter, x: Tap, name: string, w: (c: number) => number): Tap {
  return net.concat(
    [
      run(net, x, name, [
        ['3x3.reduce', w(192), 1],
        ['3x3', w(320), 3, 2],
      ]),
      run(net, x, name, [
        ['7x7.reduce', w(192), 1],
        ['7x7.1x7', w(192), [1, 7]],
        ['7x7.7x1', w(192), [7, 1]],
        ['7x7.3x3', w(192), 3, 2],
      ]),
      net.maxPool(x, `${name}.pool`, 3, { stride: 2 }),
    ],
    `${name}.concat`,
  );
}

/** At 8 x 8: 3 x 3 as 1 x 3 and 3 x 1 side by side. */
export function inceptionE(net: NetWriter, x: Tap, name: string, w: (c: number) => number): Tap {
  const fork = (from: Tap, part: string): readonly Tap[] => [
    run(net, from, name, [[`${part}.1x3`, w(384), [1, 3]]]),
    run(net, from, name, [[`${part}.3x1`, w(384), [3, 1]]]),
  ];
  const three = run(net, x, name, [['3x3.reduce', w(384), 1]]);
  const double = run(net, x, name, [
    ['double.reduce', w(448), 1],
    ['double.3x3', w(384), 3],
  ]);
  return net.concat(
    [
      run(net, x, name, [['1x1', w(320), 1]]),
      ...fork(three, '3x3'),
      ...fork(double, 'double'),
      run(net, average(net, x, name), name, [['pool.project', w(192), 1]]),
    ],
    `${name}.concat`,
  );
}
