/** The code of `reproduce deep-compression`, with one seed and few epochs: stages shrink, the archive is exact, figures are as told. */
import { expect, it } from 'vitest';
import { neverCancelled } from '#shared/base/cancel.ts';
import { nodeRuntime } from '../../runtime/node-runtime.ts';
import { deepCompressionNets, openDigits, runSeed } from './deep-compression.ts';
import { reportOf, reportText } from './deep-compression-report.ts';

const parts = {
  runtime: nodeRuntime(1),
  cancel: neverCancelled,
  report: { progress: () => {}, log: () => {}, curve: () => {}, training: () => {} },
};

it.each([
  [0, 1_066_440, 40],
  [1, 1_724_320, 39],
])('net %i: more than the paper’s ratio after few epochs', async (k, denseBytes, ratio) => {
  const net = deepCompressionNets[k]!;
  const data = await openDigits(undefined);
  const run = await runSeed(parts, data, net, 1, { dense: 1, retrain: 1, codebook: 1 });
  expect(run.stages.map((s) => s.stage)).toEqual(['dense', 'pruned', 'shared', 'packed']);
  expect(run.stages[0]?.bytes).toBe(denseBytes);
  for (const [i, s] of run.stages.entries()) {
    if (i > 0) expect(s.bytes).toBeLessThan(run.stages[i - 1]!.bytes);
    expect(s.ratio).toBeCloseTo(denseBytes / s.bytes, 6);
    expect(s.error).toBeGreaterThan(0);
    expect(s.error).toBeLessThan(60);
    expect(s.mnistTest).toBeNull();
  }
  // What is packed is what was shared, to the last sample.
  expect(run.stages[3]?.error).toBe(run.stages[2]?.error);
  expect(run.ratio).toBeGreaterThan(ratio);
  const report = reportOf(net.name, [run, { ...run, seed: 2, errorAfter: run.errorAfter + 1 }]);
  expect(report.errorAfter).toBeCloseTo(run.errorAfter + 0.5, 6);
  expect(Object.keys(report)).toEqual([
    'name',
    'denseBytes',
    'archiveBytes',
    'ratio',
    'errorBefore',
    'errorAfter',
    'control',
    'seeds',
    'stages',
  ]);
  expect(reportText([report])).toContain(`${ratio}.0x`);
});
