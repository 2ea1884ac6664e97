/** Owns CSV files: one sample a line, the label first, then numbers; a header line is optional. */
import { Fault } from '#shared/base/fault.ts';
import type { Dataset, DatasetInfo } from '#shared/ports/dataset.ts';
import { indexedDataset, stackSource } from './memory-dataset.ts';
import { readMaybeGzip } from './read-gzip.ts';
import { shareRule, shareSplit } from './stratified-split.ts';

const isNumber = (cell: string): boolean => cell !== '' && Number.isFinite(Number(cell));

/** Integer labels keep their numbers; any other text becomes a class by sorted order. */
function classify(labels: readonly string[]): { readonly labels: readonly number[]; readonly classes: string[] } {
  if (labels.every((l) => /^\d+$/.test(l))) {
    const numbers = labels.map(Number);
    const classes = numbers.reduce((a, b) => Math.max(a, b), 0) + 1;
    if (classes <= 10_000) return { labels: numbers, classes: Array.from({ length: classes }, (_, c) => String(c)) };
  }
  const classes = [...new Set(labels)].sort();
  const at = new Map(classes.map((c, i) => [c, i]));
  return { labels: labels.map((l) => at.get(l) ?? 0), classes };
}

/** Mean step between neighbouring numbers `by` apart in a row: small where they are the same colour of two pixels. */
function roughness(values: Float32Array, by: number): number {
  let sum = 0;
  for (let i = by; i < values.length; i++) sum += Math.abs((values[i] ?? 0) - (values[i - by] ?? 0));
  return sum / Math.max(1, values.length - by);
}

/** [3, H, W] planes to [H, W, 3] pixels, sample by sample. */
function interleaved(planes: Float32Array, pixels: number): Float32Array {
  const out = new Float32Array(planes.length);
  for (let at = 0; at < planes.length; at += 3 * pixels)
    for (let p = 0; p < pixels; p++) for (let c = 0; c < 3; c++) out[at + p * 3 + c] = planes[at + c * pixels + p] ?? 0;
  return out;
}

/**
 * Byte-like numbers in the count of a square picture are one: grey, or RGB where a third of them is square. Files write RGB by
 * pixel or by plane; the order in which neighbours of one colour are alike is taken.
 */
function pictured(
  values: Float32Array,
  each: number,
): { sample: DatasetInfo['sample']; values: Float32Array; how: string } {
  const bytes = values.every((v) => v >= 0 && v <= 255 && Number.isInteger(v));
  const image = (side: number, channels: number): DatasetInfo['sample'] => ({
    kind: 'image',
    height: side,
    width: side,
    channels,
  });
  const grey = Math.sqrt(each);
  if (bytes && Number.isInteger(grey) && grey >= 4) return { sample: image(grey, 1), values, how: 'grey pictures' };
  const side = Math.sqrt(each / 3);
  if (!bytes || !Number.isInteger(side) || side < 4)
    return { sample: { kind: 'vector', length: each }, values, how: `${each} numbers` };
  const planes = roughness(values, 1) < roughness(values, 3);
  return {
    sample: image(side, 3),
    values: planes ? interleaved(values, side * side) : values,
    how: planes ? 'RGB pictures by plane' : 'RGB pictures by pixel',
  };
}

/** Faults: `bad-file` with the line that is wrong. */
export function openCsv(path: string): Dataset {
  const lines = new TextDecoder().decode(readMaybeGzip(path)).split(/\r?\n/);
  const bad = (message: string, line: number): Fault =>
    new Fault('bad-file', message, { where: `${path}:${line + 1}` });
  const cellsOf = (line: string): readonly string[] =>
    line.split(/[,;\t]/).map((c) => c.trim().replace(/^"(.*)"$/, '$1'));
  const first = cellsOf(lines[0] ?? '');
  const start = first.slice(1).every(isNumber) ? 0 : 1;
  const names: string[] = [];
  const numbers: number[] = [];
  let width = 0;
  for (let i = start; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (line.trim() === '') continue;
    const cells = cellsOf(line);
    if (width === 0) width = cells.length;
    if (width < 2) throw bad('a line needs a label and at least one number', i);
    if (cells.length !== width) throw bad(`${cells.length} cells where the lines before have ${width}`, i);
    names.push(cells[0] ?? '');
    for (let k = 1; k < width; k++) {
      const cell = cells[k] ?? '';
      if (!isNumber(cell)) throw bad(`"${cell.slice(0, 40)}" in column ${k + 1} is not a number`, i);
      numbers.push(Number(cell));
    }
  }
  if (names.length === 0) throw new Fault('bad-file', 'the file holds no samples', { where: path });
  const { values, sample, how } = pictured(Float32Array.from(numbers), width - 1);
  const { labels, classes } = classify(names);
  return indexedDataset(
    {
      id: path,
      source: `CSV: ${names.length} lines, ${how}`,
      labelled: true,
      classes,
      sample,
      splitRule: shareRule,
    },
    stackSource({ values, each: width - 1 }, labels),
    shareSplit(labels, labels.length),
  );
}
