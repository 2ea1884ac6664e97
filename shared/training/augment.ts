/** Owns augmentation: a small random shift, rotation, scale and shear of a picture. Training samples only. */
import type { Rng } from '../base/random.ts';
import type { DatasetInfo, Sample } from '../ports/dataset.ts';

const shift = 0.08;
const turn = (10 * Math.PI) / 180;
const stretch = 0.1;
const slant = 0.1;

const between = (random: Rng, reach: number): number => (random.next() * 2 - 1) * reach;

/** A moved copy, bilinear, edges continued. Vectors come back as they are. */
export function augmented(sample: Sample, info: DatasetInfo['sample'], random: Rng): Sample {
  if (info.kind === 'vector') return sample;
  const height = sample.height ?? info.height;
  const width = sample.width ?? info.width;
  const c = info.channels;
  const angle = between(random, turn);
  const [sx, sy] = [1 + between(random, stretch), 1 + between(random, stretch)];
  const shear = between(random, slant);
  const [dx, dy] = [between(random, shift) * width, between(random, shift) * height];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const values = new Float32Array(sample.values.length);
  const at = (y: number, x: number, k: number): number =>
    sample.values[(Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))) * c + k] ?? 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [x - cx - dx, y - cy - dy];
      const px = (cos * u + (sin + shear) * v) * sx + cx;
      const py = (-sin * u + cos * v) * sy + cy;
      const [x0, y0] = [Math.floor(px), Math.floor(py)];
      const [fx, fy] = [px - x0, py - y0];
      for (let k = 0; k < c; k++) {
        const top = at(y0, x0, k) * (1 - fx) + at(y0, x0 + 1, k) * fx;
        const low = at(y0 + 1, x0, k) * (1 - fx) + at(y0 + 1, x0 + 1, k) * fx;
        values[(y * width + x) * c + k] = top * (1 - fy) + low * fy;
      }
    }
  return { ...sample, values };
}
