/** Owns CSV files: one sample a line, numbers and a label; a header is optional, and names the label's column where it is not the first. */
import { Fault } from '#shared/base/fault.ts';
import { type Said, text } from '#shared/base/text.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { type CsvRow, csvRows } from './csv-rows.ts';
import { checkOptions, type DataId } from './data-id.ts';
import { wordLabels } from './labels.ts';
import { indexedDataset } from './memory-dataset.ts';
import { readMaybeGzip } from './read-gzip.ts';
import { sampleShape } from './sample-shape.ts';
import { shareRule, shareSplit } from './stratified-split.ts';

/** A decimal comma counts where the cells are separated by something else. */
const numberOf = (cell: string): number => {
  const plain = cell.includes(',') ? cell.replace(',', '.') : cell;
  return plain === '' ? Number.NaN : Number(plain);
};
const isNumber = (cell: string): boolean => Number.isFinite(numberOf(cell));

/** Floats that grow as they come. */
class Numbers {
  #values = new Float32Array(1024);
  #count = 0;
  push(v: number): void {
    if (this.#count === this.#values.length) {
      const wider = new Float32Array(2 * this.#count);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#count++] = v;
  }
  done(): Float32Array {
    return this.#values.subarray(0, this.#count);
  }
}

const labelNames = /^(label|labels|class|target|y|species|category)$/i;

interface Columns {
  readonly header: readonly string[] | null;
  /** Column of the label; -1: none. */
  readonly label: number;
}

/** A header is a first line with a cell, the label's aside, that is no number. */
function columnsOf(first: CsvRow, id: DataId): Columns {
  const { cells } = first;
  const asked = id.options.label;
  const words = cells.map((c) => !isNumber(c));
  const named = cells.findIndex((c) => (asked === undefined ? labelNames.test(c) : c === asked));
  const header = words.filter(Boolean).length > 1 || (named >= 0 && words[named] === true) ? cells : null;
  if (asked === 'none') return { header: words.some(Boolean) ? cells : null, label: -1 };
  if (asked === undefined) return { header, label: header === null ? 0 : Math.max(0, named) };
  if (named >= 0 && header !== null) return { header, label: named };
  const position = /^\d+$/.test(asked) ? Number(asked) - 1 : -1;
  if (position < 0 || position >= cells.length)
    throw new Fault('bad-input', text(`there is no column "${asked}"`, `열 "${asked}"이(가) 없습니다`), {
      where: id.path,
      hint:
        header === null
          ? text(
              `The file has no header: label=1 to label=${cells.length}.`,
              `파일에 헤더가 없습니다: label=1부터 label=${cells.length}까지.`,
            )
          : text(`There are: ${header.join(', ').slice(0, 200)}.`, `있는 열: ${header.join(', ').slice(0, 200)}.`),
    });
  return { header, label: position };
}

/**
 * Opens a CSV file (also gzipped). Option: label=COLUMN by name or, from 1, by position; label=none for samples without labels.
 * Faults: `bad-file` with the line that is wrong, `bad-input` for a column that is not there.
 */
export function openCsv(id: DataId): Dataset {
  checkOptions(id, ['label']);
  const bad = (message: Said, line: number, hint?: Said): Fault =>
    new Fault('bad-file', message, { where: `${id.path}:${line}`, ...(hint === undefined ? {} : { hint }) });
  const names: string[] = [];
  const numbers = new Numbers();
  let columns: Columns | undefined;
  let width = 0;
  for (const row of csvRows(readMaybeGzip(id.path))) {
    const { cells, line } = row;
    if (columns === undefined) {
      columns = columnsOf(row, id);
      width = cells.length;
      if (width < (columns.label < 0 ? 1 : 2))
        throw bad(
          text('a line needs a label and at least one number', '한 줄에는 레이블과 수가 하나 이상 있어야 합니다'),
          line,
        );
      if (columns.header !== null) continue;
    }
    if (cells.length !== width)
      throw bad(
        text(
          `${cells.length} cells where the lines before have ${width}`,
          `앞의 줄은 ${width}칸인데 이 줄은 ${cells.length}칸입니다`,
        ),
        line,
      );
    for (const [k, cell] of cells.entries()) {
      if (k === columns.label) continue;
      if (!isNumber(cell))
        throw bad(
          cell === ''
            ? text(`column ${k + 1} is empty`, `열 ${k + 1}이(가) 비어 있습니다`)
            : text(
                `"${cell.slice(0, 40)}" in column ${k + 1} is not a number`,
                `열 ${k + 1}의 "${cell.slice(0, 40)}"은(는) 수가 아닙니다`,
              ),
          line,
          columns.label === 0 && columns.header === null
            ? text(
                'The label stands first, or is named: FILE.csv#label=COLUMN.',
                '레이블은 맨 앞에 두거나 이름을 적습니다: FILE.csv#label=COLUMN.',
              )
            : undefined,
        );
      numbers.push(numberOf(cell));
    }
    names.push(columns.label < 0 ? '' : (cells[columns.label] ?? ''));
  }
  if (columns === undefined || names.length === 0)
    throw new Fault('bad-file', text('the file holds no samples', '파일에 샘플이 없습니다'), { where: id.path });
  const unnamed = columns.label < 0 ? -1 : names.indexOf('');
  if (unnamed >= 0)
    throw new Fault('bad-file', text(`sample ${unnamed + 1} has no label`, `샘플 ${unnamed + 1}에 레이블이 없습니다`), {
      where: id.path,
    });
  const each = columns.label < 0 ? width : width - 1;
  const values = numbers.done();
  const rowAt = (i: number): Float32Array => values.subarray(i * each, (i + 1) * each);
  const shape = sampleShape(
    [each],
    Array.from({ length: Math.min(names.length, 256) }, (_, i) => rowAt(i)),
  );
  const found = columns.label < 0 ? undefined : wordLabels(names, id.path);
  const labels = found?.labels ?? null;
  const options = Object.entries(id.options).map(([k, v]) => `#${k}=${v}`);
  return indexedDataset(
    {
      id: `${id.path}${options.join('')}`,
      source: `CSV: ${names.length} lines, ${shape.how}${found === undefined ? ', without labels' : ''}`,
      labelled: found !== undefined,
      classes: found?.classes ?? [],
      sample: shape.sample,
      splitRule: shareRule,
    },
    { labels, sample: (i) => ({ values: shape.arrange(rowAt(i).slice()), label: labels?.[i] ?? null }) },
    shareSplit(labels, names.length),
  );
}
