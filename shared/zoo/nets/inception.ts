/** Owns GoogLeNet as published (Inception v1, local response normalisation, biases) and Inception v3; without auxiliary heads. */
import { text } from '../../base/text.ts';
import { attr } from '../../ir/attribute.ts';
import {
  type InceptionChannels,
  inceptionA,
  inceptionB,
  inceptionC,
  inceptionD,
  inceptionE,
  inceptionModule,
} from '../blocks/inception.ts';
import type { ZooEntry } from '../declare.ts';
import type { NetWriter, Tap } from '../write-net.ts';

/** Szegedy et al. 2015, table 1. */
const modules: readonly (readonly [string, InceptionChannels])[] = [
  ['3a', { one: 64, three: [96, 128], five: [16, 32], pool: 32 }],
  ['3b', { one: 128, three: [128, 192], five: [32, 96], pool: 64 }],
  ['4a', { one: 192, three: [96, 208], five: [16, 48], pool: 64 }],
  ['4b', { one: 160, three: [112, 224], five: [24, 64], pool: 64 }],
  ['4c', { one: 128, three: [128, 256], five: [24, 64], pool: 64 }],
  ['4d', { one: 112, three: [144, 288], five: [32, 64], pool: 64 }],
  ['4e', { one: 256, three: [160, 320], five: [32, 128], pool: 128 }],
  ['5a', { one: 256, three: [160, 320], five: [32, 128], pool: 128 }],
  ['5b', { one: 384, three: [192, 384], five: [48, 128], pool: 128 }],
];

const responseNorm = (net: NetWriter, x: Tap, name: string): Tap => ({
  ...x,
  value: net.node('LRN', [x.value], name, [
    attr.int('size', 5),
    attr.float('alpha', 1e-4),
    attr.float('beta', 0.75),
    attr.float('bias', 1),
  ]),
});

const head = (net: NetWriter, x: Tap, classes: number): Tap =>
  net.dense(net.flatten(net.globalPool(x, 'pool'), 'flat'), 'scores', classes);

const googlenet: ZooEntry = {
  id: 'googlenet',
  title: text('GoogLeNet (Inception v1)', 'GoogLeNet (Inception v1)'),
  summary: text(
    'Nine inception modules: 1 x 1, 3 x 3, 5 x 5 and pooling side by side.',
    'inception 모듈 아홉: 1 x 1, 3 x 3, 5 x 5, 풀링을 나란히 둡니다.',
  ),
  source: 'Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich 2015',
  input: [3, 224, 224],
  classes: 1000,
  scales: true,
  write: (net, input, o, w) => {
    const pool = (x: Tap, name: string): Tap => net.maxPool(x, name, 3, { stride: 2, ceil: true });
    const conv = (x: Tap, name: string, c: number, k: number, stride = 1): Tap =>
      net.relu(net.conv(x, name, c, k, { stride, pad: 'same' }), `${name}.relu`);
    const a = responseNorm(net, pool(conv(input, 'conv1', w(64), 7, 2), 'pool1'), 'norm1');
    const b = conv(conv(a, 'conv2.reduce', w(64), 1), 'conv2', w(192), 3);
    let x = pool(responseNorm(net, b, 'norm2'), 'pool2');
    for (const [name, c] of modules) {
      const two = (p: readonly [number, number]) => [w(p[0]), w(p[1])] as const;
      x = inceptionModule(net, x, `inception${name}`, {
        one: w(c.one),
        three: two(c.three),
        five: two(c.five),
        pool: w(c.pool),
      });
      if (name === '3b' || name === '4e') x = pool(x, `pool${name.charAt(0)}`);
    }
    return head(net, x, o.classes);
  },
};

const inceptionV3: ZooEntry = {
  id: 'inception-v3',
  title: text('Inception v3', 'Inception v3'),
  summary: text(
    'Large kernels as rows and columns: 7 x 7 as 1 x 7 and 7 x 1.',
    '큰 커널을 행과 열로 나눕니다: 7 x 7을 1 x 7과 7 x 1로.',
  ),
  source: 'Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, as in torchvision',
  input: [3, 299, 299],
  classes: 1000,
  scales: true,
  write: (net, input, o, w) => {
    const scale = (c: number): number => w(c);
    const a = net.convNorm(input, 'stem.conv1', w(32), 3, { stride: 2, pad: 0 });
    const b = net.convNorm(net.convNorm(a, 'stem.conv2', w(32), 3, { pad: 0 }), 'stem.conv3', w(64), 3);
    const c = net.convNorm(net.maxPool(b, 'stem.pool1', 3, { stride: 2 }), 'stem.conv4', w(80), 1);
    const d = net.convNorm(c, 'stem.conv5', w(192), 3, { pad: 0 });
    let x = net.maxPool(d, 'stem.pool2', 3, { stride: 2 });
    [32, 64, 64].forEach((pool, k) => {
      x = inceptionA(net, x, `a${k + 1}`, pool, scale);
    });
    x = inceptionB(net, x, 'b', scale);
    [128, 160, 160, 192].forEach((inner, k) => {
      x = inceptionC(net, x, `c${k + 1}`, inner, scale);
    });
    x = inceptionD(net, x, 'd', scale);
    for (const name of ['e1', 'e2']) x = inceptionE(net, x, name, scale);
    return head(net, x, o.classes);
  },
};

export const inceptionEntries: readonly ZooEntry[] = [googlenet, inceptionV3];
