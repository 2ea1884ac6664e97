/** Owns which file of the built page a URL path means. */
import { realpathSync, statSync } from 'node:fs';
import { extname, join, sep } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.wasm': 'application/wasm',
  '.onnx': 'application/octet-stream',
};

export interface StaticFile {
  readonly path: string;
  readonly type: string;
  readonly bytes: number;
}

/**
 * The file below `root` that `pathname` (of a URL, still percent-encoded) means, or undefined: what leaves the folder, also by
 * a link, what is hidden, and what is no file is not there.
 */
export function staticFile(root: string, pathname: string): StaticFile | undefined {
  let name: string;
  try {
    name = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (name.includes('\0') || name.includes('\\') || name.split('/').some((part) => part.startsWith('.')))
    return undefined;
  const wanted = join(root, name === '/' ? 'index.html' : name);
  try {
    const base = realpathSync(root);
    const real = realpathSync(wanted);
    if (!real.startsWith(base + sep)) return undefined;
    const stat = statSync(real);
    const type = types[extname(real)];
    return stat.isFile() && type !== undefined ? { path: real, type, bytes: stat.size } : undefined;
  } catch {
    return undefined;
  }
}
