/** Owns what a sample of plain numbers is: a picture, where its size and values say so, or a tensor fed as it stands. */
import type { DatasetInfo } from '#shared/ports/dataset.ts';

export interface SampleShape {
  readonly sample: DatasetInfo['sample'];
  /** For people: "RGB pictures by plane". */
  readonly how: string;
  /** A row as it stands in the file to a sample: pixels [H, W, C] in 0..255, or the row itself. */
  readonly arrange: (row: Float32Array) => Float32Array;
}

const image = (height: number, width: number, channels: number): DatasetInfo['sample'] => ({
  kind: 'image',
  height,
  width,
  channels,
});
const same = (row: Float32Array): Float32Array => row;

/** [C, H, W] planes to [H, W, C] pixels. */
export function interleaved(planes: Float32Array, channels: number): Float32Array {
  const pixels = planes.length / channels;
  const out = new Float32Array(planes.length);
  for (let c = 0; c < channels; c++)
    for (let p = 0; p < pixels; p++) out[p * channels + c] = planes[c * pixels + p] ?? 0;
  return out;
}

/** Mean step between neighbouring numbers `by` apart: small where they are the same colour of two pixels. */
function roughness(rows: readonly Float32Array[], by: number): number {
  let [sum, count] = [0, 0];
  for (const row of rows)
    for (let i = by; i < row.length; i++, count++) sum += Math.abs((row[i] ?? 0) - (row[i - by] ?? 0));
  return sum / Math.max(1, count);
}

const within = (rows: readonly Float32Array[], test: (v: number) => boolean): boolean =>
  rows.every((r) => r.every(test));
const isByte = (v: number): boolean => v >= 0 && v <= 255 && Number.isInteger(v);

/**
 * Rows of one axis (CSV, [N, L] arrays): byte-like numbers in the count of a square picture are one, grey, or RGB where a third
 * of them is square. Files write RGB by pixel or by plane; the order in which neighbours of one colour are alike is taken.
 */
function flatShape(each: number, rows: readonly Float32Array[]): SampleShape {
  const plain: SampleShape = { sample: { kind: 'vector', length: each }, how: `${each} numbers`, arrange: same };
  if (!within(rows, isByte)) return plain;
  const grey = Math.sqrt(each);
  if (Number.isInteger(grey) && grey >= 4) return { sample: image(grey, grey, 1), how: 'grey pictures', arrange: same };
  const side = Math.sqrt(each / 3);
  if (!Number.isInteger(side) || side < 4) return plain;
  return roughness(rows, 1) < roughness(rows, 3)
    ? { sample: image(side, side, 3), how: 'RGB pictures by plane', arrange: (row) => interleaved(row, 3) }
    : { sample: image(side, side, 3), how: 'RGB pictures by pixel', arrange: same };
}

const colours = (d: number | undefined): boolean => d === 1 || d === 3;

/**
 * The shape of samples whose rows have the dimensions `dims`, judged by some of them. [H, W], [H, W, C] and [C, H, W] of 1 or 3
 * colours are pictures where values are 0..255, or 0..1 (then told so, and brought to 0..255). Other numbers stay a tensor.
 */
export function sampleShape(dims: readonly number[], rows: readonly Float32Array[]): SampleShape {
  const each = dims.reduce((a, b) => a * b, 1);
  if (dims.length <= 1) return flatShape(each, rows);
  const tensor: SampleShape = {
    sample: { kind: 'vector', length: each, dims },
    how: `tensors of ${dims.join(' x ')}`,
    arrange: same,
  };
  const [a = 0, b = 0, c = 0] = dims;
  const first = dims.length === 3 && colours(a) && !colours(c);
  const last = dims.length === 3 && colours(c);
  const [height, width, channels] = first ? [b, c, a] : [a, b, last ? c : 1];
  if (!(dims.length === 2 || first || last) || height < 4 || width < 4) return tensor;
  const unit = within(rows, (v) => v >= 0 && v <= 1);
  if (!unit && !within(rows, (v) => v >= 0 && v <= 255)) return tensor;
  const pixels = first ? (row: Float32Array) => interleaved(row, channels) : same;
  const arrange = unit ? (row: Float32Array) => pixels(row.map((v) => v * 255)) : pixels;
  const how = `${channels === 1 ? 'grey' : 'RGB'} pictures${first ? ' by plane' : ''}${unit ? ', 0..1 taken as 0..255' : ''}`;
  return { sample: image(height, width, channels), how, arrange };
}
