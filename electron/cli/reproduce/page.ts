/** Owns how a reproduction is shown: one page of sentences and tables, as text on the screen or as a document. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { mean, sampleStandardDeviation } from 'simple-statistics';
import { type OutputOptions, print } from '../output.ts';
import { table } from '../table.ts';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
export interface Page {
  readonly title: string;
  /** What was done with what, before any figure. */
  readonly about: readonly string[];
  readonly sections: readonly { readonly title: string; readonly parts: readonly (string | Table)[] }[];
}

/** How a page came to be. */
export interface Made {
  readonly command: string;
  /** 2026-01-31 */
  readonly date: string;
  readonly machine: string;
}

export function pageText(page: Page): string {
  const sections = page.sections.map((s) =>
    [s.title, ...s.parts.map((p) => (typeof p === 'string' ? p : table(p.head, p.rows)))].join('\n\n'),
  );
  return [page.title, ...page.about, ...sections].join('\n\n');
}

/** Columns as wide as their longest cell, as the formatter of documents sets them. */
function markdownTable({ head, rows }: Table): string {
  const all = [head, ...rows];
  const widths = head.map((_, c) => Math.max(3, ...all.map((r) => (r[c] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((w, c) => (cells[c] ?? '').padEnd(w)).join(' | ')} |`;
  return [line(head), line(widths.map((w) => '-'.repeat(w))), ...rows.map(line)].join('\n');
}

/** Sentences broken into lines of at most 120 characters. */
function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > 120) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

export function pageMarkdown(page: Page, made: Made): string {
  const sections = page.sections.map((s) =>
    [`## ${s.title}`, ...s.parts.map((p) => (typeof p === 'string' ? wrapped(p) : markdownTable(p)))].join('\n\n'),
  );
  const how = wrapped(`Written by \`${made.command}\` on ${made.date}, on ${made.machine}.`);
  return `${[`# ${page.title}`, how, ...page.about.map(wrapped), ...sections].join('\n\n')}\n`;
}

/** Processor, cores and runtimes, without anything that names this machine. */
export const machineText = (runtime: string): string =>
  `${availableParallelism()} cores of ${cpus()[0]?.model ?? 'an unknown processor'}, Node ${process.versions.node}, ${runtime}`;

export interface PageOptions extends OutputOptions {
  /** File that the page is written to, as a document. */
  readonly markdown?: string;
}

/** Prints a result, and writes its page where asked. `command`: what stood behind `reproduce`. */
export function publish(options: PageOptions, runtime: string, json: unknown, page: Page, command: string): void {
  if (options.markdown !== undefined) {
    const made = {
      command: `npm run bantam -- reproduce ${command}`,
      date: new Date().toISOString().slice(0, 10),
      machine: machineText(runtime),
    };
    mkdirSync(dirname(options.markdown), { recursive: true });
    writeFileSync(options.markdown, pageMarkdown(page, made));
  }
  print(options, json, () => pageText(page));
}

export const points = (n: number | null): string => (n === null ? 'unknown' : `${n.toFixed(2)} %`);
export const times = (n: number): string => `${n.toFixed(1)}x`;
/** +0.10: percentage points between two shares. */
export const signed = (n: number): string => `${n < 0 ? '' : '+'}${n.toFixed(2)}`;
/** The mean and, of two or more, the standard deviation. */
export const spread = (values: readonly number[], digits = 2): string =>
  `${mean([...values]).toFixed(digits)}${values.length < 2 ? '' : ` ± ${sampleStandardDeviation([...values]).toFixed(digits)}`}`;

/** The spread of what was judged; 'unknown' where one was not. */
export function spreadOrUnknown(values: readonly (number | null)[]): string {
  const known = values.flatMap((v) => v ?? []);
  return known.length === values.length ? spread(known) : 'unknown';
}
