/** Owns augmentation: training pictures shifted, turned, scaled, sheared, flipped, cropped and partly erased at random. */
import type { Fields, FieldValues, NumberField } from '../base/fields.ts';
import { type Rng, rng } from '../base/random.ts';
import { type Text, text } from '../base/text.ts';
import type { DatasetInfo, Sample } from '../ports/dataset.ts';

/** Reaches of the random changes; 0 or false: none of it. */
export interface Augment {
  /** Largest shift, as a share of the side. */
  readonly shift: number;
  /** Largest turn, in degrees. */
  readonly rotate: number;
  /** Largest change of scale, each axis by itself, as a share. */
  readonly zoom: number;
  /** Largest shear, as a share of the height. */
  readonly shear: number;
  /** Mirror left and right, every second picture. */
  readonly flip: boolean;
  /** Pad by so many black pixels on each side, then crop the old size anywhere (He et al. 2016, section 4.2). */
  readonly crop: number;
  /** Probability of a random rectangle filled with noise (Zhong et al. 2020, random erasing). */
  readonly erase: number;
}

/** Small moves that keep a digit the digit it is. */
export const standardAugment: Augment = {
  shift: 0.08,
  rotate: 10,
  zoom: 0.1,
  shear: 0.1,
  flip: false,
  crop: 0,
  erase: 0,
};

const when = { field: 'augment', is: [true] } as const;
const reach = (
  label: Text,
  max: number,
  step: number,
  start: number,
  unit: 'share' | 'none' | 'count',
): NumberField => ({
  kind: 'number',
  label,
  min: 0,
  max,
  step,
  default: start,
  unit,
  when,
});

/** The settings as fields of a technique, beneath its switch `augment`. */
export const augmentFields: Fields = {
  augment: {
    kind: 'switch',
    label: text('Augment', '데이터 증강'),
    help: text(
      'Changes training pictures a little at random, each epoch anew; never those that validate or test.',
      '학습 그림을 에폭마다 무작위로 조금씩 바꿉니다. 검증과 시험 그림은 바꾸지 않습니다.',
    ),
    default: true,
  },
  shift: reach(text('Shift', '이동'), 0.5, 0.01, standardAugment.shift, 'share'),
  rotate: reach(text('Rotate (degrees)', '회전(도)'), 45, 1, standardAugment.rotate, 'none'),
  zoom: reach(text('Scale', '확대와 축소'), 0.5, 0.01, standardAugment.zoom, 'share'),
  shear: reach(text('Shear', '기울임'), 0.5, 0.01, standardAugment.shear, 'share'),
  flip: { kind: 'switch', label: text('Flip left and right', '좌우 뒤집기'), default: standardAugment.flip, when },
  crop: { ...reach(text('Crop after padding (pixels)', '덧댄 뒤 자르기(픽셀)'), 64, 1, 0, 'count'), integer: true },
  erase: reach(text('Erase a part', '일부 지우기'), 1, 0.05, standardAugment.erase, 'share'),
};

/** What the fields ask for; null where augmentation is off. */
export function augmentOf(params: FieldValues): Augment | null {
  if (params.augment === false) return null;
  const number = (key: 'shift' | 'rotate' | 'zoom' | 'shear' | 'crop' | 'erase'): number =>
    Number(params[key] ?? standardAugment[key]);
  return {
    shift: number('shift'),
    rotate: number('rotate'),
    zoom: number('zoom'),
    shear: number('shear'),
    flip: params.flip === true,
    crop: number('crop'),
    erase: number('erase'),
  };
}

/** The stream of one training sample in one epoch: the same whatever the batch size, the order, or the epochs before. */
export const sampleStream = (seed: number, epoch: number, index: number): Rng =>
  rng(seed).fork(`augment ${epoch} ${index}`);

const between = (random: Rng, most: number): number => (random.next() * 2 - 1) * most;

interface Size {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Turned, scaled, sheared and shifted about the centre; bilinear, edges continued. */
function warped(from: Float32Array, { height, width, channels: c }: Size, random: Rng, a: Augment): Float32Array {
  const angle = (between(random, a.rotate) * Math.PI) / 180;
  const [sx, sy] = [1 + between(random, a.zoom), 1 + between(random, a.zoom)];
  const shear = between(random, a.shear);
  const [dx, dy] = [between(random, a.shift) * width, between(random, a.shift) * height];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const out = new Float32Array(from.length);
  const inside = (v: number, last: number): number => Math.max(0, Math.min(v, last));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [x - cx - dx, y - cy - dy];
      const px = (cos * u + (sin + shear) * v) * sx + cx;
      const py = (-sin * u + cos * v) * sy + cy;
      const [x0, y0] = [Math.floor(px), Math.floor(py)];
      const [fx, fy] = [px - x0, py - y0];
      const [left, right] = [inside(x0, width - 1) * c, inside(x0 + 1, width - 1) * c];
      const [upper, lower] = [inside(y0, height - 1) * width * c, inside(y0 + 1, height - 1) * width * c];
      for (let k = 0; k < c; k++) {
        const top = (from[upper + left + k] ?? 0) * (1 - fx) + (from[upper + right + k] ?? 0) * fx;
        const low = (from[lower + left + k] ?? 0) * (1 - fx) + (from[lower + right + k] ?? 0) * fx;
        out[(y * width + x) * c + k] = top * (1 - fy) + low * fy;
      }
    }
  return out;
}

function mirrored(from: Float32Array, { height, width, channels: c }: Size): Float32Array {
  const out = new Float32Array(from.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < c; k++) out[(y * width + x) * c + k] = from[(y * width + (width - 1 - x)) * c + k] ?? 0;
  return out;
}

function paddedCrop(from: Float32Array, { height, width, channels: c }: Size, random: Rng, pad: number): Float32Array {
  const [down, right] = [random.below(2 * pad + 1) - pad, random.below(2 * pad + 1) - pad];
  const out = new Float32Array(from.length);
  for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
    const x = Math.max(0, -right);
    const many = width - Math.abs(right);
    if (many <= 0) break;
    const start = ((y + down) * width + x + right) * c;
    out.set(from.subarray(start, start + many * c), (y * width + x) * c);
  }
  return out;
}

/** Area 2 to 33 % of the picture, ratio 0.3 to 3.3, filled with uniform noise (Zhong et al. 2020, algorithm 1). Changes `values`. */
function eraseIn(values: Float32Array, { height, width, channels: c }: Size, random: Rng): void {
  for (let attempt = 0; attempt < 100; attempt++) {
    const area = height * width * (0.02 + random.next() * 0.31);
    const ratio = 0.3 + random.next() * (1 / 0.3 - 0.3);
    const [h, w] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))];
    if (h < 1 || w < 1 || h > height || w > width) continue;
    const [top, left] = [random.below(height - h + 1), random.below(width - w + 1)];
    for (let y = top; y < top + h; y++)
      for (let x = left; x < left + w; x++)
        for (let k = 0; k < c; k++) values[(y * width + x) * c + k] = Math.floor(random.next() * 256);
    return;
  }
}

/** A changed copy: flip, crop, warp, erase, in this order. Vectors come back as they are. */
export function augmented(
  sample: Sample,
  info: DatasetInfo['sample'],
  random: Rng,
  augment: Augment = standardAugment,
): Sample {
  if (info.kind === 'vector') return sample;
  const size = { height: sample.height ?? info.height, width: sample.width ?? info.width, channels: info.channels };
  const warps = augment.shift > 0 || augment.rotate > 0 || augment.zoom > 0 || augment.shear > 0;
  let { values } = sample;
  if (augment.flip && random.next() < 0.5) values = mirrored(values, size);
  if (augment.crop > 0) values = paddedCrop(values, size, random, augment.crop);
  if (warps) values = warped(values, size, random, augment);
  if (augment.erase > 0 && random.next() < augment.erase) {
    values = values === sample.values ? values.slice() : values;
    eraseIn(values, size, random);
  }
  return { ...sample, values };
}
