/** Memory of a training stays flat over its epochs: resident memory of a process of its own, early and late. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
const program = `
import { nodeRuntime } from ${url('../../electron/runtime/node-runtime.ts')};
import { trainModel } from ${url('./train-model.ts')};
import { model, node, randomTensor, value } from ${url('../testing/build.ts')};
const sample = (i) => ({ values: new Float32Array(196).fill(i % 200), label: i % 10 });
const dataset = {
  info: { id: 'm', source: 'm', labelled: true, classes: [...'0123456789'], splitRule: 'none',
    sample: { kind: 'image', height: 14, width: 14, channels: 1 }, counts: { train: 32, validation: 16, test: 0 } },
  read: async (_, indices) => indices.map(sample),
};
// 62,000 weights and two copies of them as Adam's state: 0.72 MB an epoch if one were kept.
const net = model({
  nodes: [
    node('Flatten', ['x'], ['f']), node('Gemm', ['f', 'v', 'c'], ['h']), node('Relu', ['h'], ['r']), node('Gemm', ['r', 'w', 'b'], ['y']),
  ],
  inputs: [value('x', ['N', 1, 14, 14])], outputs: [value('y', ['N', 10])],
  initializers: [randomTensor('v', [196, 300]), randomTensor('c', [300]), randomTensor('w', [300, 10]), randomTensor('b', [10])],
});
const resident = [];
await trainModel({
  runtime: nodeRuntime(1), clock: { now: () => 0 }, model: net, dataset, seed: 1,
  settings: { epochs: 200, batch: 16, optimizer: 'adam', learningRate: 1e-4, momentum: 0.9, weightDecay: 0, schedule: 'cosine', augment: true },
  onEpoch: ({ epoch }) => {
    if (epoch % 20 !== 0) return;
    globalThis.gc();
    resident.push(process.memoryUsage().rss / 2 ** 20);
  },
});
console.log(JSON.stringify(resident));
`;

// A copy of weights and state kept each epoch would be 130 MB in the 180 epochs looked at.
it('is flat from the 20th to the 200th epoch', () => {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const args = ['--expose-gc', '--import', tsx, '--input-type=module', '-e', program];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([run.status, run.stderr]).toEqual([0, expect.anything()]);
  const resident = JSON.parse(run.stdout) as readonly number[];
  expect(resident).toHaveLength(10);
  expect((resident[9] ?? Number.NaN) - (resident[0] ?? 0)).toBeLessThan(25);
});
