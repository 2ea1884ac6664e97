/**
 * Owns small nets for 28 x 28 grey digits, one for each kind of block, all under 500 KB: what the samples are trained from. All
 * but the plain one halve the picture at once, so that they train in minutes.
 */
import { type Text, text } from '../../base/text.ts';
import { denseBlock, transition } from '../blocks/dense.ts';
import { fireModule } from '../blocks/fire.ts';
import { basicBlock, bottleneckBlock } from '../blocks/residual.ts';
import { depthwiseSeparable, invertedResidual } from '../blocks/separable.ts';
import { shuffleUnitV2 } from '../blocks/shuffle.ts';
import type { ZooEntry } from '../declare.ts';
import type { NetWriter, Tap } from '../write-net.ts';

type Scale = (channels: number, multiple?: number) => number;

const digits = (
  id: string,
  title: string,
  summary: Text,
  source: string,
  body: (net: NetWriter, stem: Tap, w: Scale) => Tap,
  stem = 16,
): ZooEntry => ({
  id: `${id}-digits`,
  title: text(title, title),
  summary,
  source,
  input: [1, 28, 28],
  classes: 10,
  scales: true,
  write: (net, input, o, w) => {
    const x = body(net, net.convNorm(input, 'stem', w(stem, 2), 3, { stride: 2 }), w);
    return net.dense(net.flatten(net.globalPool(x, 'pool'), 'flat'), 'scores', o.classes);
  },
});

export const digitEntries: readonly ZooEntry[] = [
  digits(
    'resnet-8',
    'ResNet-8',
    text(
      'Three residual blocks with BatchNormalization: coupled channels to see.',
      '배치 정규화가 있는 잔차 블록 셋: 묶인 채널을 볼 수 있습니다.',
    ),
    'after He, Zhang, Ren, Sun 2016',
    (net, x, w) => {
      const a = basicBlock(net, x, 'block1', w(16, 2));
      return basicBlock(net, basicBlock(net, a, 'block2', w(24), 2), 'block3', w(48), 2);
    },
  ),
  digits(
    'bottleneck',
    'Bottleneck net',
    text('Four bottleneck residual blocks.', '병목 잔차 블록 넷.'),
    'after He, Zhang, Ren, Sun 2016',
    (net, x, w) => {
      const a = bottleneckBlock(net, x, 'block1', w(16), w(48));
      const b = bottleneckBlock(net, a, 'block2', w(24), w(96), 2);
      return bottleneckBlock(net, bottleneckBlock(net, b, 'block3', w(24), w(96)), 'block4', w(32), w(128), 2);
    },
  ),
  digits(
    'densenet',
    'Dense net',
    text(
      'Two dense blocks of growth 12: each layer reads all before it.',
      '증가 폭 12의 밀집 블록 둘: 각 레이어가 앞의 모두를 읽습니다.',
    ),
    'after Huang, Liu, van der Maaten, Weinberger 2017',
    (net, x, w) => {
      const a = denseBlock(net, x, 'dense1', 3, w(12), w(24));
      const b = denseBlock(net, transition(net, a, 'transition1', w(26)), 'dense2', 5, w(12), w(32));
      return net.relu(net.norm(b, 'last.norm'), 'last.relu');
    },
  ),
  digits(
    'squeezenet',
    'Fire net',
    text('Four fire modules: squeeze, then expand two ways.', 'fire 모듈 넷: 줄였다가 두 갈래로 넓힙니다.'),
    'after Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer 2016',
    (net, x, w) => {
      const a = fireModule(net, x, 'fire1', w(12), w(24));
      const b = fireModule(net, net.maxPool(a, 'pool1', 2), 'fire2', w(16), w(40));
      const c = fireModule(net, b, 'fire3', w(20), w(48));
      return fireModule(net, net.maxPool(c, 'pool3', 2, { ceil: true }), 'fire4', w(24), w(64));
    },
  ),
  digits(
    'mobilenet',
    'Depthwise separable net',
    text('Depthwise separable convolutions, as MobileNet v1.', 'MobileNet v1처럼 깊이별 분리 합성곱을 씁니다.'),
    'after Howard et al. 2017',
    (net, x, w) => {
      let y = depthwiseSeparable(net, x, 'block1', w(32));
      y = depthwiseSeparable(net, y, 'block2', w(64), 2);
      y = depthwiseSeparable(net, y, 'block3', w(64));
      y = depthwiseSeparable(net, y, 'block4', w(128), 2);
      return depthwiseSeparable(net, y, 'block5', w(128));
    },
  ),
  digits(
    'mobilenet-v2',
    'Inverted residual net',
    text(
      'Inverted residuals, as MobileNet v2: narrow outside, wide inside.',
      'MobileNet v2의 역잔차 블록: 밖은 좁고 안은 넓습니다.',
    ),
    'after Sandler, Howard, Zhu, Zhmoginov, Chen 2018',
    (net, x, w) => {
      const block = (from: Tap, k: number, c: number, stride: number): Tap =>
        invertedResidual(net, from, `block${k}`, w(c), { expansion: 4, stride });
      const y = block(block(x, 1, 24, 2), 2, 24, 1);
      return net.convNorm(block(block(block(y, 3, 40, 2), 4, 40, 1), 5, 40, 1), 'last', w(160), 1, { act: 'relu6' });
    },
  ),
  digits(
    'shufflenet',
    'Shuffle net',
    text(
      'ShuffleNet v2 units: half the channels pass, then all are shuffled.',
      'ShuffleNet v2 유닛: 채널 절반은 지나가고 모두 섞입니다.',
    ),
    'after Ma, Zhang, Zheng, Sun 2018',
    (net, x, w) => {
      let y = x;
      for (const [name, c, stride] of [
        ['unit1', 48, 2],
        ['unit2', 48, 1],
        ['unit3', 48, 1],
        ['unit4', 96, 2],
        ['unit5', 96, 1],
      ] as const)
        y = shuffleUnitV2(net, y, name, w(c, 2), stride);
      return net.convNorm(y, 'last', w(160), 1);
    },
  ),
];
