/** Owns residual blocks: basic and bottleneck (He et al. 2016a), and the pre-activation form (He et al. 2016b). */
import type { NetWriter, Tap } from '../write-net.ts';

/** The way around: the input itself, or a 1 x 1 convolution where the shape changes. */
function shortcut(net: NetWriter, x: Tap, name: string, channels: number, stride: number): Tap {
  if (x.channels === channels && stride === 1) return x;
  return net.convNorm(x, `${name}.shortcut`, channels, 1, { stride, act: 'none' });
}

/** Two 3 x 3 convolutions and a shortcut. x: [N, Cin, H, W] -> [N, channels, H / stride, W / stride] */
export function basicBlock(net: NetWriter, x: Tap, name: string, channels: number, stride = 1): Tap {
  const a = net.relu(net.convNorm(x, `${name}.conv1`, channels, 3, { stride, act: 'none' }), `${name}.relu1`);
  const b = net.convNorm(a, `${name}.conv2`, channels, 3, { act: 'none' });
  return net.relu(net.add(b, shortcut(net, x, name, channels, stride), `${name}.sum`), `${name}.out`);
}

/**
 * 1 x 1 down to `inner` channels, 3 x 3 (which carries the stride, as torchvision has it), 1 x 1 up to `channels`; shortcut.
 */
export function bottleneckBlock(
  net: NetWriter,
  x: Tap,
  name: string,
  inner: number,
  channels: number,
  stride = 1,
): Tap {
  const a = net.convNorm(x, `${name}.reduce`, inner, 1);
  const b = net.convNorm(a, `${name}.conv`, inner, 3, { stride });
  const c = net.convNorm(b, `${name}.expand`, channels, 1, { act: 'none' });
  return net.relu(net.add(c, shortcut(net, x, name, channels, stride), `${name}.sum`), `${name}.out`);
}

/** BatchNorm-ReLU-Conv twice, added to an untouched input; a 1 x 1 convolution after the first ReLU where shapes differ. */
export function preActivationBlock(net: NetWriter, x: Tap, name: string, channels: number, stride = 1): Tap {
  const open = net.relu(net.norm(x, `${name}.norm1`), `${name}.relu1`);
  const a = net.conv(open, `${name}.conv1`, channels, 3, { stride, pad: 'same', bias: false });
  const b = net.conv(net.relu(net.norm(a, `${name}.norm2`), `${name}.relu2`), `${name}.conv2`, channels, 3, {
    pad: 'same',
    bias: false,
  });
  const around =
    x.channels === channels && stride === 1
      ? x
      : net.conv(open, `${name}.shortcut`, channels, 1, { stride, bias: false });
  return net.add(b, around, `${name}.sum`);
}
