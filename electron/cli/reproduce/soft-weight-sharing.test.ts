/** The code of `reproduce soft-weight-sharing` with one seed and few epochs: few values, most of them zero, an exact archive. */
import { expect, it } from 'vitest';
import { pageText } from './page.ts';
import { softPage, softResult, softSeed } from './soft-weight-sharing.ts';
import { quickStudy } from './testing/quick-study.ts';

it('most weights are zero, the others few values; what is packed is what was shared', async () => {
  const epochs = { dense: 1, retrain: 1 };
  const run = await softSeed(await quickStudy(), 1, epochs);
  expect(run.denseBytes).toBe(1_066_440);
  expect(run.values).toBeLessThanOrEqual(16);
  expect(run.values).toBeGreaterThan(2);
  expect(run.zeros).toBeGreaterThan(0.5);
  expect(run.ratio).toBeCloseTo(run.denseBytes / run.archiveBytes, 9);
  expect(run.ratio).toBeGreaterThan(20);
  const result = softResult([run, { ...run, seed: 2, shared: { ...run.shared, error: run.shared.error + 1 } }]);
  expect(result.errorAfter).toBeCloseTo(run.shared.error + 0.5, 6);
  const text = pageText(softPage(result, epochs));
  expect(text).toContain('shared, packed');
  expect(text).toContain('32.4x');
});
