/** Owns pictures for models without labelled data here: small photographs laid beside each other until the input is full. */
import { rng } from '../../base/random.ts';
import type { Dataset, Sample } from '../../ports/dataset.ts';
import type { Feeds } from '../../ports/runtime.ts';

export interface PictureSize {
  readonly input: string;
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  /** (pixel - mean) / std on 0..255, per channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const side = 32;

/** One input [1, C, H, W] of photographs of 32 x 32, seeded. */
function mosaic(photos: readonly Sample[], size: PictureSize, seed: number): Feeds {
  const { input, channels, height, width, mean, std } = size;
  const random = rng(seed);
  const across = Math.ceil(width / side);
  const chosen = Array.from({ length: across * Math.ceil(height / side) }, () => photos[random.below(photos.length)]);
  const data = new Float32Array(channels * height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const values = chosen[Math.floor(y / side) * across + Math.floor(x / side)]?.values ?? [];
      const at = ((y % side) * side + (x % side)) * 3;
      for (let c = 0; c < channels; c++)
        data[(c * height + y) * width + x] = ((values[at + c] ?? 0) - (mean[c] ?? 0)) / (std[c] ?? 1);
    }
  return { [input]: { type: 'float', dims: [1, channels, height, width], data } };
}

/** `count` inputs made of photographs of one split. */
export async function pictureFeeds(
  dataset: Dataset,
  split: 'train' | 'test',
  size: PictureSize,
  count: number,
): Promise<readonly Feeds[]> {
  const available = dataset.info.counts[split];
  const indices = Array.from({ length: Math.min(200, available) }, (_, i) => Math.floor((i * available) / 200));
  const photos = await dataset.read(split, indices);
  return Array.from({ length: count }, (_, k) => mosaic(photos, size, k + (split === 'train' ? 1 : 1001)));
}
