/** S28: memory grows with each create and release of a session. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { residentOver } from './testing/resident.ts';

it('S28: 200 cycles of open, run, release keep resident memory bounded', () => {
  // 8 MB of weights: 200 leaked copies would be 1.6 GB.
  const wide = model({
    nodes: [node('MatMul', ['x', 'w'], ['h']), node('Relu', ['h'], ['r']), node('MatMul', ['r', 'v'], ['y'])],
    inputs: [value('x', [1, 1024])],
    outputs: [value('y', [1, 1024])],
    initializers: [randomTensor('w', [1024, 1024]), randomTensor('v', [1024, 1024])],
  });
  const resident = residentOver(join(import.meta.dirname, 'testing/cycles.ts'), wide, 200);
  expect(resident).toHaveLength(200);
  const early = Math.max(...resident.slice(10, 30));
  const late = Math.max(...resident.slice(-20));
  expect(late - early).toBeLessThan(64e6);
});
