/** Owns resizing of decoded pictures: bilinear with half-pixel centres, averaging where it shrinks. */

export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** [height, width, channels] */
  readonly values: Float32Array;
}

/** Weights of source positions for each target position along one axis (a triangle as wide as the shrink factor). */
function taps(from: number, to: number): readonly { readonly first: number; readonly weights: readonly number[] }[] {
  const step = from / to;
  const reach = Math.max(1, step);
  return Array.from({ length: to }, (_, t) => {
    const centre = (t + 0.5) * step - 0.5;
    const first = Math.max(0, Math.ceil(centre - reach));
    const last = Math.min(from - 1, Math.floor(centre + reach));
    const raw = Array.from({ length: last - first + 1 }, (_, k) =>
      Math.max(0, 1 - Math.abs(first + k - centre) / reach),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    return sum > 0
      ? { first, weights: raw.map((w) => w / sum) }
      : { first: Math.min(from - 1, Math.max(0, Math.round(centre))), weights: [1] };
  });
}

/** The picture at another size. */
export function resizeImage(p: Picture, height: number, width: number): Picture {
  if (p.height === height && p.width === width) return p;
  const c = p.channels;
  const across = new Float32Array(p.height * width * c);
  for (const [x, { first, weights }] of taps(p.width, width).entries())
    for (let y = 0; y < p.height; y++)
      for (let k = 0; k < c; k++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++)
          sum += (weights[i] ?? 0) * (p.values[(y * p.width + first + i) * c + k] ?? 0);
        across[(y * width + x) * c + k] = sum;
      }
  const values = new Float32Array(height * width * c);
  for (const [y, { first, weights }] of taps(p.height, height).entries())
    for (let i = 0; i < weights.length; i++) {
      const w = weights[i] ?? 0;
      const row = (first + i) * width * c;
      for (let k = 0; k < width * c; k++)
        values[y * width * c + k] = (values[y * width * c + k] ?? 0) + w * (across[row + k] ?? 0);
    }
  return { height, width, channels: c, values };
}

/** The centre of the picture in the ratio height : width, as large as it fits. */
export function centreCrop(p: Picture, height: number, width: number): Picture {
  const scale = Math.min(p.height / height, p.width / width);
  const h = Math.min(p.height, Math.round(height * scale));
  const w = Math.min(p.width, Math.round(width * scale));
  if (h === p.height && w === p.width) return p;
  const top = Math.floor((p.height - h) / 2);
  const left = Math.floor((p.width - w) / 2);
  const values = new Float32Array(h * w * p.channels);
  for (let y = 0; y < h; y++) {
    const from = ((top + y) * p.width + left) * p.channels;
    values.set(p.values.subarray(from, from + w * p.channels), y * w * p.channels);
  }
  return { height: h, width: w, channels: p.channels, values };
}
