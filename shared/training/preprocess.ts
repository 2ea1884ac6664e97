/** Owns preprocessing: decoded samples to the tensor that a model's input takes. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Dim } from '../ir/model.ts';
import { numberToHalf } from '../ir/values.ts';
import type { DatasetInfo, Sample } from '../ports/dataset.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { layoutOf, type ModelInput } from './model-input.ts';
import { type Preprocess, preprocessSchema } from './preprocess-schema.ts';
import { centreCrop, type Picture, resizeImage } from './resize-image.ts';

const preset = (p: Partial<Preprocess>): Preprocess => preprocessSchema.parse(p);

/** Preprocessings in common use, in the order in which they are tried. */
export const preprocessPresets: Readonly<Record<string, Preprocess>> = {
  unit: preset({}),
  raw: preset({ scale: 1 }),
  mnist: preset({ mean: [0.1307], std: [0.3081] }),
  signed: preset({ mean: [0.5], std: [0.5] }),
  inverted: preset({ invert: true }),
  imagenet: preset({ mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], resize: 'crop', colour: 'rgb' }),
  cifar: preset({ mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616], colour: 'rgb' }),
  caffe: preset({ scale: 1, mean: [103.939, 116.779, 123.68], colour: 'bgr', resize: 'crop' }),
};

/** What a project without a stated preprocessing starts with: 0..1. */
export const defaultPreprocess: Preprocess = preset({});

/** Numbers as they stand. */
const asTheyStand: Preprocess = preset({ scale: 1 });

/** What data starts with where nothing is stated and nothing can be tried: pictures as 0..1, other numbers as they stand. */
export const startingPreprocess = (sample: DatasetInfo['sample']): Preprocess =>
  sample.kind === 'image' ? defaultPreprocess : asTheyStand;

/** A preset by name. Faults: `bad-input`, listing those there are. */
export function presetOf(name: string): Preprocess {
  const found = preprocessPresets[name];
  if (found === undefined)
    throw new Fault('bad-input', text(`there is no preprocessing "${name}"`, `전처리 "${name}"이(가) 없습니다`), {
      hint: text(
        `Named: ${Object.keys(preprocessPresets).join(', ')}.`,
        `있는 이름: ${Object.keys(preprocessPresets).join(', ')}.`,
      ),
    });
  return found;
}

/** Reads pixel (y, x) of the picture as channel k of the wanted colour order. */
function channelReader(p: Picture, channels: number, colour: Preprocess['colour']): (at: number, k: number) => number {
  const v = p.values;
  if (channels === p.channels)
    return colour === 'bgr' && channels === 3
      ? (at, k) => v[at * 3 + 2 - k] ?? 0
      : (at, k) => v[at * channels + k] ?? 0;
  // ITU-R BT.601 luma.
  if (channels === 1 && p.channels >= 3)
    return (at) =>
      0.299 * (v[at * p.channels] ?? 0) + 0.587 * (v[at * p.channels + 1] ?? 0) + 0.114 * (v[at * p.channels + 2] ?? 0);
  if (p.channels === 1) return (at) => v[at] ?? 0;
  throw new Fault(
    'does-not-fit',
    text(
      `pictures of ${p.channels} channels for an input of ${channels}`,
      `이미지는 채널이 ${p.channels}개인데 입력은 ${channels}개입니다`,
    ),
  );
}

const numberOr = (d: Dim | undefined, fallback: number): number => (typeof d === 'number' && d > 0 ? d : fallback);

interface Target {
  readonly layout: NonNullable<Preprocess['layout']>;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly dims: readonly number[];
}

function targetOf(input: ModelInput, p: Preprocess, size: { height: number; width: number; channels: number }): Target {
  const layout = p.layout ?? layoutOf(input.shape);
  const s = input.shape;
  if (layout === 'flat' || layout === 'flat-hwc') {
    const rest = s.slice(1);
    const known = rest.filter((d): d is number => typeof d === 'number');
    const count = known.length === rest.length ? known.reduce((a, b) => a * b, 1) : null;
    const grey = p.colour === 'grey' ? 1 : size.channels;
    if (count === null || count === size.height * size.width * grey)
      return {
        layout,
        channels: grey,
        height: size.height,
        width: size.width,
        dims: count === null ? [size.height * size.width * grey] : known,
      };
    const side = Math.sqrt(count / grey);
    if (!Number.isInteger(side))
      throw new Fault(
        'does-not-fit',
        text(
          `a sample of ${size.height} x ${size.width} x ${size.channels} for an input of ${count}`,
          `샘플은 ${size.height} x ${size.width} x ${size.channels}인데 입력은 ${count}개입니다`,
        ),
        { where: input.name },
      );
    return { layout, channels: grey, height: side, width: side, dims: known };
  }
  if (s.length !== 4)
    throw new Fault(
      'bad-input',
      text(
        `layout ${layout} for an input of rank ${s.length}`,
        `랭크 ${s.length}인 입력에 배치 ${layout}은(는) 맞지 않습니다`,
      ),
      { where: input.name },
    );
  const [c, h, w] = layout === 'nchw' ? [s[1], s[2], s[3]] : [s[3], s[1], s[2]];
  const channels = numberOr(c, p.colour === 'grey' ? 1 : size.channels);
  const height = numberOr(h, size.height);
  const width = numberOr(w, size.width);
  return {
    layout,
    channels,
    height,
    width,
    dims: layout === 'nchw' ? [channels, height, width] : [height, width, channels],
  };
}

function pictureOf(sample: Sample, info: ImageInfo): Picture {
  const height = sample.height ?? info.height;
  const width = sample.width ?? info.width;
  return { height, width, channels: info.channels, values: sample.values };
}

type ImageInfo = Extract<DatasetInfo['sample'], { readonly kind: 'image' }>;
type VectorInfo = Extract<DatasetInfo['sample'], { readonly kind: 'vector' }>;

/** The input's sizes for plain numbers: its own where they hold so many, open ones filled from the data's or the one left over. */
function vectorDims(input: ModelInput, info: VectorInfo): readonly number[] {
  const rest = input.shape.slice(1);
  const own = info.dims ?? [info.length];
  const filled = rest.length === own.length ? rest.map((d, i) => numberOr(d, own[i] ?? 1)) : rest;
  const open = filled.filter((d) => typeof d !== 'number').length;
  const known = filled.reduce<number>((n, d) => n * numberOr(d, 1), 1);
  const dims = open === 1 ? filled.map((d) => numberOr(d, info.length / known)) : filled.map((d) => numberOr(d, 1));
  if (dims.reduce((a, b) => a * b, 1) !== info.length || !dims.every(Number.isInteger))
    throw new Fault(
      'does-not-fit',
      text(
        `a sample of ${own.join(' x ')} numbers for an input of ${rest.join(' x ')}`,
        `샘플은 수 ${own.join(' x ')}개인데 입력은 ${rest.join(' x ')}입니다`,
      ),
      {
        where: input.name,
      },
    );
  return dims;
}

/** Plain numbers in the order in which they stand, scaled alike; from planes to pixels or back where only that fits. */
function vectorBatch(samples: readonly Sample[], info: VectorInfo, input: ModelInput, p: Preprocess): RunTensor {
  const dims = vectorDims(input, info);
  const [a = 1, b = 1, c = 1] = info.dims ?? [];
  const turned = (order: readonly number[]): boolean =>
    info.dims?.length === 3 && dims.join() === order.join() && dims.join() !== info.dims.join();
  // [A, B, C] to [B, C, A] (planes to pixels) or to [C, A, B] (pixels to planes): a matrix turned about.
  const rows = turned([b, c, a]) ? a : turned([c, a, b]) ? a * b : 1;
  const columns = info.length / rows;
  const top = 255 / p.scale;
  const [mean = 0] = p.mean;
  const [std = 1] = p.std;
  const out = new Float32Array(samples.length * info.length);
  for (const [n, { values }] of samples.entries())
    for (let i = 0; i < info.length; i++) {
      const from = rows === 1 ? i : (i % rows) * columns + Math.floor(i / rows);
      const v = (values[from] ?? 0) / p.scale;
      out[n * info.length + i] = ((p.invert ? top - v : v) - mean) / std;
    }
  return { type: input.elem, dims: [samples.length, ...dims], data: typed(input, out) };
}

/**
 * Samples as one batch for `input`: [N, C, H, W], [N, H, W, C] or [N, ...] by its shape (or `preprocess.layout`).
 * (pixel / scale, inverted where asked, - mean) / std per channel. Plain numbers are scaled alike and keep their order.
 * Faults: `does-not-fit` where sizes cannot agree.
 */
export function preprocessBatch(
  samples: readonly Sample[],
  info: DatasetInfo['sample'],
  input: ModelInput,
  preprocess: Preprocess,
): RunTensor {
  const first = samples[0];
  if (first === undefined)
    throw new Fault('no-data', text('no samples to feed', '넣을 샘플이 없습니다'), { where: input.name });
  if (info.kind === 'vector') return vectorBatch(samples, info, input, preprocess);
  const { layout, channels, height, width, dims } = targetOf(input, preprocess, pictureOf(first, info));
  const plane = height * width;
  const each = plane * channels;
  const out = new Float32Array(samples.length * each);
  const top = 255 / preprocess.scale;
  const pick = (list: readonly number[], k: number): number => list[k] ?? list[0] ?? 0;
  const mean = Array.from({ length: channels }, (_, k) => pick(preprocess.mean, k));
  const inverse = Array.from({ length: channels }, (_, k) => 1 / (pick(preprocess.std, k) || 1));
  const sign = preprocess.invert ? -1 : 1;
  const shift = preprocess.invert ? top : 0;
  const channelsLast = layout === 'nhwc' || layout === 'flat-hwc';
  for (const [n, sample] of samples.entries()) {
    let p = pictureOf(sample, info);
    if (p.height !== height || p.width !== width) {
      if (preprocess.resize === 'none')
        throw new Fault(
          'does-not-fit',
          text(
            `a picture of ${p.height} x ${p.width} for an input of ${height} x ${width}`,
            `이미지는 ${p.height} x ${p.width}인데 입력은 ${height} x ${width}입니다`,
          ),
          {
            where: input.name,
            hint: text('Set resize to "fit" or "crop".', 'resize를 "fit"이나 "crop"으로 정하세요.'),
          },
        );
      p = resizeImage(preprocess.resize === 'crop' ? centreCrop(p, height, width) : p, height, width);
    }
    const read = channelReader(p, channels, preprocess.colour);
    for (let k = 0; k < channels; k++) {
      const m = mean[k] ?? 0;
      const s = inverse[k] ?? 1;
      for (let at = 0; at < plane; at++) {
        const v = (shift + (sign * read(at, k)) / preprocess.scale - m) * s;
        out[n * each + (channelsLast ? at * channels + k : k * plane + at)] = v;
      }
    }
  }
  return { type: input.elem, dims: [samples.length, ...dims], data: typed(input, out) };
}

/** The input's own number type; integers are rounded and saturated. */
function typed(input: ModelInput, values: Float32Array): RunTensor['data'] {
  switch (input.elem) {
    case 'float':
      return values;
    case 'double':
      return Float64Array.from(values);
    case 'float16':
      return Uint16Array.from(values, numberToHalf);
    case 'uint8':
      return Uint8Array.from(values, (v) => Math.min(255, Math.max(0, Math.round(v))));
    case 'int8':
      return Int8Array.from(values, (v) => Math.min(127, Math.max(-128, Math.round(v))));
    case 'int32':
      return Int32Array.from(values, Math.round);
    case 'int64':
      return BigInt64Array.from(values, (v) => BigInt(Math.round(v)));
    default:
      throw new Fault(
        'unsupported',
        text(
          `data cannot feed an input of type ${input.elem}`,
          `${input.elem} 형식의 입력에는 데이터를 넣을 수 없습니다`,
        ),
        { where: input.name },
      );
  }
}
