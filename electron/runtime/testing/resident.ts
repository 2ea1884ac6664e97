/** Owns residentOver: resident memory after each of many cycles on a model, measured in a process of its own, so that nothing else counts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';

/** `script` is given the model's path and the number of cycles, and prints the bytes after each as JSON. */
export function residentOver(script: string, model: Model, cycles: number): readonly number[] {
  const folder = mkdtempSync(join(tmpdir(), 'bantam-cycles-'));
  try {
    const path = join(folder, 'm.onnx');
    writeFileSync(path, writeModel(model));
    const out = execFileSync(process.execPath, ['--expose-gc', '--import', 'tsx', script, path, String(cycles)], {
      encoding: 'utf8',
      cwd: join(import.meta.dirname, '../../..'),
    });
    return JSON.parse(out) as number[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
