/** Owns the name of the runtime that job processes use, read from its package: the host itself never loads it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** 'onnxruntime-node 1.30.0', as seen from the folder `root`. */
export function runtimeName(root: string): string {
  try {
    const path = createRequire(join(root, 'package.json')).resolve('onnxruntime-node/package.json');
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version?: string };
    return `onnxruntime-node ${version ?? ''}`.trim();
  } catch {
    return 'onnxruntime-node';
  }
}
