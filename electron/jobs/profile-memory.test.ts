/** Memory over many measurements: nothing of a session or a trace is left behind. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { residentOver } from '../runtime/testing/resident.ts';

it('200 cycles of open, measure, trace, release keep resident memory bounded', () => {
  // 1 MB of weights in three sessions a cycle: 200 leaked cycles would be 600 MB.
  const net = model({
    nodes: [node('MatMul', ['x', 'w'], ['h']), node('Relu', ['h'], ['y'])],
    inputs: [value('x', [1, 512])],
    outputs: [value('y', [1, 512])],
    initializers: [randomTensor('w', [512, 512])],
  });
  const resident = residentOver(join(import.meta.dirname, 'testing/measure-cycles.ts'), net, 200);
  expect(resident).toHaveLength(200);
  expect(Math.max(...resident.slice(-20)) - Math.max(...resident.slice(30, 60))).toBeLessThan(64e6);
});
