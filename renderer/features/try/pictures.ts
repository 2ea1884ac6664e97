/** Owns pictures on their way in and out: a file or a drawing as a sample, a sample as pixels. */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Sample } from '#shared/ports/dataset.ts';

/** What was taken as input: an image of [height, width, channels] in 0..255, or a vector. */
export interface Picked {
  readonly kind: 'image' | 'vector';
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly sample: Sample;
  /** The true class, where the sample has one. */
  readonly label: string | null;
}

/** Larger pictures are drawn smaller first: no model here takes more. */
const largestSide = 2048;

/** Decodes a dropped or chosen file. Faults: `bad-file` where the browser cannot. */
export async function pictureFile(file: Blob, name: string): Promise<Picked> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Fault('bad-file', text('this is no picture that can be read', '읽을 수 있는 이미지가 아닙니다'), {
      where: name,
      hint: text('Take a PNG or JPEG.', 'PNG나 JPEG를 고르세요.'),
    });
  });
  const scale = Math.min(1, largestSide / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null)
    throw new Fault('unsupported', text('this browser draws no pictures', '이 브라우저는 그림을 그리지 못합니다'));
  // Transparent parts stand on white, as in most data sets.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const values = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) for (let k = 0; k < 3; k++) values[i * 3 + k] = data[i * 4 + k] ?? 0;
  return { kind: 'image', channels: 3, height, width, sample: { values, height, width, label: null }, label: null };
}

/** Grey levels of a drawing, white on black as the digits are. */
export function drawing(context: CanvasRenderingContext2D, side: number): Picked {
  const size = context.canvas.width;
  const { data } = context.getImageData(0, 0, size, size);
  const step = size / side;
  const values = new Float32Array(side * side);
  // Mean of each cell: the soft edges that scanned digits have.
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let sum = 0;
      for (let dy = 0; dy < step; dy++)
        for (let dx = 0; dx < step; dx++) sum += data[((y * step + dy) * size + x * step + dx) * 4] ?? 0;
      values[y * side + x] = sum / (step * step);
    }
  return { kind: 'image', channels: 1, height: side, width: side, sample: { values, label: null }, label: null };
}

/** Draws a sample into a canvas of its size. */
export function paint(canvas: HTMLCanvasElement, p: Picked): void {
  canvas.width = p.width;
  canvas.height = p.height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(p.width, p.height);
  const { values } = p.sample;
  for (let i = 0; i < p.width * p.height; i++) {
    for (let k = 0; k < 3; k++) image.data[i * 4 + k] = values[i * p.channels + (p.channels >= 3 ? k : 0)] ?? 0;
    image.data[i * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
