/**
 * Owns AlexNet (torchvision's single-branch form) and VGG. Dropout is left out: it does nothing at inference. Where the input is not
 * 224 x 224, the first fully connected layer reads what the last pooling leaves (torchvision pools adaptively instead).
 */
import { text } from '../../base/text.ts';
import type { ZooEntry } from '../declare.ts';
import type { NetWriter, Tap } from '../write-net.ts';

function classifier(net: NetWriter, x: Tap, hidden: number, classes: number): Tap {
  const a = net.relu(net.dense(net.flatten(x, 'flat'), 'classifier.fc1', hidden), 'classifier.relu1');
  const b = net.relu(net.dense(a, 'classifier.fc2', hidden), 'classifier.relu2');
  return net.dense(b, 'scores', classes);
}

const vggStages = { 11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4] } as const;

const vgg = (layers: keyof typeof vggStages): ZooEntry => ({
  id: `vgg-${layers}`,
  title: text(`VGG-${layers}`, `VGG-${layers}`),
  summary: text(
    `${layers - 3} convolutions of 3 x 3 in five stages and three fully connected layers, which hold most of the weights.`,
    `3 x 3 합성곱 ${layers - 3}개를 다섯 단계로 쌓고 완전 연결 레이어 셋을 둡니다. 가중치의 대부분이 완전 연결에 있습니다.`,
  ),
  source: 'Simonyan, Zisserman 2015',
  input: [3, 224, 224],
  classes: 1000,
  scales: true,
  write: (net, input, o, w) => {
    let x = input;
    vggStages[layers].forEach((count, s) => {
      const channels = w(Math.min(64 * 2 ** s, 512));
      for (let k = 1; k <= count; k++) {
        const name = `stage${s + 1}.conv${k}`;
        x = net.relu(net.conv(x, name, channels, 3, { pad: 1 }), `${name}.relu`);
      }
      x = net.maxPool(x, `stage${s + 1}.pool`, 2);
    });
    return classifier(net, x, w(4096), o.classes);
  },
});

const alexnet: ZooEntry = {
  id: 'alexnet',
  title: text('AlexNet', 'AlexNet'),
  summary: text(
    'Five convolutions and three fully connected layers; the net that Deep Compression made 35 times smaller.',
    '합성곱 다섯과 완전 연결 레이어 셋. Deep Compression이 35배로 줄인 신경망입니다.',
  ),
  source: 'Krizhevsky 2014 (one branch), as in torchvision',
  input: [3, 224, 224],
  classes: 1000,
  scales: true,
  write: (net, input, o, w) => {
    const conv = (x: Tap, k: number, channels: number, size: number, stride: number, pad: number): Tap =>
      net.relu(net.conv(x, `conv${k}`, channels, size, { stride, pad }), `conv${k}.relu`);
    const a = net.maxPool(conv(input, 1, w(64), 11, 4, 2), 'pool1', 3, { stride: 2 });
    const b = net.maxPool(conv(a, 2, w(192), 5, 1, 2), 'pool2', 3, { stride: 2 });
    const c = conv(conv(conv(b, 3, w(384), 3, 1, 1), 4, w(256), 3, 1, 1), 5, w(256), 3, 1, 1);
    return classifier(net, net.maxPool(c, 'pool5', 3, { stride: 2 }), w(4096), o.classes);
  },
};

export const alexnetVggEntries: readonly ZooEntry[] = [alexnet, vgg(11), vgg(13), vgg(16), vgg(19)];
