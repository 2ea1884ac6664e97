/** Owns a small residual network (He et al. 2016) for 28 x 28 grey digits, BatchNormalization unfolded. */
import type { Model } from '../ir/model.ts';
import { NetWriter } from './write-net.ts';

/** Two convolutions and a shortcut; a 1 x 1 convolution on the shortcut where the shape changes. */
function block(net: NetWriter, x: string, name: string, cin: number, cout: number, stride: number): string {
  const conv = (from: string, part: string, a: number, k: number, s: number): string =>
    net.norm(
      net.conv(from, `${name}.${part}`, a, cout, k, { stride: s, pad: (k - 1) / 2, bias: false }),
      `${name}.${part}.norm`,
      cout,
    );
  const first = net.relu(conv(x, 'conv1', cin, 3, stride), `${name}.relu1`);
  const second = conv(first, 'conv2', cout, 3, 1);
  const shortcut = cin === cout && stride === 1 ? x : conv(x, 'shortcut', cin, 1, stride);
  return net.relu(net.node('Add', [second, shortcut], `${name}.sum`), `${name}.out`);
}

/** ResNet-8: a stem at half size and three blocks of 16, 24 and 48 channels, global average pooling, 10 classes. */
export function resnet8(seed = 1): Model {
  const net = new NetWriter(seed);
  const stem = net.relu(
    net.norm(net.conv('input', 'stem', 1, 16, 3, { stride: 2, pad: 1, bias: false }), 'stem.norm', 16),
    'stem.relu',
  );
  const a = block(net, stem, 'block1', 16, 16, 1);
  const b = block(net, a, 'block2', 16, 24, 2);
  const c = block(net, b, 'block3', 24, 48, 2);
  const flat = net.node('Flatten', [net.node('GlobalAveragePool', [c], 'pool')], 'flat');
  return net.model('resnet-8-digits', [1, 28, 28], net.dense(flat, 'scores', 48, 10), 10);
}
