/** Owns plain text tables and the way numbers are written for people. */

/** 1,234,567; "unknown" for null. */
export const count = (n: number | null): string => (n === null ? 'unknown' : n.toLocaleString('en-US'));

/** 1.72 MB (decimal units, as disks and downloads count). */
export function bytes(n: number | null): string {
  if (n === null) return 'unknown';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = n;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

export const percent = (share: number | null): string => (share === null ? 'unknown' : `${(share * 100).toFixed(2)} %`);
export const milliseconds = (ms: number): string => `${ms < 1 ? ms.toPrecision(2) : ms.toFixed(2)} ms`;
export const decibels = (db: number | null): string => (db === null ? 'identical' : `${db.toFixed(1)} dB`);
/** How many times smaller: "4.0x", or "same". */
export function ratio(before: number | null, after: number | null): string {
  if (before === null || after === null || after === 0) return '';
  return before === after ? 'same' : `${(before / after).toFixed(2)}x`;
}

/** Columns two blanks apart; those whose cells all look like numbers are set right. No line ends in blanks. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, c) => Math.max(...all.map((r) => (r[c] ?? '').length)));
  const right = head.map(
    (_, c) =>
      rows.length > 0 && rows.every((r) => /^[\d.,x %–-]*( ?[kMGT]?B| ms| dB)?$|^unknown$|^same$/.test(r[c] ?? '')),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (right[c] ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((w) => '-'.repeat(w))), ...rows.map(line)].join('\n');
}
