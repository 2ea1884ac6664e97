/** Owns the units of ShuffleNet v1 (Zhang et al. 2018) and v2 (Ma et al. 2018). */
import type { NetWriter, Tap } from '../write-net.ts';

/**
 * Grouped 1 x 1, depthwise 3 x 3, channel shuffle, grouped 1 x 1. Stride 1 adds the input; stride 2 concatenates its 3 x 3 average, so
 * that the branch makes channels - Cin. The shuffle stands after the depthwise convolution, as the authors' code has it
 * (between any two points of one branch it is the same function of reordered weights).
 */
export function shuffleUnitV1(
  net: NetWriter,
  x: Tap,
  name: string,
  channels: number,
  o: { readonly groups: number; readonly stride?: number; readonly firstGroups?: number; readonly inner?: number },
): Tap {
  const stride = o.stride ?? 1;
  const inner = o.inner ?? channels / 4;
  const a = net.convNorm(x, `${name}.reduce`, inner, 1, { group: o.firstGroups ?? o.groups });
  const d = net.convNorm(a, `${name}.depthwise`, inner, 3, { stride, group: inner, act: 'none' });
  const s = o.groups === 1 ? d : net.shuffle(d, `${name}.shuffle`, o.groups);
  const made = stride === 1 ? channels : channels - x.channels;
  const b = net.convNorm(s, `${name}.expand`, made, 1, { group: o.groups, act: 'none' });
  if (stride === 1) return net.relu(net.add(b, x, `${name}.sum`), `${name}.out`);
  const around = net.averagePool(x, `${name}.around`, 3, { stride, pad: 1, countPad: true });
  return net.concat([around, net.relu(b, `${name}.expand.relu`)], `${name}.out`);
}

/**
 * Stride 1: half the channels pass, half go through 1 x 1, depthwise 3 x 3, 1 x 1; concatenated and shuffled in two groups. Stride 2: all
 * channels go both ways, depthwise 3 x 3 and 1 x 1 on the way around.
 */
export function shuffleUnitV2(net: NetWriter, x: Tap, name: string, channels: number, stride = 1): Tap {
  const half = channels / 2;
  const branch = (from: Tap): Tap => {
    const a = net.convNorm(from, `${name}.reduce`, half, 1);
    const d = net.convNorm(a, `${name}.depthwise`, half, 3, { stride, group: half, act: 'none' });
    return net.convNorm(d, `${name}.expand`, half, 1);
  };
  if (stride === 1) {
    const [pass, work] = net.halves(x, `${name}.split`);
    return net.shuffle(net.concat([pass, branch(work)], `${name}.concat`), `${name}.shuffle`, 2);
  }
  const d = net.convNorm(x, `${name}.around.depthwise`, x.channels, 3, { stride, group: x.channels, act: 'none' });
  const around = net.convNorm(d, `${name}.around.pointwise`, half, 1);
  return net.shuffle(net.concat([around, branch(x)], `${name}.concat`), `${name}.shuffle`, 2);
}
