/** Owns where tests find the corpus of real files: $BANTAM_CORPUS or ../shared/corpus; absent is said, not failed. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const folder = process.env.BANTAM_CORPUS ?? resolve(root, '../shared/corpus');

/** The corpus folder, or undefined (with one line that says so) where this machine has none. */
export const corpusFolder: string | undefined = existsSync(join(folder, 'models/manifest.json'))
  ? folder
  : (() => {
      console.log(`corpus tests skipped: no corpus at ${folder}`);
      return undefined;
    })();

export interface CorpusEntry {
  /** Path below models/. */
  readonly file: string;
  readonly ort_session: string;
  readonly ort_run: string;
  /** Set where even a lenient reader finds no model. */
  readonly parse_error: string | null;
  readonly opset: string | null;
  readonly nodes: number | null;
  readonly ops: Readonly<Record<string, number>> | null;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Every file of the corpus; empty where there is none. */
export const corpusEntries: readonly CorpusEntry[] =
  corpusFolder === undefined ? [] : JSON.parse(readFileSync(join(corpusFolder, 'models/manifest.json'), 'utf8'));

export const corpusPath = (file: string): string => join(corpusFolder ?? '', 'models', file);
export const corpusBytes = (file: string): Uint8Array => Uint8Array.from(readFileSync(corpusPath(file)));
