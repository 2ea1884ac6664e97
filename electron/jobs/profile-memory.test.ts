/** Memory over many measurements, in a process of its own, so that nothing else counts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeModel } from '#shared/onnx/write.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';

it('200 cycles of open, measure, trace, release keep resident memory bounded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bantam-cycles-'));
  try {
    const path = join(folder, 'm.onnx');
    // 1 MB of weights in three sessions a cycle: 200 leaked cycles would be 600 MB.
    const net = model({
      nodes: [node('MatMul', ['x', 'w'], ['h']), node('Relu', ['h'], ['y'])],
      inputs: [value('x', [1, 512])],
      outputs: [value('y', [1, 512])],
      initializers: [randomTensor('w', [512, 512])],
    });
    writeFileSync(path, writeModel(net));
    const child = join(import.meta.dirname, 'testing/measure-cycles.ts');
    const out = execFileSync(process.execPath, ['--expose-gc', '--import', 'tsx', child, path, '200'], {
      encoding: 'utf8',
      cwd: join(import.meta.dirname, '../..'),
    });
    const resident = JSON.parse(out) as number[];
    expect(resident).toHaveLength(200);
    expect(Math.max(...resident.slice(-20)) - Math.max(...resident.slice(30, 60))).toBeLessThan(64e6);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
