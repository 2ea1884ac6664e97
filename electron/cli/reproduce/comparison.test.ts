/** The code of `reproduce binarize` and `reproduce channel-pruning` with one seed and an epoch. */
import { expect, it } from 'vitest';
import { binarizeComparison, binarizePage } from './binarize.ts';
import { channelComparison, channelPage } from './channel-pruning.ts';
import type { Compared, Comparison } from './comparison.ts';
import { pageText } from './page.ts';
import { quickStudy } from './testing/quick-study.ts';

const epochs = { dense: 2, retrain: 1 };
const one = (c: Comparison, id: string): Compared => c.kinds.find((k) => k.id === id)!.runs[0]!;

it('binary weights are a bit each, and answer; what stays float stays large', async () => {
  const c = await binarizeComparison(await quickStudy(), [1], epochs);
  const dense = one(c, 'dense');
  expect(dense.error).toBeLessThan(40);
  for (const id of ['weights', 'xnor', 'weights-all']) {
    expect(one(c, id).error).toBeLessThan(60);
    expect(dense.fileBytes / one(c, id).fileBytes).toBeGreaterThan(17);
  }
  expect(one(c, 'weights-all').fileBytes).toBeLessThan(one(c, 'weights').fileBytes);
  expect(pageText(binarizePage(c, epochs))).toMatch(/^binary weights +\d/m);
});

it('equal ratios remove the same work, whoever chooses; refit and tuning mend', async () => {
  const c = await channelComparison(await quickStudy(), [1], epochs, [0.5]);
  const macs = ['random', 'l1', 'l1-refit', 'lasso'].map((id) => one(c, `${id}-0.5`).macs);
  expect(new Set(macs).size).toBe(1);
  expect(one(c, 'l1-refit-0.5').validation).toBeLessThan(one(c, 'l1-0.5').validation);
  expect(one(c, 'lasso-0.5-tuned').validation).toBeLessThan(one(c, 'random-0.5').validation);
  // conv1 20 -> 10, conv2 50 -> 25 channels.
  expect(one(c, 'l1-0.5').macs).toBe(24 * 24 * 10 * 25 + 8 * 8 * 25 * 10 * 25 + 25 * 16 * 500 + 5000);
  expect(pageText(channelPage(c, epochs))).toContain('50 % by LASSO, refitted, tuned');
});
