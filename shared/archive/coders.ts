/**
 * Owns how one tensor's bytes are coded: as symbols of 2, 4 or 8 bits; as an index into the few distinct values of 2 or 4 bytes
 * that it holds; deflated with the bytes of equal place side by side. The smallest is taken.
 */
import { text } from '../base/text.ts';
import type { Deflate } from '../ports/deflate.ts';
import { damaged, Reader, Writer } from './bytes.ts';
import { planSymbols, readSymbols, type SymbolPlan } from './symbols.ts';

/** A way of coding, as the report names it. */
export type Coder = 'raw' | 'deflate' | 'huffman' | 'relative' | 'codebook' | 'relative codebook';

export interface Coded {
  readonly coder: Coder;
  /** With its scheme in front; what `decodePart` reads. */
  readonly payload: Uint8Array;
}

/** First byte of a payload. */
const scheme = { raw: 0, deflate: 1, shuffled: 2, symbols: 3, codebook: 4 } as const;
/** Parts of bytes are tried in tensors up to this length: they are unpacked to a byte each. */
const largeTensor = 4_000_000;
/** A codebook has at most so many entries. */
const largestCodebook = 1024;

/** Symbols of `width` bits out of bytes, lowest bits first. */
export function unpackSymbols(bytes: Uint8Array, width: number): Uint8Array {
  if (width === 8) return bytes;
  const per = 8 / width;
  const mask = (1 << width) - 1;
  const out = new Uint8Array(bytes.length * per);
  for (let k = 0; k < out.length; k++) out[k] = ((bytes[Math.floor(k / per)] ?? 0) >> ((k % per) * width)) & mask;
  return out;
}

function packSymbols(symbols: Uint16Array, width: number): Uint8Array {
  const per = 8 / width;
  const out = new Uint8Array(symbols.length / per);
  for (let k = 0; k < symbols.length; k++) {
    const at = Math.floor(k / per);
    out[at] = (out[at] ?? 0) | ((symbols[k] ?? 0) << ((k % per) * width));
  }
  return out;
}

/** Bytes of equal place in their element side by side. */
export function shuffle(bytes: Uint8Array, unit: number): Uint8Array {
  const count = bytes.length / unit;
  return bytes.map((_, k) => bytes[(k % count) * unit + Math.floor(k / count)] ?? 0);
}

function unshuffle(bytes: Uint8Array, unit: number): Uint8Array {
  const count = bytes.length / unit;
  return bytes.map((_, k) => bytes[(k % unit) * count + Math.floor(k / unit)] ?? 0);
}

interface Option {
  readonly coder: Coder;
  readonly bytes: number;
  write(out: Writer): void;
}

function symbolOption(bytes: Uint8Array, width: number): Option {
  const plan = planSymbols(unpackSymbols(bytes, width), 1 << width);
  return {
    coder: plan.how,
    bytes: 2 + plan.bytes,
    write: (out) => {
      out.byte(scheme.symbols);
      out.byte(width);
      plan.write(out);
    },
  };
}

/** Distinct elements as unsigned integers in order of appearance, and each element's place among them; undefined: too many. */
function codebookOf(bytes: Uint8Array, unit: 2 | 4): { entries: Uint32Array; symbols: Uint16Array } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const places = new Map<number, number>();
  const symbols = new Uint16Array(bytes.length / unit);
  for (let k = 0; k < symbols.length; k++) {
    const element = unit === 4 ? view.getUint32(k * 4, true) : view.getUint16(k * 2, true);
    let place = places.get(element);
    if (place === undefined) {
      place = places.size;
      if (place === largestCodebook) return undefined;
      places.set(element, place);
    }
    symbols[k] = place;
  }
  return { entries: Uint32Array.from(places.keys()), symbols };
}

function codebookOption(bytes: Uint8Array, unit: 2 | 4): Option | undefined {
  const found = codebookOf(bytes, unit);
  if (found === undefined || found.entries.length * 2 > found.symbols.length) return undefined;
  const { entries, symbols } = found;
  const plan: SymbolPlan = planSymbols(symbols, entries.length);
  return {
    coder: plan.how === 'relative' ? 'relative codebook' : 'codebook',
    bytes: 4 + entries.length * unit + plan.bytes,
    write: (out) => {
      out.byte(scheme.codebook);
      out.byte(unit);
      out.varint(entries.length);
      for (const e of entries) for (let k = 0; k < unit; k++) out.byte((e >>> (8 * k)) & 255);
      plan.write(out);
    },
  };
}

const stored = (kind: number, coder: Coder, head: readonly number[], bytes: Uint8Array): Option => ({
  coder,
  bytes: 1 + head.length + bytes.length,
  write: (out) => {
    out.byte(kind);
    for (const h of head) out.byte(h);
    out.bytes(bytes);
  },
});

/** The smallest coding of a tensor's bytes, whose elements take `unit` bytes (1 where they are bytes or parts of them). */
export function encodePart(bytes: Uint8Array, unit: number, deflate: Deflate): Coded {
  const options: Option[] = [
    stored(scheme.raw, 'raw', [], bytes),
    stored(scheme.deflate, 'deflate', [], deflate.deflate(bytes)),
  ];
  if (unit === 1) {
    const widths = bytes.length > largeTensor ? [8] : [8, 4, 2, 1];
    options.push(...widths.map((width) => symbolOption(bytes, width)));
  }
  if (unit > 1 && bytes.length % unit === 0)
    options.push(stored(scheme.shuffled, 'deflate', [unit], deflate.deflate(shuffle(bytes, unit))));
  if (unit === 2 || unit === 4) {
    const option = codebookOption(bytes, unit);
    if (option !== undefined) options.push(option);
  }
  const written = options.map((o) => ({ o, out: new Writer() }));
  const best = written.reduce((a, b) => (b.o.bytes < a.o.bytes ? b : a));
  best.o.write(best.out);
  return { coder: best.o.coder, payload: best.out.done() };
}

/** The `length` bytes that a payload stands for. Faults `bad-file`. */
export function decodePart(payload: Uint8Array, length: number, deflate: Deflate): Uint8Array {
  const input = new Reader(payload);
  const kind = input.byte();
  const inflated = (): Uint8Array => {
    const bytes = inflate(deflate, input.bytes(input.left), length);
    if (bytes.length !== length)
      throw damaged(text('a part is shorter than it says', '한 부분이 적힌 것보다 짧습니다'));
    return bytes;
  };
  switch (kind) {
    case scheme.raw:
      if (input.left !== length)
        throw damaged(text('a part is not as long as it says', '한 부분의 길이가 적힌 것과 다릅니다'));
      return input.bytes(length);
    case scheme.deflate:
      return inflated();
    case scheme.shuffled: {
      const unit = input.byte();
      if (unit < 2 || length % unit !== 0)
        throw damaged(text('elements that do not fill their part', '원소가 부분을 다 채우지 않습니다'));
      return unshuffle(inflated(), unit);
    }
    case scheme.symbols: {
      const width = input.byte();
      if (![1, 2, 4, 8].includes(width))
        throw damaged(text('symbols of a width that is not known', '알 수 없는 너비의 기호가 있습니다'));
      return packSymbols(readSymbols(input, (length * 8) / width, 1 << width), width);
    }
    case scheme.codebook:
      return readCodebook(input, length);
    default:
      throw damaged(text('a part of a kind that is not known', '알 수 없는 종류의 부분이 있습니다'));
  }
}

function readCodebook(input: Reader, length: number): Uint8Array {
  const unit = input.byte();
  if ((unit !== 2 && unit !== 4) || length % unit !== 0)
    throw damaged(text('elements that do not fill their part', '원소가 부분을 다 채우지 않습니다'));
  const size = input.varint(largestCodebook);
  if (size === 0) throw damaged(text('a codebook without entries', '코드북이 비어 있습니다'));
  const entries = input.bytes(size * unit);
  const symbols = readSymbols(input, length / unit, size);
  const out = new Uint8Array(length);
  for (let k = 0; k < symbols.length; k++) {
    const from = (symbols[k] ?? 0) * unit;
    for (let b = 0; b < unit; b++) out[k * unit + b] = entries[from + b] ?? 0;
  }
  return out;
}

/** What a deflate stream gives, at most `limit` bytes. Faults `bad-file`. */
export function inflate(deflate: Deflate, bytes: Uint8Array, limit: number): Uint8Array {
  try {
    return deflate.inflate(bytes, limit);
  } catch {
    throw damaged(text('a part does not unpack', '한 부분이 풀리지 않습니다'));
  }
}
