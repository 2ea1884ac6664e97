/** Owns the lines of a CSV file as cells: comma, semicolon or tab, quoted cells, any line ends. */

export interface CsvRow {
  /** From 1, of the line where the row begins. */
  readonly line: number;
  readonly cells: readonly string[];
}

const piece = 2 ** 22;

/** Decoded lines without their ends, a byte order mark left out. */
function* linesOf(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for (let from = 0; from < bytes.length; from += piece) {
    const lines = (rest + decoder.decode(bytes.subarray(from, from + piece), { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest;
}

const quotes = (text: string): number => text.split('"').length - 1;

/** Cells of one row; "" inside quotes is a quote. */
function cellsOf(row: string, separator: string): readonly string[] {
  if (!row.includes('"')) return row.split(separator).map((c) => c.trim());
  const cells: string[] = [];
  let [cell, quoted] = ['', false];
  for (let i = 0; i < row.length; i++) {
    const c = row[i] ?? '';
    if (c === '"' && quoted && row[i + 1] === '"') {
      cell += '"';
      i++;
    } else if (c === '"') quoted = !quoted;
    else if (c === separator && !quoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += c;
  }
  return [...cells, cell.trim()];
}

/** What stands between cells: the one of tab, semicolon and comma that the first line has; decimal commas stay in their cells. */
const separatorOf = (line: string): string => ['\t', ';', ','].find((s) => line.includes(s)) ?? ',';

/** Rows in order; empty lines are left out. */
export function* csvRows(bytes: Uint8Array): Generator<CsvRow> {
  let separator: string | undefined;
  let [line, begun, open] = [0, 0, ''];
  for (const text of linesOf(bytes)) {
    line++;
    if (open === '') begun = line;
    const row = open === '' ? text : `${open}\n${text}`;
    // A line break inside quotes goes on with the row, though not for ever: a lone quote is no text.
    open = row.length < 1e6 && quotes(row) % 2 === 1 ? row : '';
    if (open !== '' || row.trim() === '') continue;
    separator ??= separatorOf(row);
    yield { line: begun, cells: cellsOf(row, separator) };
  }
  if (open !== '') yield { line: begun, cells: cellsOf(open, separator ?? separatorOf(open)) };
}
