import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { measureFigures } from '../../shared/analysis/measure-figures.ts';
import { readModel } from '../../shared/onnx/read.ts';
import { browserPath, drawn, type PageOptions, shot } from '../browser.ts';
import { addStep, slide } from '../panel.ts';
import { stage } from '../stage.ts';

const chrome = await browserPath();
const folder = mkdtempSync(join(tmpdir(), 'bantam-journey-'));

const figure = async (page: Page, id: string): Promise<string> =>
  (await page.locator(`[data-figure=${id}] .figure-now strong, [data-figure=${id}] .unknown`).textContent()) ?? '';

describe.skipIf(chrome === undefined)('compressing', () => {
  const { open } = stage(chrome);
  /** A page with the first sample drawn and measured on the screen. */
  const sample = async (o: PageOptions = {}): Promise<{ page: Page; errors: readonly string[] }> => {
    const opened = await open(o);
    await drawn(opened.page);
    // not the project that an earlier journey left, nor its recent file lenet-5-light.onnx (case tells them apart), nor the
    // untrained one of the zoo, which stands below
    await opened.page.locator('.topbar [aria-haspopup=menu]').click();
    await opened.page
      .locator('.menu-item', { hasText: /LeNet-5/ })
      .first()
      .click();
    await drawn(opened.page, 2);
    await opened.page.locator('.step').first().waitFor({ state: 'detached' });
    await opened.page.locator('[data-figure=macs] strong', { hasText: /\d/ }).waitFor();
    return opened;
  };

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('prunes two layers with the slider, runs, exports, reopens: the same figures all along', async () => {
    const { page, errors } = await sample();
    const before = await figure(page, 'parameters');
    // the two layers with weights before the last
    const layers = page.locator('.node.layer', { has: page.locator('.node-title', { hasText: /^(Conv|Gemm)/ }) });
    await layers.nth(0).click();
    await layers.nth(1).click({ modifiers: ['Shift'] });
    await slide(page, 'prune-channels', 4);
    await page.waitForFunction(
      (was) => document.querySelector('[data-figure=parameters] strong')?.textContent !== was,
      before,
    );
    await shot(page, 'compress-slider');
    await addStep(page, 'prune-channels');
    const predicted = [await figure(page, 'parameters'), await figure(page, 'file'), await figure(page, 'macs')];
    expect(await figure(page, 'accuracy')).toBe('not measured');

    await page.locator('.recipe').getByRole('button', { name: 'Run recipe' }).click();
    await page.locator('.job.done').first().waitFor();
    await page.getByText('Prediction and written file are equal.').waitFor();
    expect(await figure(page, 'accuracy')).toMatch(/\d\d\.\d\d/);
    await shot(page, 'compress-done');

    await page.locator('.topbar').getByRole('button', { name: 'Export' }).click();
    const download = page.waitForEvent('download', (d) => d.suggestedFilename().endsWith('.onnx'));
    await page.locator('.export').getByRole('button', { name: 'Export' }).click();
    const path = join(folder, 'light.onnx');
    await (await download).saveAs(path);
    await page.locator('[data-verdict=good]').waitFor();
    await shot(page, 'compress-exported');
    await page.keyboard.press('Escape');

    await page.setInputFiles('#open-file', path);
    await drawn(page, 3);
    await page.locator('[data-figure=macs] strong', { hasText: /\d/ }).waitFor();
    expect([await figure(page, 'parameters'), await figure(page, 'file'), await figure(page, 'macs')]).toEqual(
      predicted,
    );
    expect(measureFigures(readModel(readFileSync(path))).fileBytes).toBe(readFileSync(path).length);
    await shot(page, 'compress-reopened');
    expect(errors).toEqual([]);
    await page.close();
  });

  it('undoes and redoes; a step is switched off, moved by keys, deleted', async () => {
    const { page, errors } = await sample();
    const before = await figure(page, 'file');
    await addStep(page, 'prune-channels');
    const pruned = await figure(page, 'file');
    expect(pruned).not.toBe(before);
    await addStep(page, 'prune-weights');
    await page.locator('.step').nth(1).waitFor();
    await page.keyboard.press('Control+z');
    await page.locator('.step').nth(1).waitFor({ state: 'detached' });
    expect(await figure(page, 'file')).toBe(pruned);
    await page.keyboard.press('Control+Shift+z');
    await page.locator('.step').nth(1).waitFor();
    await page.getByRole('button', { name: 'Move step 2' }).focus();
    await page.keyboard.press('ArrowUp');
    expect(await page.locator('.step strong').allTextContents()).toEqual(['1. Prune weights', '2. Prune channels']);
    await page.getByRole('switch', { name: 'Step 2 on' }).click();
    await page.locator('.step').nth(0).hover();
    await page.getByRole('button', { name: 'Delete step 1' }).click();
    expect(await figure(page, 'file')).toBe(before);
    expect(errors).toEqual([]);
    await page.close();
  });

  it('measures with the run, marks the figure as older once the recipe changes, in Korean and dark', async () => {
    const { page, errors } = await sample({ theme: 'dark', language: 'ko', width: 1280, height: 800 });
    await addStep(page, 'prune-channels');
    await page.locator('.recipe > .btn.primary').click();
    await page.locator('[data-figure=accuracy] .badge', { hasText: '측정' }).waitFor();
    await shot(page, 'compress-ko-dark');
    await page.locator('[data-technique=prune-channels]').getByRole('slider').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('[data-figure=accuracy] .badge', { hasText: '이전 레시피' }).waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  it('says what is wrong with a recipe file and keeps the steps', async () => {
    const { page } = await sample();
    await addStep(page, 'prune-channels');
    await page.setInputFiles('#load-recipe', {
      name: 'bad.json',
      mimeType: 'application/json',
      buffer: Buffer.from('{"bantam": 1, "steps": [{"technique": 7}]}'),
    });
    await page.getByRole('alert').waitFor();
    expect(await page.locator('.step').count()).toBe(1);
    await shot(page, 'compress-bad-recipe');
    await page.setInputFiles('#load-recipe', {
      name: 'good.json',
      mimeType: 'application/json',
      buffer: Buffer.from('{"bantam": 1, "steps": [{"technique": "quantize", "params": {"mode": "weight-only"}}]}'),
    });
    await page.locator('.step strong', { hasText: 'Quantize' }).waitFor();
    await page.close();
  });
});
