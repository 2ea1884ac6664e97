import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { afterAll, describe, expect, it } from 'vitest';
import { browserPath, drawn, type PageOptions, shot } from '../browser.ts';
import { stage } from '../stage.ts';

const chrome = await browserPath();
const folder = mkdtempSync(join(tmpdir(), 'bantam-data-'));

/** Two classes of plain pictures, ten each. */
function pictures(): string {
  for (const [name, light] of [
    ['dark', 20],
    ['light', 230],
  ] as const) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < 10; i++) {
      const png = new PNG({ width: 28, height: 28 });
      for (let k = 0; k < png.data.length; k++) png.data[k] = k % 4 === 3 ? 255 : light + i;
      writeFileSync(join(folder, name, `${i}.png`), PNG.sync.write(png));
    }
  }
  return folder;
}

describe.skipIf(chrome === undefined)('data and preprocessing', () => {
  const { open } = stage(chrome);
  const page = async (o: PageOptions = {}): Promise<{ page: Page; errors: readonly string[] }> => {
    const opened = await open(o);
    await drawn(opened.page);
    const form = opened.page.locator('.run-form');
    if ((await form.count()) === 0) await opened.page.locator('.jobs-bar').click();
    await form.waitFor();
    return opened;
  };
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('tries preprocessings on a few samples, takes the one chosen, says it beside the accuracy, and keeps it', async () => {
    const { page: p, errors } = await page();
    const form = p.locator('.run-form');
    expect(await form.locator('[data-preprocess]').textContent()).toContain('÷ 255 · from the model’s card');
    await form.getByRole('button', { name: 'Try preprocessings' }).click();
    const rows = form.locator('.proposal');
    await rows.nth(7).waitFor();
    await form.getByText('10 classes; 7,000 samples to train on').waitFor();
    const shares = (await rows.locator('strong').allTextContents()).map(Number.parseFloat);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    // The card's own is among the best and marked as the one that is taken.
    expect(shares[0]).toBeGreaterThan(97);
    expect(await form.locator('input[name=preprocess]:checked').count()).toBe(1);
    await shot(p, 'data-proposals');

    await rows.filter({ hasText: /^raw/ }).locator('input').check();
    await form.getByText('chosen for this project').waitFor();
    await form.getByRole('button', { name: 'Measure the model' }).click();
    await p.locator('.job.done').first().waitFor();
    await p.getByText(/samples · test .*preprocessing ÷ 1 ·/).waitFor();
    await shot(p, 'data-measured');

    // The project is saved by itself and comes back with it.
    await p.waitForTimeout(1500);
    await p.reload();
    await drawn(p);
    if ((await form.count()) === 0) await p.locator('.jobs-bar').click();
    await form.getByText('chosen for this project').waitFor();
    await form.getByRole('button', { name: 'Back to the model’s card' }).click();
    await form.getByText('from the model’s card').waitFor();
    expect(errors).toEqual([]);
    await p.close();
  });

  it('reads a folder of pictures by its path, in Korean and dark; what is no data is one clear line', async () => {
    const { page: p, errors } = await page({ theme: 'dark', language: 'ko', width: 1280, height: 800 });
    const form = p.locator('.run-form');
    await form.getByLabel('데이터', { exact: true }).selectOption('path');
    await form.getByText(/CIFAR-10\/100/).waitFor();
    await form.getByLabel('데이터 경로').fill(join(folder, 'nowhere'));
    await form.getByRole('button', { name: '전처리 시험' }).click();
    await p
      .locator('.toast')
      .getByText(/그런 데이터가 없습니다/)
      .waitFor();
    await form.getByLabel('데이터 경로').fill(pictures());
    await form.getByRole('button', { name: '전처리 시험' }).click();
    await form.getByText(/클래스 2개/).waitFor();
    await form.locator('.proposal').nth(3).waitFor();
    await shot(p, 'data-ko-dark');
    expect(errors).toEqual([]);
    await p.close();
  });
});
