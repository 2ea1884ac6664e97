/** Owns NPY and ZIP files as the tests write them. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface NpyText {
  readonly descr?: string;
  readonly fortran?: boolean;
  readonly version?: 1 | 2 | 3;
}

/** An NPY file around raw bytes. */
export function npyBytes(shape: readonly number[], data: Uint8Array, o: NpyText = {}): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${o.descr ?? '<f4'}', 'fortran_order': ${o.fortran ? 'True' : 'False'}, 'shape': (${dims}), }`;
  const version = o.version ?? 1;
  const fixed = version === 1 ? 10 : 12;
  const pad = 64 - ((fixed + dict.length + 1) % 64);
  const text = new TextEncoder().encode(`${dict}${' '.repeat(pad)}\n`);
  const head = new DataView(new ArrayBuffer(fixed));
  [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0].forEach((b, i) => {
    head.setUint8(i, b);
  });
  if (version === 1) head.setUint16(8, text.length, true);
  else head.setUint32(8, text.length, true);
  return Uint8Array.from([...new Uint8Array(head.buffer), ...text, ...data]);
}

export const f4 = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
export const i8 = (values: readonly number[]): Uint8Array => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);

export interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly deflate?: boolean;
  /** Written instead of the true size: what a bomb or a broken file says. */
  readonly says?: number;
  readonly crc?: number;
  readonly flags?: number;
}

/** A ZIP archive; `wide` writes the sizes as ZIP64 does. */
export function zipBytes(entries: readonly Entry[], wide = false): Uint8Array {
  const out: number[] = [];
  const directory: number[] = [];
  const le = (bytes: number, value: number): number[] =>
    Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);
  for (const e of entries) {
    const data = e.deflate ? deflateRawSync(e.bytes) : e.bytes;
    const name = new TextEncoder().encode(e.name);
    const size = e.says ?? e.bytes.length;
    const crc = e.crc ?? crc32(e.bytes);
    const method = e.deflate ? 8 : 0;
    const extra = wide ? [...le(2, 1), ...le(2, 16), ...le(8, size), ...le(8, data.length)] : [];
    const sizes = wide ? [...le(4, 0xffffffff), ...le(4, 0xffffffff)] : [...le(4, data.length), ...le(4, size)];
    const fixed = [
      ...le(2, e.flags ?? 0),
      ...le(2, method),
      ...le(4, 0),
      ...le(4, crc),
      ...sizes,
      ...le(2, name.length),
    ];
    const at = out.length;
    out.push(...le(4, 0x04034b50), ...le(2, 20), ...fixed, ...le(2, extra.length), ...name, ...extra, ...data);
    const rest = [...le(2, extra.length), ...le(2, 0), ...le(2, 0), ...le(2, 0), ...le(4, 0), ...le(4, at)];
    directory.push(...le(4, 0x02014b50), ...le(2, 20), ...le(2, 20), ...fixed, ...rest, ...name, ...extra);
  }
  const n = entries.length;
  const end = [
    ...le(4, 0x06054b50),
    ...le(4, 0),
    ...le(2, n),
    ...le(2, n),
    ...le(4, directory.length),
    ...le(4, out.length),
    0,
    0,
  ];
  return Uint8Array.from([...out, ...directory, ...end]);
}
