/** Owns SqueezeNet's fire module (Iandola et al. 2016). */
import type { NetWriter, Tap } from '../write-net.ts';

/** 1 x 1 squeeze, then 1 x 1 and 3 x 3 side by side, concatenated: -> [N, expand1 + expand3, H, W] */
export function fireModule(
  net: NetWriter,
  x: Tap,
  name: string,
  squeeze: number,
  expand1: number,
  expand3 = expand1,
): Tap {
  const s = net.relu(net.conv(x, `${name}.squeeze`, squeeze, 1), `${name}.squeeze.relu`);
  const a = net.relu(net.conv(s, `${name}.expand1x1`, expand1, 1), `${name}.expand1x1.relu`);
  const b = net.relu(net.conv(s, `${name}.expand3x3`, expand3, 3, { pad: 'same' }), `${name}.expand3x3.relu`);
  return net.concat([a, b], `${name}.concat`);
}
