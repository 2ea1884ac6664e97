/**
 * Owns canonical Huffman codes: code lengths from counts (Huffman 1952), codes in order of length and symbol, the table written
 * as one bit a symbol (there or not) and four bits of length for those that are there.
 */
import { text } from '../base/text.ts';
import { damaged, type Reader, type Writer } from './bytes.ts';

/** Longest code. */
const longest = 15;

/** Code length per symbol; 0: does not occur. A single symbol has length 1. */
export type Lengths = Uint8Array;

/** Lengths of an optimal prefix code, of at most 15 bits (rarer symbols are taken for more frequent where it would be longer). */
export function codeLengths(counts: ArrayLike<number>): Lengths {
  let scaled = Array.from(counts);
  for (;;) {
    const lengths = huffmanLengths(scaled);
    if (lengths.every((l) => l <= longest)) return Uint8Array.from(lengths);
    scaled = scaled.map((c) => (c === 0 ? 0 : (c + 1) >> 1));
  }
}

function huffmanLengths(counts: readonly number[]): number[] {
  const lengths = counts.map(() => 0);
  const used = counts.flatMap((c, symbol) => (c > 0 ? [{ weight: c, symbol }] : []));
  if (used.length === 1) lengths[used[0]?.symbol ?? 0] = 1;
  if (used.length < 2) return lengths;
  used.sort((a, b) => a.weight - b.weight || a.symbol - b.symbol);
  // Two queues: leaves in order, and joined nodes, which come out in order too.
  const weights = used.map((u) => u.weight);
  const parents: number[] = [];
  let leaf = 0;
  let joined = used.length;
  const take = (): number => {
    const l = leaf < used.length ? (weights[leaf] ?? 0) : Number.POSITIVE_INFINITY;
    const j = joined < weights.length ? (weights[joined] ?? 0) : Number.POSITIVE_INFINITY;
    return l <= j ? leaf++ : joined++;
  };
  for (let k = 0; k < used.length - 1; k++) {
    const [a, b] = [take(), take()];
    parents[a] = weights.length;
    parents[b] = weights.length;
    weights.push((weights[a] ?? 0) + (weights[b] ?? 0));
  }
  const depth = weights.map(() => 0);
  for (let n = weights.length - 2; n >= 0; n--) depth[n] = (depth[parents[n] ?? 0] ?? 0) + 1;
  used.forEach((u, k) => {
    lengths[u.symbol] = depth[k] ?? 0;
  });
  return lengths;
}

/** Canonical codes, first bit lowest, so that they can be written lowest bit first. */
function codesOf(lengths: Lengths): Uint16Array {
  const next = firstCodes(lengths);
  const codes = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    let code = next[length] ?? 0;
    next[length] = code + 1;
    let reversed = 0;
    for (let k = 0; k < length; k++) {
      reversed = (reversed << 1) | (code & 1);
      code >>= 1;
    }
    codes[symbol] = reversed;
  });
  return codes;
}

/** The first code of every length. */
function firstCodes(lengths: Lengths): number[] {
  const counts = new Array<number>(longest + 2).fill(0);
  for (const l of lengths) if (l > 0) counts[l] = (counts[l] ?? 0) + 1;
  const next = [0];
  for (let l = 1; l <= longest; l++) next[l] = ((next[l - 1] ?? 0) + (l === 1 ? 0 : (counts[l - 1] ?? 0))) << 1;
  return next;
}

/** How often each of `size` symbols occurs. */
export function countsOf(symbols: ArrayLike<number>, size: number): Uint32Array {
  const counts = new Uint32Array(size);
  for (let k = 0; k < symbols.length; k++) counts[symbols[k] ?? 0] = (counts[symbols[k] ?? 0] ?? 0) + 1;
  return counts;
}

/** Bytes that table and symbols take. */
export function huffmanBytes(counts: Uint32Array): number {
  const lengths = codeLengths(counts);
  const used = lengths.reduce((n, l) => n + (l > 0 ? 1 : 0), 0);
  const bits = counts.reduce((n, c, symbol) => n + c * (lengths[symbol] ?? 0), 0);
  return Math.ceil((counts.length + 4 * used + bits) / 8);
}

/** Table and symbols; the reader must know how many symbols there are and of how many. */
export function writeHuffman(out: Writer, symbols: ArrayLike<number>, size: number): void {
  const lengths = codeLengths(countsOf(symbols, size));
  const codes = codesOf(lengths);
  for (const l of lengths) {
    out.bits(l > 0 ? 1 : 0, 1);
    if (l > 0) out.bits(l, 4);
  }
  for (let k = 0; k < symbols.length; k++) {
    const symbol = symbols[k] ?? 0;
    out.bits(codes[symbol] ?? 0, lengths[symbol] ?? 0);
  }
  out.flush();
}

/** `count` symbols below `size`. Faults `bad-file` for a table that is no prefix code, or a stream that ends early. */
export function readHuffman(input: Reader, count: number, size: number): Uint16Array {
  const lengths = new Uint8Array(size);
  let room = 2 ** longest;
  for (let symbol = 0; symbol < size; symbol++) {
    if (input.bit() === 0) continue;
    const length = input.bits(4);
    if (length === 0) throw damaged(text('a code without bits', '비트가 없는 부호가 있습니다'));
    lengths[symbol] = length;
    room -= 2 ** (longest - length);
  }
  if (room < 0) throw damaged(text('its codes contradict each other', '부호가 서로 어긋납니다'));
  // Every symbol takes a bit at least: no count can make more than the bytes give.
  if (count > input.left * 8 + 8) throw damaged(text('fewer symbols than it says', '기호가 적힌 것보다 적습니다'));
  const first = firstCodes(lengths);
  const byLength = Array.from({ length: longest + 1 }, (_, l) =>
    Array.from(lengths.keys()).filter((s) => l > 0 && lengths[s] === l),
  );
  const out = new Uint16Array(count);
  for (let k = 0; k < count; k++) {
    let code = 0;
    let length = 0;
    for (;;) {
      code = (code << 1) | input.bit();
      length++;
      if (length > longest) throw damaged(text('a code that stands for nothing', '뜻이 없는 부호가 있습니다'));
      const symbol = byLength[length]?.[code - (first[length] ?? 0)];
      if (symbol !== undefined && code >= (first[length] ?? 0)) {
        out[k] = symbol;
        break;
      }
    }
  }
  input.align();
  return out;
}
