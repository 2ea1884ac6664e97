/** The code of `reproduce pruning` with one seed and few epochs; and that a study goes on where it was broken off. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { pageText } from './page.ts';
import { pruningPage, pruningResult, pruningSeed } from './pruning.ts';
import { quickStudy } from './testing/quick-study.ts';

const folder = mkdtempSync(join(tmpdir(), 'bantam-pruning-'));
afterAll(() => rmSync(folder, { recursive: true }));

const epochs = { dense: 4, retrain: 4 };

it('has nine tenths zeros to the last epoch, at once and gradually; what was kept is not trained again', async () => {
  const first = await pruningSeed(await quickStudy(folder), 1, epochs);
  for (const way of [first.ways.once, first.ways.gradual]) {
    expect(way.of).toBe(266_200);
    // The share of each layer is rounded down.
    expect(way.zeros).toBeGreaterThanOrEqual(0.9 * way.of - 3);
    expect(way.zeros).toBeLessThan(0.92 * way.of);
    expect(way.error).toBeLessThan(60);
    expect(way.fileBytes).toBeLessThan(0.2 * 4 * way.of);
  }
  const result = pruningResult([first, { ...first, seed: 2 }]);
  const { once, gradual } = first.ways;
  expect(result.chosen).toBe(gradual.validation < once.validation ? 'gradual' : 'once');
  expect(pageText(pruningPage(result, epochs))).toContain('dense control');

  const files = readdirSync(folder).filter((f) => f.endsWith('.onnx'));
  const control = files.find((f) => f.startsWith('lenet-300-100-1-control')) ?? 'none';
  const changed = (): readonly number[] => files.map((f) => statSync(join(folder, f)).mtimeMs);
  const before = changed();
  expect(await pruningSeed(await quickStudy(folder), 1, epochs)).toEqual(first);
  expect(changed()).toEqual(before);

  // A note that does not belong to these settings, or is not whole: the model is made again, the same.
  writeFileSync(join(folder, control.replace('.onnx', '.json')), '{"key"');
  expect(await pruningSeed(await quickStudy(folder), 1, epochs)).toEqual(first);
  const made = files.filter((_, i) => changed()[i] !== before[i]);
  expect(made).toEqual([control]);
});
