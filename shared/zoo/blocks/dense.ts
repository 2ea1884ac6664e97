/** Owns the layers of DenseNet (Huang et al. 2017): each reads all that came before it and adds a few channels. */
import type { NetWriter, Tap } from '../write-net.ts';

/** BN-ReLU-Conv 1 x 1 to `inner`, BN-ReLU-Conv 3 x 3 to `growth`, concatenated to the input (DenseNet-B). */
export function denseLayer(net: NetWriter, x: Tap, name: string, growth: number, inner = 4 * growth): Tap {
  const open = net.relu(net.norm(x, `${name}.norm1`), `${name}.relu1`);
  const a = net.conv(open, `${name}.reduce`, inner, 1, { bias: false });
  const b = net.conv(net.relu(net.norm(a, `${name}.norm2`), `${name}.relu2`), `${name}.conv`, growth, 3, {
    pad: 'same',
    bias: false,
  });
  return net.concat([x, b], `${name}.concat`);
}

export function denseBlock(
  net: NetWriter,
  x: Tap,
  name: string,
  layers: number,
  growth: number,
  inner = 4 * growth,
): Tap {
  let y = x;
  for (let k = 1; k <= layers; k++) y = denseLayer(net, y, `${name}.layer${k}`, growth, inner);
  return y;
}

/** Between dense blocks: BN-ReLU-Conv 1 x 1 to `channels`, 2 x 2 average pooling. */
export function transition(net: NetWriter, x: Tap, name: string, channels: number): Tap {
  const open = net.relu(net.norm(x, `${name}.norm`), `${name}.relu`);
  return net.averagePool(net.conv(open, `${name}.conv`, channels, 1, { bias: false }), `${name}.pool`, 2);
}
