/** The code of `reproduce deep-compression`, with one seed and few epochs: stages shrink, the archive is exact, figures are as told. */
import { expect, it } from 'vitest';
import { deepCompressionNets, runSeed } from './deep-compression.ts';
import { deepCompressionPage, reportOf } from './deep-compression-report.ts';
import { pageMarkdown, pageText } from './page.ts';
import { quickStudy } from './testing/quick-study.ts';

it.each([
  [0, 1_066_440, 40],
  [1, 1_724_320, 39],
])('net %i: more than nine tenths of the paper’s ratio after few epochs', async (k, denseBytes, ratio) => {
  const net = deepCompressionNets[k]!;
  const run = await runSeed(await quickStudy(), net, 1, { dense: 2, retrain: 1, codebook: 1 });
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
  // Weights that have hardly been trained are spread wider, and their codes are longer.
  expect(run.ratio).toBeGreaterThan(0.9 * ratio);
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
  const page = deepCompressionPage([report]);
  expect(pageText(page)).toContain(`${ratio}.0x`);
  const made = { command: 'reproduce deep-compression', date: '2026-01-31', machine: '2 cores' };
  expect(pageMarkdown(page, made)).toContain('| packed |');
});
