/** Owns decoding JPEG and PNG files to RGB: grey, palette, alpha and 16 bit included; sizes that cannot be are refused unread. */
import { readFileSync } from 'node:fs';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';

export interface DecodedImage {
  readonly height: number;
  readonly width: number;
  /** [height, width, 3] */
  readonly rgb: Uint8Array;
}

/** A header may promise any size; beyond this it is refused before anything is unpacked. */
const mostPixels = 1e8;

/** Width and height of a PNG, from its first chunk. */
function pngSize(file: Uint8Array): number {
  const v = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return file.length < 24 ? 0 : v.getUint32(16) * v.getUint32(20);
}

/** Faults: `bad-file` naming the picture. Transparency is drawn on white. */
export function decodeImage(path: string): DecodedImage {
  try {
    const file = readFileSync(path);
    const png = file[0] === 0x89 && file[1] === 0x50;
    if (png && pngSize(file) > mostPixels) throw new Error(`${pngSize(file)} pixels are too many`);
    const { width, height, data } = png
      ? PNG.sync.read(file)
      : jpeg.decode(file, { useTArray: true, maxMemoryUsageInMB: 2048, maxResolutionInMP: mostPixels / 1e6 });
    const rgb = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      const alpha = png ? (data[4 * i + 3] ?? 255) / 255 : 1;
      for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round((data[4 * i + c] ?? 0) * alpha + 255 * (1 - alpha));
    }
    return { height, width, rgb };
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new Fault(
      'bad-file',
      text(`the picture cannot be decoded: ${words}`, `이미지를 읽을 수 없습니다: ${words}`),
      { where: path, cause },
    );
  }
}
