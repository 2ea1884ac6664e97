/** Owns the blocks that are narrow inside: bottleneck, fire module, and the pair of k x 1 and 1 x k. */
import { lazy } from '../../base/lazy.ts';
import { lowRank, product } from '../../base/low-rank.ts';
import { text } from '../../base/text.ts';
import type { ConvLayer } from './conv-layer.ts';
import { type BlockKind, centreOf, kernelOf, narrow, tapsOf } from './declare.ts';
import { basis, tucker2 } from './fits.ts';

/** He et al. 2016, figure 5 right: 1x1 down, k x k, 1x1 up. Fitted by Tucker-2. */
export const bottleneck: BlockKind = {
  id: 'bottleneck',
  label: text('Bottleneck (ResNet)', '병목(ResNet)'),
  refuses: () => undefined,
  write: (b, o) => {
    const { layer } = b;
    const m = narrow(layer, o.ratio);
    const [kh, kw] = layer.kernel;
    const nearest = lazy(() => tucker2(kernelOf(layer), m));
    const inner = b.innerBias;
    const down = b.conv('reduce', b.x, { dims: [m, layer.inputs, 1, 1], weight: () => nearest().reduce, ...inner });
    const slide = { dims: [m, m, kh, kw] as const, weight: () => nearest().core, slide: 'layer' as const, ...inner };
    const mid = b.conv('core', b.bend('reduce', down), slide);
    b.conv(
      'expand',
      b.bend('core', mid),
      { dims: [layer.outputs, m, 1, 1], weight: () => nearest().expand, ...b.ownBias },
      true,
    );
    return () => nearest().composite;
  },
};

interface FireFit {
  readonly squeeze: Float64Array;
  readonly one: Float64Array;
  readonly full: Float64Array;
  readonly composite: Float64Array;
}

/** The squeeze spans what both expansions read: centres for the first outputs, all taps for the others. */
function fireFit(layer: ConvLayer, s: number, ones: number): FireFit {
  const { inputs, outputs } = layer;
  const [taps, centre, w] = [tapsOf(layer), centreOf(layer), layer.weight()];
  const columns = ones + (outputs - ones) * taps;
  const read = new Float64Array(inputs * columns);
  for (let c = 0; c < inputs; c++) {
    for (let n = 0; n < ones; n++) read[c * columns + n] = w[(n * inputs + c) * taps + centre] ?? 0;
    for (let n = ones; n < outputs; n++)
      for (let t = 0; t < taps; t++)
        read[c * columns + ones + (n - ones) * taps + t] = w[(n * inputs + c) * taps + t] ?? 0;
  }
  const squeeze = basis(read, inputs, columns, s);
  const spread = product(squeeze, read, s, inputs, columns); // [s, columns]
  const one = new Float64Array(ones * s);
  const full = new Float64Array((outputs - ones) * s * taps);
  for (let r = 0; r < s; r++) {
    for (let n = 0; n < ones; n++) one[n * s + r] = spread[r * columns + n] ?? 0;
    for (let n = 0; n < outputs - ones; n++)
      for (let t = 0; t < taps; t++) full[(n * s + r) * taps + t] = spread[r * columns + ones + n * taps + t] ?? 0;
  }
  const composite = new Float64Array(w.length);
  for (let n = 0; n < outputs; n++)
    for (let c = 0; c < inputs; c++)
      for (let r = 0; r < s; r++) {
        const q = squeeze[r * inputs + c] ?? 0;
        const at = (n * inputs + c) * taps;
        if (n < ones) composite[at + centre] = (composite[at + centre] ?? 0) + q * (one[n * s + r] ?? 0);
        else
          for (let t = 0; t < taps; t++)
            composite[at + t] = (composite[at + t] ?? 0) + q * (full[((n - ones) * s + r) * taps + t] ?? 0);
      }
  return { squeeze, one, full, composite };
}

/** Iandola et al. 2016, section 3.2: squeeze by 1x1, then half of the outputs by 1x1 and half by k x k, side by side. */
export const fire: BlockKind = {
  id: 'fire',
  label: text('Fire module (SqueezeNet)', '파이어 모듈(SqueezeNet)'),
  refuses: (layer) =>
    !layer.centred
      ? 'its padding does not centre the kernel, so that a 1x1 beside it would read elsewhere'
      : layer.outputs < 2
        ? 'it has a single output channel, and a fire module makes two halves'
        : undefined,
  write: (b, o) => {
    const { layer } = b;
    const { inputs, outputs } = layer;
    const [kh, kw] = layer.kernel;
    const s = narrow(layer, o.ratio);
    const ones = Math.floor(outputs / 2);
    const nearest = lazy(() => fireFit(layer, s, ones));
    const inner = b.innerBias;
    const down = b.bend(
      'squeeze',
      b.conv('squeeze', b.x, { dims: [s, inputs, 1, 1], weight: () => nearest().squeeze, ...inner }),
    );
    const part = (from: number, to: number) =>
      layer.bias === undefined ? {} : { bias: () => layer.biasValues().subarray(from, to) };
    const small = { dims: [ones, s, 1, 1] as const, weight: () => nearest().one, slide: 'strides' as const };
    const large = { dims: [outputs - ones, s, kh, kw] as const, weight: () => nearest().full, slide: 'layer' as const };
    const left = b.conv('expand1x1', down, { ...small, ...part(0, ones) });
    const right = b.conv(`expand${kh}x${kw}`, down, { ...large, ...part(ones, outputs) });
    b.concat('concat', [left, right], true);
    return () => nearest().composite;
  },
};

/** k x 1 then 1 x k (Szegedy et al. 2016, section 3.2; fitted as Jaderberg et al. 2014, scheme 2). */
export const factorised: BlockKind = {
  id: 'factorised',
  label: text('k×1 and 1×k (Inception)', 'k×1과 1×k(Inception)'),
  refuses: (layer) =>
    layer.kernel[0] === 1 || layer.kernel[1] === 1
      ? 'its kernel is a line already'
      : layer.window.autoPad.startsWith('SAME') && layer.window.strides.some((s) => s > 1)
        ? 'its padding depends on the input size'
        : undefined,
  write: (b, o) => {
    const { layer } = b;
    const { inputs, outputs } = layer;
    const [kh, kw] = layer.kernel;
    const m = narrow(layer, o.ratio);
    const nearest = lazy(() => {
      const w = layer.weight();
      const flat = new Float64Array(w.length);
      // Rows: input channel and height; columns: output channel and width.
      for (let n = 0; n < outputs; n++)
        for (let c = 0; c < inputs; c++)
          for (let i = 0; i < kh; i++)
            for (let j = 0; j < kw; j++)
              flat[(c * kh + i) * outputs * kw + n * kw + j] = w[((n * inputs + c) * kh + i) * kw + j] ?? 0;
      const cut = lowRank(flat, inputs * kh, outputs * kw, m);
      const down = new Float64Array(m * inputs * kh);
      const across = new Float64Array(outputs * m * kw);
      for (let r = 0; r < cut.rank; r++) {
        for (let at = 0; at < inputs * kh; at++) down[r * inputs * kh + at] = cut.left[at * cut.rank + r] ?? 0;
        for (let n = 0; n < outputs; n++)
          for (let j = 0; j < kw; j++) across[(n * m + r) * kw + j] = cut.right[r * outputs * kw + n * kw + j] ?? 0;
      }
      const back = product(cut.left, cut.right, inputs * kh, cut.rank, outputs * kw);
      const composite = w.map((_, at) => {
        const [j, i, c, n] = [
          at % kw,
          Math.floor(at / kw) % kh,
          Math.floor(at / (kw * kh)) % inputs,
          Math.floor(at / (kw * kh * inputs)),
        ];
        return back[(c * kh + i) * outputs * kw + n * kw + j] ?? 0;
      });
      return { down, across, composite };
    });
    const [h, w] = [b.slideAlong(0), b.slideAlong(1)];
    const inner = b.innerBias;
    const mid = b.conv(`${kh}x1`, b.x, {
      dims: [m, inputs, kh, 1],
      weight: () => nearest().down,
      attributes: h,
      ...inner,
    });
    b.conv(
      `1x${kw}`,
      b.bend(`${kh}x1`, mid),
      { dims: [outputs, m, 1, kw], weight: () => nearest().across, attributes: w, ...b.ownBias },
      true,
    );
    return () => nearest().composite;
  },
};
