/** Owns operators that sample images: Resize, Upsample, GridSample, AffineGrid, RoiAlign, NonMaxSuppression, CenterCropPad, Col2Im. */

import { attr, attributeOf, floatAttr, intAttr, intsAttr, stringAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed, fedAs, fixed, ints } from './case-values.ts';
import {
  type ChannelContext,
  type ChannelRelation,
  type Facts,
  type NodeContext,
  none,
  type Op,
  type Scalar,
} from './declare.ts';
import { numbersOf } from './fold.ts';
import { affineGridGradient, gridSampleGradient } from './grid-gradient.ts';
import { centerCropPadGradient } from './index-gradient.ts';
import { col2ImGradient, resizeGradient } from './resize-gradient.ts';
import {
  axisAt,
  family,
  freezeAll,
  noGradientYet,
  noQuantize,
  perOutput,
  sameAxis,
  tensorFacts,
  times,
} from './rule.ts';

/** Axes that keep their size pass; channels are never interpolated. */
const passEqual = (c: ChannelContext): readonly ChannelRelation[] =>
  (c.inputs[0]?.shape ?? []).flatMap((_, i) => sameAxis(c, 0, i, 0, i));

const samples = family({
  domain: '',
  parameters: {},
  work: perOutput('other'),
  gradient: noGradientYet,
  channels: { relate: passEqual },
  quantize: noQuantize,
});

/** Scales and sizes by axis, wherever the version keeps them (Upsample-7/9, Resize-10/11/13/18). */
function wanted(
  c: NodeContext,
  rank: number,
): { readonly scales?: readonly Scalar[]; readonly sizes?: readonly Scalar[] } {
  const upsample = c.node.op === 'Upsample';
  const spread = (given: readonly Scalar[] | undefined, rest: Scalar | undefined): readonly Scalar[] | undefined => {
    const axes = intsAttr(c.node, 'axes');
    if (given === undefined || axes === undefined) return given;
    return Array.from({ length: rank }, (_, i) => {
      const at = axes.findIndex((a) => axisAt(a, rank) === i);
      return at < 0 ? (rest ?? null) : (given[at] ?? null);
    });
  };
  if (upsample && c.version < 7) {
    const h = floatAttr(c.node, 'height_scale', 1);
    return { scales: [1, 1, h, floatAttr(c.node, 'width_scale', 1)] };
  }
  const attribute = attributeOf(c.node, 'scales', 'floats');
  const at = upsample || c.version < 11 ? 1 : 2;
  const scales = attribute ?? c.inputs[at]?.content;
  const sizes = upsample || c.version < 11 ? undefined : c.inputs[3]?.content;
  const given = sizes === undefined ? undefined : spread(sizes, undefined);
  return {
    ...(scales !== undefined && scales.length > 0 ? { scales: spread(scales, 1) ?? scales } : {}),
    ...(given === undefined ? {} : { sizes: given }),
  };
}

const inferResize = (c: NodeContext): readonly Facts[] => {
  const x = c.inputs[0];
  const s = x?.shape;
  if (!s) return [tensorFacts(c, x?.elem ?? null, null)];
  const { scales, sizes } = wanted(c, s.length);
  return [tensorFacts(c, x.elem, sizes === undefined ? scaled(s, scales) : sized(c, s, sizes))];
};

/**
 * floor(size * scale) in float, as the runtime computes it. The specification of tf_crop_and_resize multiplies by the
 * region's part too; the runtime does not (onnxruntime 1.30), and its shape is what counts.
 */
function scaled(s: readonly Dim[], scales: readonly Scalar[] | undefined): readonly Dim[] {
  return s.map((d, i): Dim => {
    const k = scales?.[i];
    if (k === 1) return d;
    return typeof d === 'number' && typeof k === 'number' ? Math.floor(Math.fround(d * Math.fround(k))) : null;
  });
}

function sized(c: NodeContext, s: readonly Dim[], sizes: readonly Scalar[]): readonly Dim[] {
  const policy = stringAttr(c.node, 'keep_aspect_ratio_policy', 'stretch');
  const axes = intsAttr(c.node, 'axes')?.map((a) => axisAt(a, s.length));
  const inside = (i: number): boolean => axes === undefined || axes.includes(i);
  if (policy === 'stretch') return s.map((d, i) => (inside(i) ? (sizes[i] ?? null) : d));
  const ratios = s.flatMap((d, i) => {
    const size = sizes[i];
    return inside(i) ? [typeof d === 'number' && typeof size === 'number' ? size / d : Number.NaN] : [];
  });
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return s.map((d, i) =>
    !inside(i) ? d : typeof d === 'number' && !Number.isNaN(scale) ? Math.round(scale * d) : null,
  );
}

const inferGridSample = (c: NodeContext): readonly Facts[] => {
  const [x, grid] = c.inputs;
  const shape = x?.shape && grid?.shape ? [...x.shape.slice(0, 2), ...grid.shape.slice(1, -1)] : null;
  return [tensorFacts(c, x?.elem ?? null, shape)];
};

const inferRoiAlign = (c: NodeContext): readonly Facts[] => {
  const [x, rois] = c.inputs;
  const h = intAttr(c.node, 'output_height', 1);
  return [
    tensorFacts(c, x?.elem ?? null, [
      rois?.shape?.[0] ?? null,
      x?.shape?.[1] ?? null,
      h,
      intAttr(c.node, 'output_width', 1),
    ]),
  ];
};

const inferAffineGrid = (c: NodeContext): readonly Facts[] => {
  const size = c.inputs[1]?.content;
  const rank = size?.length ?? c.inputs[1]?.shape?.[0];
  const dims = size ?? (typeof rank === 'number' ? Array.from({ length: rank }, () => null) : undefined);
  const shape = dims === undefined ? null : [dims[0] ?? null, ...dims.slice(2), dims.length - 2];
  return [tensorFacts(c, c.inputs[0]?.elem ?? null, shape)];
};

const inferCenterCropPad = (c: NodeContext): readonly Facts[] => {
  const [x, target] = c.inputs;
  const s = x?.shape;
  const axes = intsAttr(c.node, 'axes')?.map((a) => axisAt(a, s?.length ?? 0));
  const shape = s?.map((d, i): Dim => {
    const at = axes === undefined ? i : axes.indexOf(i);
    return at < 0 ? d : (target?.content?.[at] ?? null);
  });
  return [tensorFacts(c, x?.elem ?? null, shape ?? null)];
};

const inferCol2Im = (c: NodeContext): readonly Facts[] => {
  const [x, image, block] = c.inputs;
  const n = image?.shape?.[0];
  const spatial = image?.content ?? (typeof n === 'number' ? Array.from({ length: n }, () => null) : undefined);
  const area = times(...(block?.content ?? [null]));
  const columns = x?.shape?.[1];
  const channels = typeof columns === 'number' && area ? columns / area : null;
  return [
    tensorFacts(c, x?.elem ?? null, spatial === undefined ? null : [x?.shape?.[0] ?? null, channels, ...spatial]),
  ];
};

const scales = (...xs: readonly number[]) => fixed('float', xs);

export const resizeOps: readonly Op[] = [
  samples('Resize', [10, 11, 13, 18, 19], inferResize, {
    gradient: resizeGradient,
    quantize: { role: 'pass', data: 0 },
    channels: {
      relate: passEqual,
      adapt: (c) => {
        const sizes = numbersOf(c.inputs[3]);
        if (sizes === undefined || intsAttr(c.node, 'axes') !== undefined) return {};
        const next = sizes.map((d, i) => c.kept(c.out(0, i))?.length ?? d);
        return next.every((d, i) => d === sizes[i]) ? {} : { constants: { 3: next } };
      },
    },
    cases: [
      { name: 'nearest by scales', inputs: [fed(1, 2, 3, 4), undefined, scales(1, 1, 2, 1.5)] },
      {
        name: 'linear by sizes',
        attributes: [attr.string('mode', 'linear')],
        inputs: [fed(1, 2, 4, 4), undefined, undefined, ints([1, 2, 7, 5])],
      },
      {
        name: 'cubic down',
        attributes: [attr.string('mode', 'cubic')],
        inputs: [fed(1, 1, 8, 8), undefined, scales(1, 1, 0.6, 0.3)],
      },
      { name: 'opset 10', opset: 10, inputs: [fed(1, 2, 3, 4), scales(1, 1, 2, 2)] },
      {
        name: 'axes, aspect kept',
        opset: 18,
        attributes: [
          attr.ints('axes', [2, 3]),
          attr.string('keep_aspect_ratio_policy', 'not_larger'),
          attr.string('mode', 'linear'),
        ],
        inputs: [fed(1, 2, 4, 8), undefined, undefined, ints([6, 6])],
      },
      {
        name: 'cropped',
        opset: 13,
        attributes: [
          attr.string('mode', 'linear'),
          attr.string('coordinate_transformation_mode', 'tf_crop_and_resize'),
        ],
        inputs: [fed(1, 1, 4, 8), scales(0, 0, 0.25, 0, 1, 1, 0.75, 1), scales(1, 1, 2, 1)],
      },
    ],
  }),
  samples('Upsample', [1, 7, 9, 10], inferResize, {
    gradient: resizeGradient,
    quantize: { role: 'pass', data: 0 },
    cases: [
      { name: 'scales as input', opset: 9, inputs: [fed(1, 2, 3, 4), scales(1, 1, 2, 3)] },
      {
        name: 'scales as attribute',
        opset: 7,
        attributes: [attr.floats('scales', [1, 1, 2, 2])],
        inputs: [fed(1, 2, 3, 4)],
      },
    ],
  }),
  samples('GridSample', [16, 20, 22], inferGridSample, {
    gradient: gridSampleGradient,
    channels: { relate: (c) => sameAxis(c, 0, 1, 0, 1) },
    work: perOutput('other', 4),
    cases: [
      { name: 'bilinear', opset: 16, inputs: [fed(1, 2, 4, 4), fed(1, 3, 5, 2)] },
      {
        name: 'aligned, border',
        opset: 16,
        attributes: [attr.int('align_corners', 1), attr.string('padding_mode', 'border')],
        inputs: [fed(2, 1, 3, 4), fed(2, 2, 3, 2)],
      },
      {
        name: 'nearest',
        opset: 16,
        attributes: [attr.string('mode', 'nearest')],
        inputs: [fed(1, 2, 4, 4), fixed('float', [-0.9, 0.3, 0.2, -0.4, 0.6, 1.4], [1, 1, 3, 2])],
      },
    ],
  }),
  samples('AffineGrid', [20], inferAffineGrid, {
    gradient: affineGridGradient,
    channels: freezeAll('a grid of coordinates'),
    cases: [{ name: 'two axes', opset: 20, inputs: [fed(1, 2, 3), ints([1, 3, 4, 5])] }],
  }),
  samples('RoiAlign', [10, 16, 22], inferRoiAlign, {
    gradient: none('regions of interest are not trained through'),
    work: perOutput('other', 4),
    channels: { relate: (c) => sameAxis(c, 0, 1, 0, 1) },
    cases: [
      {
        name: 'average',
        attributes: [attr.int('output_height', 2), attr.int('output_width', 3)],
        inputs: [fed(1, 2, 6, 6), fixed('float', [0, 0, 3, 3, 1, 1, 5, 5], [2, 4]), ints([0, 0])],
      },
    ],
  }),
  samples(
    'MaxRoiPool',
    [1, 22],
    (c) => {
      const [x, rois] = c.inputs;
      const pooled = intsAttr(c.node, 'pooled_shape') ?? [null, null];
      return [tensorFacts(c, x?.elem ?? null, [rois?.shape?.[0] ?? null, x?.shape?.[1] ?? null, ...pooled])];
    },
    {
      gradient: none('regions of interest are not trained through'),
      channels: { relate: (c) => sameAxis(c, 0, 1, 0, 1) },
      cases: [
        {
          name: 'maximum',
          attributes: [attr.ints('pooled_shape', [2, 3])],
          inputs: [fed(1, 2, 6, 6), fixed('float', [0, 0, 0, 3, 3, 0, 1, 1, 5, 5], [2, 5])],
        },
      ],
    },
  ),
  samples('NonMaxSuppression', [10, 11], (c) => [tensorFacts(c, 'int64', [null, 3])], {
    gradient: none('boxes are chosen, not computed'),
    work: () => ({ kernel: 'other', macs: 0, otherOps: null }),
    channels: freezeAll('boxes and scores'),
    cases: [{ name: 'boxes', inputs: [fed(1, 5, 4), fedAs('float', [1, 2, 5]), ints([3])] }],
  }),
  samples('CenterCropPad', [18], inferCenterCropPad, {
    gradient: centerCropPadGradient,
    cases: [
      {
        name: 'crops and pads',
        opset: 18,
        attributes: [attr.ints('axes', [-2, -1])],
        inputs: [fed(2, 5, 6), ints([3, 9])],
      },
    ],
  }),
  samples('Col2Im', [18], inferCol2Im, {
    gradient: col2ImGradient,
    channels: freezeAll('columns are spread over the image'),
    cases: [{ name: 'blocks', opset: 18, inputs: [fed(1, 18, 4), ints([4, 4]), ints([3, 3])] }],
  }),
];
