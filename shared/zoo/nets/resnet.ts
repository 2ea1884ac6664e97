/** Owns residual networks: ResNet-18 to 152 for ImageNet, ResNet-20 to 110 and the pre-activation form for 32 x 32 pictures. */
import { text } from '../../base/text.ts';
import { basicBlock, bottleneckBlock, preActivationBlock } from '../blocks/residual.ts';
import type { ZooEntry } from '../declare.ts';
import type { NetWriter, Tap } from '../write-net.ts';

const stages = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const;

const head = (net: NetWriter, x: Tap, classes: number): Tap =>
  net.dense(net.flatten(net.globalPool(x, 'pool'), 'flat'), 'scores', classes);

const resnet = (layers: keyof typeof stages): ZooEntry => {
  const deep = layers >= 50;
  return {
    id: `resnet-${layers}`,
    title: text(`ResNet-${layers}`, `ResNet-${layers}`),
    summary: deep
      ? text(
          'Bottleneck blocks with shortcuts, the stride in the 3 x 3 convolution.',
          '지름길이 있는 병목 블록. 보폭은 3 x 3 합성곱에 있습니다.',
        )
      : text('Blocks of two 3 x 3 convolutions with shortcuts.', '3 x 3 합성곱 둘에 지름길을 더한 블록입니다.'),
    source: 'He, Zhang, Ren, Sun 2016, as in torchvision',
    input: [3, 224, 224],
    classes: 1000,
    scales: true,
    write: (net, input, o, w) => {
      const stem = net.convNorm(input, 'stem', w(64), 7, { stride: 2 });
      let x = net.maxPool(stem, 'stem.pool', 3, { stride: 2, pad: 1 });
      stages[layers].forEach((count, s) => {
        const c = w(64 * 2 ** s);
        for (let k = 1; k <= count; k++) {
          const name = `stage${s + 1}.block${k}`;
          const stride = s > 0 && k === 1 ? 2 : 1;
          x = deep ? bottleneckBlock(net, x, name, c, 4 * c, stride) : basicBlock(net, x, name, c, stride);
        }
      });
      return head(net, x, o.classes);
    },
  };
};

/** 6n + 2 layers of 16, 32, 64 channels (He et al. 2016, section 4.2), with 1 x 1 convolutions where shapes change. */
const cifar = (layers: 20 | 32 | 56 | 110, pre = false): ZooEntry => ({
  id: `${pre ? 'preresnet' : 'resnet'}-${layers}`,
  title: text(`${pre ? 'Pre-activation ' : ''}ResNet-${layers}`, `${pre ? '선활성화 ' : ''}ResNet-${layers}`),
  summary: text(
    'Three stages of 16, 32 and 64 channels for 32 x 32 pictures.',
    '32 x 32 그림을 위한 16, 32, 64채널의 세 단계입니다.',
  ),
  source: pre ? 'He, Zhang, Ren, Sun 2016b' : 'He, Zhang, Ren, Sun 2016, section 4.2, with projection shortcuts',
  input: [3, 32, 32],
  classes: 10,
  scales: true,
  write: (net, input, o, w) => {
    let x = pre
      ? net.conv(input, 'stem', w(16), 3, { pad: 'same', bias: false })
      : net.convNorm(input, 'stem', w(16), 3);
    for (let s = 0; s < 3; s++)
      for (let k = 1; k <= (layers - 2) / 6; k++) {
        const name = `stage${s + 1}.block${k}`;
        const stride = s > 0 && k === 1 ? 2 : 1;
        x = (pre ? preActivationBlock : basicBlock)(net, x, name, w(16 * 2 ** s), stride);
      }
    return head(net, pre ? net.relu(net.norm(x, 'last.norm'), 'last.relu') : x, o.classes);
  },
});

export const resnetEntries: readonly ZooEntry[] = [
  resnet(18),
  resnet(34),
  resnet(50),
  resnet(101),
  resnet(152),
  cifar(20),
  cifar(32),
  cifar(56),
  cifar(110),
  cifar(20, true),
  cifar(56, true),
];
