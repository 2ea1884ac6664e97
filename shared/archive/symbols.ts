/**
 * Owns the coding of one stream of symbols: plain, by Huffman; or relative (Han et al. 2016, section 2), where one symbol is so
 * frequent that only the gaps between the others are written, of 4 to 8 bits, a full gap being a filler without a symbol.
 */
import { damaged, type Reader, type Writer } from './bytes.ts';
import { countsOf, huffmanBytes, readHuffman, writeHuffman } from './huffman.ts';

interface Relative {
  readonly gapBits: number;
  /** The symbol that is left out. */
  readonly common: number;
  readonly gaps: Uint8Array;
  readonly others: Uint16Array;
}

/** Gaps before each symbol that is not the common one; the largest value is a filler. */
function relative(symbols: ArrayLike<number>, common: number, gapBits: number): Relative {
  const filler = 2 ** gapBits - 1;
  const gaps: number[] = [];
  const others: number[] = [];
  let gap = 0;
  for (let k = 0; k < symbols.length; k++) {
    const symbol = symbols[k] ?? 0;
    if (symbol === common) {
      gap++;
      continue;
    }
    for (; gap >= filler; gap -= filler) gaps.push(filler);
    gaps.push(gap);
    others.push(symbol);
    gap = 0;
  }
  // Fillers for the end too: a reader then knows how much may follow from how much it was given.
  for (; gap >= filler; gap -= filler) gaps.push(filler);
  return { gapBits, common, gaps: Uint8Array.from(gaps), others: Uint16Array.from(others) };
}

/** With two symbols the others are known. */
const othersKnown = (size: number): boolean => size === 2;

const relativeBytes = (r: Relative, size: number): number =>
  10 +
  huffmanBytes(countsOf(r.gaps, 2 ** r.gapBits)) +
  (othersKnown(size) ? 0 : huffmanBytes(countsOf(r.others, size)));

/** How a stream is written best. */
export interface SymbolPlan {
  readonly how: 'huffman' | 'relative';
  readonly gapBits?: number;
  /** About what it takes. */
  readonly bytes: number;
  write(out: Writer): void;
}

/** The smaller of the two ways to write symbols below `size` (at most 1,024). */
export function planSymbols(symbols: ArrayLike<number>, size: number): SymbolPlan {
  const counts = countsOf(symbols, size);
  const plain: SymbolPlan = {
    how: 'huffman',
    bytes: 1 + huffmanBytes(counts),
    write: (out) => {
      out.byte(0);
      writeHuffman(out, symbols, size);
    },
  };
  const common = counts.indexOf(counts.reduce((a, b) => Math.max(a, b), 0));
  if ((counts[common] ?? 0) * 2 < symbols.length) return plain;
  const options = [4, 5, 6, 7, 8].map((gapBits) => relative(symbols, common, gapBits));
  const sized = options.map((r) => ({ r, bytes: relativeBytes(r, size) }));
  const { r, bytes } = sized.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  if (bytes >= plain.bytes) return plain;
  return { how: 'relative', gapBits: r.gapBits, bytes, write: (out) => writeRelative(out, r, size) };
}

function writeRelative(out: Writer, r: Relative, size: number): void {
  out.byte(r.gapBits);
  out.varint(r.common);
  out.varint(r.gaps.length);
  writeHuffman(out, r.gaps, 2 ** r.gapBits);
  if (!othersKnown(size)) writeHuffman(out, r.others, size);
}

/** `count` symbols below `size`. Faults `bad-file`. */
export function readSymbols(input: Reader, count: number, size: number): Uint16Array {
  const gapBits = input.byte();
  if (gapBits === 0) return readHuffman(input, count, size);
  if (gapBits < 4 || gapBits > 8) throw damaged('gaps of a width that is not known');
  const common = input.varint(size - 1);
  const filler = 2 ** gapBits - 1;
  const gaps = readHuffman(input, input.varint(2 ** 31), 2 ** gapBits);
  const found = gaps.reduce((n, g) => n + (g === filler ? 0 : 1), 0);
  if (found > count || count > (gaps.length + 1) * (filler + 1)) throw damaged('not as many symbols as it says');
  const others = othersKnown(size) ? undefined : readHuffman(input, found, size);
  const out = new Uint16Array(count).fill(common);
  let at = 0;
  let next = 0;
  for (const gap of gaps) {
    at += gap;
    if (gap === filler) continue;
    if (at >= count) throw damaged('a gap that leads out of the tensor');
    out[at++] = others === undefined ? 1 - common : (others[next++] ?? 0);
  }
  return out;
}
