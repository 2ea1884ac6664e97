/** Owns the blocks with a channel shuffle: ShuffleNet's unit of grouped pointwise convolutions, and ShuffleNet v2's split unit. */
import { lazy } from '../../base/lazy.ts';
import { text } from '../../base/text.ts';
import type { BlockWriter } from './block-writer.ts';
import type { ConvLayer } from './conv-layer.ts';
import { type BlockKind, plusIdentity, tapsOf, withoutIdentity } from './declare.ts';
import { cp, separable } from './fits.ts';

/** Width inside, so that every pair of groups (one before, one after the shuffle) has the same number of channels. */
function midOf(layer: ConvLayer, ratio: number, groups: number): number {
  const each = Math.max(1, Math.round((Math.min(layer.inputs, layer.outputs) * ratio) / (groups * groups)));
  return each * groups * groups;
}

interface Grouped {
  readonly before: Float64Array;
  readonly filters: Float64Array;
  readonly after: Float64Array;
  readonly composite: Float64Array;
}

/**
 * Channel i of group a stands at i * groups + a after the shuffle, and is read by group b = i / (mid / groups^2): each pair (a, b)
 * has its own sum of rank-one kernels from the inputs of a to the outputs of b.
 */
function grouped(layer: ConvLayer, kernel: Float64Array, mid: number, groups: number): Grouped {
  const { inputs, outputs } = layer;
  const taps = tapsOf(layer);
  const [ci, co, each] = [inputs / groups, outputs / groups, mid / groups];
  const rank = each / groups;
  const before = new Float64Array(mid * ci);
  const filters = new Float64Array(mid * taps);
  const after = new Float64Array(outputs * each);
  const composite = new Float64Array(kernel.length);
  for (let a = 0; a < groups; a++)
    for (let g = 0; g < groups; g++) {
      const block = new Float64Array(co * ci * taps);
      for (let n = 0; n < co; n++)
        for (let c = 0; c < ci; c++)
          for (let t = 0; t < taps; t++)
            block[(n * ci + c) * taps + t] = kernel[((g * co + n) * inputs + a * ci + c) * taps + t] ?? 0;
      const fit = cp({ values: block, outputs: co, inputs: ci, taps }, rank);
      for (const [r, part] of fit.parts.entries()) {
        const i = g * rank + r; // within group a
        const j = i * groups + a; // after the shuffle
        before.set(part.inp, (a * each + i) * ci);
        filters.set(part.tap, j * taps);
        for (let n = 0; n < co; n++) after[(g * co + n) * each + (j - g * each)] = part.out[n] ?? 0;
      }
      for (let n = 0; n < co; n++)
        for (let c = 0; c < ci; c++)
          for (let t = 0; t < taps; t++)
            composite[((g * co + n) * inputs + a * ci + c) * taps + t] = fit.composite[(n * ci + c) * taps + t] ?? 0;
    }
  return { before, filters, after, composite };
}

/** Zhang et al. 2018, figure 2b: grouped 1x1, shuffle, depthwise, grouped 1x1; added to the input where shapes allow. */
export const shuffleUnit: BlockKind = {
  id: 'shuffle',
  label: text('Grouped 1×1 with shuffle (ShuffleNet)', '그룹 1×1과 셔플(ShuffleNet)'),
  refuses: ({ inputs, outputs }, { groups }) =>
    inputs % groups !== 0 || outputs % groups !== 0
      ? `its ${inputs} input and ${outputs} output channels do not divide into ${groups} groups`
      : undefined,
  write: (b, { ratio, groups }) => {
    const { layer } = b;
    const { inputs, outputs, skips } = layer;
    const [kh, kw] = layer.kernel;
    const mid = midOf(layer, ratio, groups);
    const nearest = lazy(() => grouped(layer, skips ? withoutIdentity(layer) : layer.weight(), mid, groups));
    const inner = b.innerBias;
    const one = b.conv('group1x1', b.x, {
      dims: [mid, inputs / groups, 1, 1],
      weight: () => nearest().before,
      group: groups,
      ...inner,
    });
    const mixed = b.shuffle('shuffle', b.bend('group1x1', one), mid, groups);
    const deep = b.conv('depthwise', mixed, {
      dims: [mid, 1, kh, kw],
      weight: () => nearest().filters,
      group: mid,
      slide: 'layer',
    });
    const two = {
      dims: [outputs, mid / groups, 1, 1] as const,
      weight: () => nearest().after,
      group: groups,
      ...b.ownBias,
    };
    const out = b.conv('group1x1-out', deep, two, !skips);
    if (skips) b.node('Add', 'add', [out, b.x], [], true);
    return () => (skips ? plusIdentity(layer, nearest().composite) : nearest().composite);
  },
};

/** The rows of a kernel that make every second output, from some of the inputs. */
function halfOf(layer: ConvLayer, odd: number, from: number, count: number): Float64Array {
  const taps = tapsOf(layer);
  const w = layer.weight();
  const half = layer.outputs / 2;
  const out = new Float64Array(half * count * taps);
  for (let n = 0; n < half; n++)
    for (let c = 0; c < count; c++)
      for (let t = 0; t < taps; t++)
        out[(n * count + c) * taps + t] = w[((2 * n + odd) * layer.inputs + from + c) * taps + t] ?? 0;
  return out;
}

/** One branch: 1x1 (the identity at the start), depthwise, 1x1. Without the first 1x1 where `plain`. */
function branch(b: BlockWriter, part: string, x: string, odd: number, from: number, count: number, plain: boolean) {
  const { layer } = b;
  const [kh, kw] = layer.kernel;
  const half = layer.outputs / 2;
  const inner = b.innerBias;
  const nearest = lazy(() =>
    separable({ values: halfOf(layer, odd, from, count), outputs: half, inputs: count, taps: tapsOf(layer) }, 1),
  );
  const eye = (): Float64Array => {
    const w = new Float64Array(count * count);
    for (let c = 0; c < count; c++) w[c * count + c] = 1;
    return w;
  };
  const into = plain
    ? x
    : b.bend(`${part}/in`, b.conv(`${part}/in`, x, { dims: [count, count, 1, 1], weight: eye, ...inner }));
  const slide = {
    dims: [count, 1, kh, kw] as const,
    weight: () => nearest().depthwise,
    group: count,
    slide: 'layer' as const,
  };
  const deep = b.conv(`${part}/depthwise`, into, slide);
  // Outputs of this branch stand at every second place.
  const bias = (): Float64Array => layer.biasValues().filter((_, n) => n % 2 === odd);
  const y = b.conv(`${part}/out`, deep, {
    dims: [half, count, 1, 1],
    weight: () => nearest().pointwise,
    ...(layer.bias === undefined ? {} : { bias }),
  });
  return { y, composite: () => nearest().composite };
}

/** Ma et al. 2018, figure 3c and 3d: half of the channels pass, the others are worked on; at a stride both halves are made. */
export const shuffleV2: BlockKind = {
  id: 'shuffle-v2',
  label: text('Split unit (ShuffleNet v2)', '분할 유닛(ShuffleNet v2)'),
  refuses: (layer) => {
    const strides = layer.window.strides.some((s) => s > 1);
    if (layer.outputs % 2 === 1) return 'it has an odd number of output channels, and the unit makes two halves';
    if (strides) return undefined;
    if (!layer.skips)
      return 'half of the input passes through, so it needs as many output as input channels and the same size';
    return undefined;
  },
  write: (b) => {
    const { layer } = b;
    const { inputs, outputs } = layer;
    const taps = tapsOf(layer);
    const strides = layer.window.strides.some((s) => s > 1);
    const half = outputs / 2;
    const [left, right] = strides ? [b.x, b.x] : b.halves('split', b.x, half);
    const one = strides ? branch(b, 'left', left, 0, 0, inputs, true) : { y: left, composite: undefined };
    const two = branch(b, 'right', right, 1, strides ? 0 : half, strides ? inputs : half, false);
    b.shuffle('shuffle', b.concat('concat', [one.y, two.y]), outputs, 2, true);
    return () => {
      const whole = new Float64Array(outputs * inputs * taps);
      const place = (odd: number, from: number, count: number, part: Float64Array): void => {
        for (let n = 0; n < half; n++)
          for (let c = 0; c < count; c++)
            for (let t = 0; t < taps; t++)
              whole[((2 * n + odd) * inputs + from + c) * taps + t] = part[(n * count + c) * taps + t] ?? 0;
      };
      const centre = (taps - 1) / 2;
      if (one.composite !== undefined) place(0, 0, inputs, one.composite());
      else for (let n = 0; n < half; n++) whole[(2 * n * inputs + n) * taps + centre] = 1;
      place(1, strides ? 0 : half, strides ? inputs : half, two.composite());
      return whole;
    };
  },
};
