/** S28: memory grows with each create and release of a session. In a process of its own, so that nothing else counts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeModel } from '#shared/onnx/write.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';

it('S28: 200 cycles of open, run, release keep resident memory bounded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bantam-s28-'));
  try {
    const path = join(folder, 'm.onnx');
    // 8 MB of weights: 200 leaked copies would be 1.6 GB.
    const wide = model({
      nodes: [node('MatMul', ['x', 'w'], ['h']), node('Relu', ['h'], ['r']), node('MatMul', ['r', 'v'], ['y'])],
      inputs: [value('x', [1, 1024])],
      outputs: [value('y', [1, 1024])],
      initializers: [randomTensor('w', [1024, 1024]), randomTensor('v', [1024, 1024])],
    });
    writeFileSync(path, writeModel(wide));
    const child = join(import.meta.dirname, 'testing/cycles.ts');
    const out = execFileSync(process.execPath, ['--expose-gc', '--import', 'tsx', child, path, '200'], {
      encoding: 'utf8',
      cwd: join(import.meta.dirname, '../..'),
    });
    const resident = JSON.parse(out) as number[];
    expect(resident).toHaveLength(200);
    const early = Math.max(...resident.slice(10, 30));
    const late = Math.max(...resident.slice(-20));
    expect(late - early).toBeLessThan(64e6);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
