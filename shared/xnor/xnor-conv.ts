/** Owns the convolution by XNOR and its float twin as functions of plain arrays, and the loop that both must equal. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { largestFilter } from './kernels.ts';

/** A "valid" convolution of stride 1. data: [height, width, channels]; weights: [filters, k, k, channels]. */
export interface ConvShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly k: number;
}

/** What an instance of `xnorModule()` exports. */
export interface XnorExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly xnor: (...parameters: number[]) => void;
  readonly float: (...parameters: number[]) => void;
}

/** Channels in one block of 16 bytes. */
const perBlock = { xnor: 128, float: 4 } as const;
export type Kind = keyof typeof perBlock;

const rounded = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Signs (not below 0: 1) or floats of rows of channels, each row filled up to whole blocks with zeros. */
function packRows(values: Float32Array, channels: number, kind: Kind): Uint8Array {
  const rows = values.length / channels;
  const blocks = Math.ceil(channels / perBlock[kind]);
  const bytes = new Uint8Array(rows * blocks * 16);
  const floats = new Float32Array(bytes.buffer);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < channels; c++) {
      const v = values[r * channels + c] ?? 0;
      if (kind === 'float') floats[r * blocks * 4 + c] = v;
      else if (v >= 0) {
        const at = r * blocks * 16 + (c >> 3);
        bytes[at] = (bytes[at] ?? 0) | (1 << (c & 7));
      }
    }
  return bytes;
}

/** Packed filters, four side by side, block by block; missing ones are zeros. */
function interleave(packed: Uint8Array, filters: number): Uint8Array {
  const size = packed.length / filters;
  const out = new Uint8Array(rounded(filters, 4) * size);
  for (let f = 0; f < filters; f++)
    for (let b = 0; b < size / 16; b++)
      out.set(packed.subarray(f * size + b * 16, f * size + b * 16 + 16), (f >> 2) * size * 4 + b * 64 + (f & 3) * 16);
  return out;
}

export interface PreparedConv {
  /** Runs it once on the data that was put in. */
  run(): void;
  /** [height - k + 1, width - k + 1, filters] */
  result(): Float32Array;
  /** Bytes of data and weights as the kernel reads them. */
  readonly bytes: number;
}

/**
 * Puts data and weights into the instance's memory. XNOR reads their signs alone: its result is that of +1 and -1. Faults
 * `bad-input` where the filter is too large for 16-bit sums.
 */
export function prepareConv(
  wasm: XnorExports,
  kind: Kind,
  s: ConvShape,
  data: Float32Array,
  weights: Float32Array,
): PreparedConv {
  const blocks = Math.ceil(s.channels / perBlock[kind]);
  if (s.k * s.k * blocks > largestFilter)
    throw new Fault(
      'bad-input',
      text(
        `a filter of ${s.k * s.k * s.channels} signs is too large for this kernel`,
        `부호 ${s.k * s.k * s.channels}개짜리 필터는 이 커널에 너무 큽니다`,
      ),
    );
  const packed = packRows(data, s.channels, kind);
  const filters = interleave(packRows(weights, s.channels, kind), s.filters);
  const [height, width] = [s.height - s.k + 1, s.width - s.k + 1];
  const groups = rounded(s.filters, 4) / 4;
  const start = 1024;
  const weightsAt = rounded(start + packed.length, 16);
  const outAt = rounded(weightsAt + filters.length, 16);
  const outBytes = height * width * groups * 16;
  const missing = outAt + outBytes - wasm.memory.buffer.byteLength;
  if (missing > 0) wasm.memory.grow(Math.ceil(missing / 65536));
  const memory = new Uint8Array(wasm.memory.buffer);
  memory.set(packed, start);
  memory.set(filters, weightsAt);
  const place = blocks * 16;
  const signs = s.k * s.k * s.channels;
  return {
    run: () => wasm[kind](start, weightsAt, outAt, height, width, s.width * place, place, s.k, groups, signs),
    result: () => {
      const places = height * width;
      const raw =
        kind === 'xnor'
          ? new Int32Array(wasm.memory.buffer, outAt, places * groups * 4)
          : new Float32Array(wasm.memory.buffer, outAt, places * groups * 4);
      return Float32Array.from(
        { length: places * s.filters },
        (_, i) => raw[Math.floor(i / s.filters) * groups * 4 + (i % s.filters)] ?? 0,
      );
    },
    bytes: packed.length + filters.length,
  };
}

/** The plain loop. `signs`: of the signs of both. */
export function plainConv(s: ConvShape, data: Float32Array, weights: Float32Array, signs: boolean): Float32Array {
  const [height, width] = [s.height - s.k + 1, s.width - s.k + 1];
  const read = (v: number): number => (signs ? (v >= 0 ? 1 : -1) : v);
  const out = new Float32Array(height * width * s.filters);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let f = 0; f < s.filters; f++) {
        let sum = 0;
        for (let dy = 0; dy < s.k; dy++)
          for (let i = 0; i < s.k * s.channels; i++)
            sum +=
              read(data[((y + dy) * s.width + x) * s.channels + i] ?? 0) *
              read(weights[(f * s.k + dy) * s.k * s.channels + i] ?? 0);
        out[(y * width + x) * s.filters + f] = sum;
      }
  return out;
}
