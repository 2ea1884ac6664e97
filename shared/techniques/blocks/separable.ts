/** Owns the blocks around a depthwise convolution: depthwise separable, and inverted residual. */
import { lazy } from '../../base/lazy.ts';
import { text } from '../../base/text.ts';
import { type BlockKind, kernelOf, plusIdentity, withoutIdentity } from './declare.ts';
import { separable } from './fits.ts';

/**
 * Howard et al. 2017, section 3.1: costs 1/N + 1/k^2 of the full convolution; with several filters a channel (the depth multiplier)
 * as many times that. As many filters as taps, or as outputs, are any kernel.
 */
export const depthwiseSeparable: BlockKind = {
  id: 'depthwise-separable',
  label: text('Depthwise separable (MobileNet)', '깊이별 분리(MobileNet)'),
  refuses: () => undefined,
  write: (b, { multiplier }) => {
    const { layer } = b;
    const [kh, kw] = layer.kernel;
    const filters = layer.inputs * multiplier;
    const nearest = lazy(() => separable(kernelOf(layer), multiplier));
    const deep = b.conv('depthwise', b.x, {
      dims: [filters, 1, kh, kw],
      weight: () => nearest().depthwise,
      group: layer.inputs,
      slide: 'layer',
      ...b.innerBias,
    });
    b.conv(
      'pointwise',
      b.bend('depthwise', deep),
      { dims: [layer.outputs, filters, 1, 1], weight: () => nearest().pointwise, ...b.ownBias },
      true,
    );
    return () => nearest().composite;
  },
};

/** Sandler et al. 2018, section 3: widened by 1x1, filtered, narrowed without activation; added to the input where shapes allow. */
export const invertedResidual: BlockKind = {
  id: 'inverted-residual',
  label: text('Inverted residual (MobileNet v2)', '역잔차(MobileNet v2)'),
  refuses: () => undefined,
  write: (b, { expansion }) => {
    const { layer } = b;
    const { inputs, outputs, skips } = layer;
    const [kh, kw] = layer.kernel;
    const wide = inputs * expansion;
    const nearest = lazy(() => separable(kernelOf(layer, skips ? withoutIdentity(layer) : layer.weight()), expansion));
    const inner = b.innerBias;
    // Every input channel once for each of its filters.
    const copies = (): Float64Array => {
      const w = new Float64Array(wide * inputs);
      for (let k = 0; k < wide; k++) w[k * inputs + Math.floor(k / expansion)] = 1;
      return w;
    };
    const up = b.bend('expand', b.conv('expand', b.x, { dims: [wide, inputs, 1, 1], weight: copies, ...inner }));
    const deep = b.conv('depthwise', up, {
      dims: [wide, 1, kh, kw],
      weight: () => nearest().depthwise,
      group: wide,
      slide: 'layer',
      ...inner,
    });
    const project = { dims: [outputs, wide, 1, 1] as const, weight: () => nearest().pointwise, ...b.ownBias };
    const down = b.conv('project', b.bend('depthwise', deep), project, !skips);
    if (skips) b.node('Add', 'add', [down, b.x], [], true);
    return () => (skips ? plusIdentity(layer, nearest().composite) : nearest().composite);
  },
};
