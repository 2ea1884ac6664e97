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

/** Square counts of byte-like numbers are taken as a grey picture. */
function sampleKind(values: Float32Array, each: number): DatasetInfo['sample'] {
  const side = Math.sqrt(each);
  const bytes = values.every((v) => v >= 0 && v <= 255 && Number.isInteger(v));
  return Number.isInteger(side) && side >= 4 && bytes
    ? { kind: 'image', height: side, width: side, channels: 1 }
    : { kind: 'vector', length: each };
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
  const values = Float32Array.from(numbers);
  const { labels, classes } = classify(names);
  return indexedDataset(
    {
      id: path,
      source: `CSV: ${names.length} lines of ${width - 1} numbers`,
      labelled: true,
      classes,
      sample: sampleKind(values, width - 1),
      splitRule: shareRule,
    },
    stackSource({ values, each: width - 1 }, labels),
    shareSplit(labels, labels.length),
  );
}
