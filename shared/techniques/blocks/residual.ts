/** Owns the blocks with a shortcut: residual (plain and pre-activation) and dense. */
import { lazy } from '../../base/lazy.ts';
import { lowRank, product } from '../../base/low-rank.ts';
import { text } from '../../base/text.ts';
import type { BlockWriter } from './block-writer.ts';
import type { ConvLayer } from './conv-layer.ts';
import { type BlockKind, centreOf, narrow, tapsOf, withoutIdentity } from './declare.ts';

const uncentred = (layer: ConvLayer): string | undefined =>
  layer.centred ? undefined : 'its padding does not centre the kernel, so that a shortcut would read elsewhere';

interface Parts {
  /** [m, inputs, taps] */
  readonly first: Float64Array;
  /** [outputs, m]: the second convolution's centres. */
  readonly second: Float64Array;
  /** [outputs, inputs]: the shortcut, where it is no identity. */
  readonly shortcut: Float64Array;
  readonly composite: Float64Array;
}

/** The shortcut takes the centres (or the identity); what is left is split in two by SVD along the channels. */
function split(layer: ConvLayer, m: number, identity: boolean): Parts {
  const { inputs, outputs } = layer;
  const [taps, centre] = [tapsOf(layer), centreOf(layer)];
  const shortcut = new Float64Array(outputs * inputs);
  const rest = identity ? withoutIdentity(layer) : Float64Array.from(layer.weight());
  for (let at = 0; at < shortcut.length; at++) {
    if (identity) shortcut[at] = Number(at % inputs === Math.floor(at / inputs));
    else {
      shortcut[at] = rest[at * taps + centre] ?? 0;
      rest[at * taps + centre] = 0;
    }
  }
  const cut = lowRank(rest, outputs, inputs * taps, m);
  const second = new Float64Array(outputs * m);
  for (let n = 0; n < outputs; n++)
    for (let r = 0; r < cut.rank; r++) second[n * m + r] = cut.left[n * cut.rank + r] ?? 0;
  const first = new Float64Array(m * inputs * taps);
  first.set(cut.right);
  const composite = product(cut.left, cut.right, outputs, cut.rank, inputs * taps);
  for (let at = 0; at < shortcut.length; at++)
    composite[at * taps + centre] = (composite[at * taps + centre] ?? 0) + (shortcut[at] ?? 0);
  return { first, second, shortcut, composite };
}

/** [outputs, inputs] as the centres of kernels [outputs, inputs, height, width]. */
function centred(values: Float64Array, layer: ConvLayer): Float64Array {
  const [taps, centre] = [tapsOf(layer), centreOf(layer)];
  const out = new Float64Array(values.length * taps);
  for (const [k, v] of values.entries()) out[k * taps + centre] = v;
  return out;
}

/** BatchNormalization that changes nothing yet: training gives it its meaning. */
function norm(b: BlockWriter, part: string, x: string, channels: number): string {
  const [zeros, ones] = [() => new Float64Array(channels), () => new Float64Array(channels).fill(1)];
  // variance + epsilon = 1, so that the identity is exact
  const variance = (): Float64Array => new Float64Array(channels).fill(1 - epsilon);
  const made = [
    b.tensor(`${part}.scale`, [channels], ones),
    b.tensor(`${part}.shift`, [channels], zeros),
    b.tensor(`${part}.mean`, [channels], zeros),
    b.tensor(`${part}.variance`, [channels], variance),
  ];
  return b.node('BatchNormalization', part, [x, ...made]);
}
const epsilon = 1e-5;

function write(b: BlockWriter, ratio: number, pre: boolean) {
  const { layer } = b;
  const { inputs, outputs, skips } = layer;
  const [kh, kw] = layer.kernel;
  const m = narrow(layer, ratio);
  const nearest = lazy(() => split(layer, m, skips));
  const inner = pre ? {} : b.innerBias;
  const into = pre ? b.bend('norm1', norm(b, 'norm1', b.x, inputs)) : b.x;
  const one = b.conv('conv1', into, {
    dims: [m, inputs, kh, kw],
    weight: () => nearest().first,
    slide: 'layer',
    ...inner,
  });
  const mid = b.bend('conv1', pre ? norm(b, 'norm2', one, m) : one);
  const two = b.conv('conv2', mid, {
    dims: [outputs, m, kh, kw],
    weight: () => centred(nearest().second, layer),
    slide: 'same',
    ...b.ownBias,
  });
  const side = skips
    ? b.x
    : b.conv('shortcut', b.x, { dims: [outputs, inputs, 1, 1], weight: () => nearest().shortcut, slide: 'strides' });
  b.node('Add', 'add', [two, side], [], true);
  return () => nearest().composite;
}

/** He et al. 2016, figure 5 left: two k x k convolutions beside a shortcut. */
export const residual: BlockKind = {
  id: 'residual',
  label: text('Residual (ResNet)', '잔차(ResNet)'),
  refuses: uncentred,
  write: (b, o) => write(b, o.ratio, false),
};

/** He et al. 2016b, figure 4e: normalisation and activation before each convolution. */
export const preActivation: BlockKind = {
  id: 'pre-activation',
  label: text('Residual, pre-activation (ResNet v2)', '잔차, 사전 활성화(ResNet v2)'),
  refuses: uncentred,
  write: (b, o) => write(b, o.ratio, true),
};

/** Huang et al. 2017, section 3: two layers that read all before them, and a 1x1 transition over everything. */
export const dense: BlockKind = {
  id: 'dense',
  label: text('Dense block (DenseNet)', '밀집 블록(DenseNet)'),
  refuses: (layer) =>
    uncentred(layer) ??
    (layer.window.strides.some((s) => s > 1) ? 'it strides: layers of a dense block keep the size' : undefined),
  write: (b, o) => {
    const { layer } = b;
    const { inputs, outputs } = layer;
    const [kh, kw] = layer.kernel;
    const taps = tapsOf(layer);
    const growth = narrow(layer, o.ratio / 2);
    const nearest = lazy(() => split(layer, 2 * growth, false));
    const inner = b.innerBias;
    const first = b.bend(
      'layer1',
      b.conv('layer1', b.x, {
        dims: [growth, inputs, kh, kw],
        weight: () => nearest().first.subarray(0, growth * inputs * taps),
        slide: 'layer',
        ...inner,
      }),
    );
    // The second layer reads the first as well; at the start with weight 0.
    const reads = inputs + growth;
    const second = (): Float64Array => {
      const w = new Float64Array(growth * reads * taps);
      for (let r = 0; r < growth; r++)
        w.set(
          nearest().first.subarray((growth + r) * inputs * taps, (growth + r + 1) * inputs * taps),
          r * reads * taps,
        );
      return w;
    };
    const both = b.concat('concat1', [b.x, first]);
    const next = b.bend(
      'layer2',
      b.conv('layer2', both, { dims: [growth, reads, kh, kw], weight: second, slide: 'layer', ...inner }),
    );
    const all = b.concat('concat2', [b.x, first, next]);
    const width = inputs + 2 * growth;
    const transition = (): Float64Array => {
      const w = new Float64Array(outputs * width);
      for (let n = 0; n < outputs; n++) {
        w.set(nearest().shortcut.subarray(n * inputs, (n + 1) * inputs), n * width);
        w.set(nearest().second.subarray(n * 2 * growth, (n + 1) * 2 * growth), n * width + inputs);
      }
      return w;
    };
    b.conv('transition', all, { dims: [outputs, width, 1, 1], weight: transition, ...b.ownBias }, true);
    return () => nearest().composite;
  },
};
