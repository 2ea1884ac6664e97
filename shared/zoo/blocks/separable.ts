/**
 * Owns blocks of depthwise convolutions: depthwise separable (Howard et al. 2017), inverted residual (Sandler et al. 2018), with
 * squeeze-and-excitation where asked (Hu et al. 2018; Tan et al. 2019).
 */
import type { Activation, NetWriter, Tap } from '../write-net.ts';

/** k x k on each channel alone, then 1 x 1 across them, BatchNorm and activation after both. */
export function depthwiseSeparable(
  net: NetWriter,
  x: Tap,
  name: string,
  channels: number,
  stride = 1,
  o: { readonly kernel?: number; readonly act?: Activation; readonly last?: Activation } = {},
): Tap {
  const d = net.convNorm(x, `${name}.depthwise`, x.channels, o.kernel ?? 3, {
    stride,
    group: x.channels,
    act: o.act ?? 'relu',
  });
  return net.convNorm(d, `${name}.pointwise`, channels, 1, { act: o.last ?? o.act ?? 'relu' });
}

/** Scales each channel by what all of them average to: global pool, 1 x 1 down, ReLU, 1 x 1 up, sigmoid. */
export function squeezeExcite(net: NetWriter, x: Tap, name: string, inner: number): Tap {
  const down = net.conv(net.globalPool(x, `${name}.pool`), `${name}.reduce`, inner, 1);
  const up = net.conv(net.relu(down, `${name}.relu`), `${name}.expand`, x.channels, 1);
  const gate = net.node('Sigmoid', [up.value], `${name}.gate`);
  return { ...x, value: net.node('Mul', [x.value, gate], `${name}.scaled`) };
}

export interface InvertedResidualOptions {
  readonly stride?: number;
  /** Inner channels over input channels; 1 leaves the first convolution out. */
  readonly expansion: number;
  readonly kernel?: number;
  readonly act?: Activation;
  /** Channels inside squeeze-and-excitation, over the block's input channels; none by default. */
  readonly excite?: number;
  readonly shortcut?: boolean;
}

/** 1 x 1 up, k x k depthwise, 1 x 1 down without activation; added to the input where the shapes agree. */
export function invertedResidual(
  net: NetWriter,
  x: Tap,
  name: string,
  channels: number,
  o: InvertedResidualOptions,
): Tap {
  const stride = o.stride ?? 1;
  const act = o.act ?? 'relu6';
  const inner = Math.round(x.channels * o.expansion);
  const up = o.expansion === 1 ? x : net.convNorm(x, `${name}.expand`, inner, 1, { act });
  const d = net.convNorm(up, `${name}.depthwise`, inner, o.kernel ?? 3, { stride, group: inner, act });
  const e =
    o.excite === undefined
      ? d
      : squeezeExcite(net, d, `${name}.excite`, Math.max(1, Math.floor(x.channels * o.excite)));
  const down = net.convNorm(e, `${name}.project`, channels, 1, { act: 'none' });
  const around = o.shortcut !== false && stride === 1 && x.channels === channels;
  return around ? net.add(down, x, `${name}.sum`) : down;
}
