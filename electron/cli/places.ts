/** Owns where the command line finds its parts: bundled in dist/node or run from its source, the project is two folders up. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Worker {
  readonly entry: string;
  readonly execArgv: readonly string[];
}

/** The job process's entry: the bundle beside us, or the source through tsx (tests). */
export function worker(): Worker {
  const bundled = join(import.meta.dirname, 'worker.mjs');
  if (existsSync(bundled)) return { entry: bundled, execArgv: [] };
  return { entry: join(root, 'electron/jobs/worker.ts'), execArgv: ['--import', 'tsx'] };
}

export const page = join(root, 'dist/renderer');
export const samples = join(root, 'assets/models');

/** Test material that is not part of the project; undefined where this machine has none. */
export function corpusFolder(): string | undefined {
  const folder = process.env.BANTAM_CORPUS ?? join(root, '../shared/corpus');
  return existsSync(folder) ? folder : undefined;
}

export function version(): string {
  const { version: found } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version?: string };
  return found ?? '0.0.0';
}
