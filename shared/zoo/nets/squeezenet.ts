/** Owns SqueezeNet 1.0 and 1.1. */
import { text } from '../../base/text.ts';
import { fireModule } from '../blocks/fire.ts';
import type { ZooEntry } from '../declare.ts';
import type { Tap } from '../write-net.ts';

/** Squeeze and expand channels of the eight fire modules. */
const fires = [
  [16, 64],
  [16, 64],
  [32, 128],
  [32, 128],
  [48, 192],
  [48, 192],
  [64, 256],
  [64, 256],
] as const;

const squeezenet = (version: '1.0' | '1.1'): ZooEntry => {
  const first = version === '1.0' ? { channels: 96, kernel: 7 } : { channels: 64, kernel: 3 };
  /** Fire modules (from 2) behind which a 3 x 3 pooling of stride 2 stands. */
  const pools: readonly number[] = version === '1.0' ? [4, 8] : [3, 5];
  return {
    id: `squeezenet-${version}`,
    title: text(`SqueezeNet ${version}`, `SqueezeNet ${version}`),
    summary: text(
      "Fire modules and no fully connected layer: AlexNet's accuracy with 50 times fewer parameters.",
      '완전 연결 레이어 없이 fire 모듈만 씁니다. 파라미터를 50분의 1로 줄이고 AlexNet의 정확도를 냅니다.',
    ),
    source: 'Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer 2016, as in torchvision',
    input: [3, 224, 224],
    classes: 1000,
    scales: true,
    write: (net, input, o, w) => {
      const pool = (x: Tap, name: string): Tap => net.maxPool(x, name, 3, { stride: 2, ceil: true });
      const stem = net.relu(net.conv(input, 'conv1', w(first.channels), first.kernel, { stride: 2 }), 'conv1.relu');
      let x = pool(stem, 'pool1');
      fires.forEach(([squeeze, expand], i) => {
        x = fireModule(net, x, `fire${i + 2}`, w(squeeze), w(expand));
        if (pools.includes(i + 2)) x = pool(x, `pool${i + 2}`);
      });
      const last = net.relu(net.conv(x, 'conv10', o.classes, 1), 'conv10.relu');
      return net.flatten(net.globalPool(last, 'pool10'), 'scores');
    },
  };
};

export const squeezenetEntries: readonly ZooEntry[] = [squeezenet('1.0'), squeezenet('1.1')];
