import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { browserPath, drawn, type PageOptions, shot } from '../browser.ts';
import { stage } from '../stage.ts';

const chrome = await browserPath();
const folder = mkdtempSync(join(tmpdir(), 'bantam-newcomer-'));

/** What stands on the screen, as one reads it, in each language. */
const said = {
  en: {
    add: 'Add to recipe',
    quantize: 'Add to recipe: Quantize',
    run: 'Run recipe',
    train: 'Add a training step',
    export: 'Export',
    open: 'Open it here',
  },
  ko: {
    add: '레시피에 추가',
    quantize: '레시피에 추가: 양자화',
    run: '레시피 실행',
    train: '학습 단계 추가',
    export: '내보내기',
    open: '여기서 열기',
  },
} as const;

const figure = async (page: Page, id: string): Promise<string> =>
  (await page.locator(`[data-figure=${id}]`).textContent()) ?? '';

describe.skipIf(chrome === undefined)('a newcomer', () => {
  const { open } = stage(chrome, 'each');
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** From the first sight of the sample to the exported file, opened again, by what the screen says alone. */
  async function lighten(o: Required<Pick<PageOptions, 'language'>> & PageOptions, train = true): Promise<void> {
    const { page, errors } = await open(o);
    const words = said[o.language];
    const begun = Date.now();
    const steps: string[] = [];
    const told = async (what: string): Promise<void> => {
      steps.push(`${((Date.now() - begun) / 1000).toFixed(0)} s ${what}`);
      await shot(page, `newcomer-${o.language}-${steps.length}`);
    };
    await drawn(page);
    await page.locator('[data-figure=macs] strong', { hasText: /\d/ }).waitFor();
    expect(await page.locator('.topbar').textContent()).toContain('lenet-5.onnx');
    await told('first sight');

    // the one slider that is there
    await page.getByRole('slider').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('[data-figure=macs] .estimated').waitFor();
    await page.getByRole('button', { name: words.add, exact: true }).click();
    await page.getByRole('button', { name: words.quantize }).click();
    await page.locator('.step').nth(1).waitFor();
    const times = Number(/([\d.]+)×/.exec(await figure(page, 'file'))?.[1]);
    expect(times).toBeGreaterThan(5);
    await told(`file ${times} times smaller, before anything ran`);

    await page.locator('.recipe').getByRole('button', { name: words.run }).click();
    await page.locator('.job.done').first().waitFor({ timeout: 120_000 });
    expect(await figure(page, 'accuracy')).toMatch(/→.*\d\d\.\d/);
    await told(`run: accuracy ${await figure(page, 'accuracy')}`);

    if (train) {
      // it fell, and the way on stands beside the result
      await page.getByRole('button', { name: words.train }).click();
      expect((await page.locator('.step strong').allTextContents()).map((s) => s.slice(0, 2))).toEqual([
        '1.',
        '2.',
        '3.',
      ]);
      // a person would leave the five epochs; here one is enough to see the way
      await page.getByRole('slider').first().focus();
      await page.keyboard.press('Home');
      await page.locator('.step', { hasText: /(Epochs|에폭) 1(?!\d)/ }).waitFor();
      await page.locator('.recipe').getByRole('button', { name: words.run }).click();
      await page.locator('.job.done').nth(1).waitFor({ timeout: 170_000 });
      await told(`trained: accuracy ${await figure(page, 'accuracy')}`);
    }

    await page.locator('.topbar').getByRole('button', { name: words.export }).click();
    const download = page.waitForEvent('download', (d) => d.suggestedFilename().endsWith('.onnx'));
    await page.locator('.export').getByRole('button', { name: words.export }).click();
    const path = join(folder, `${o.language}.onnx`);
    await (await download).saveAs(path);
    await page.locator('[data-verdict=good]').waitFor();
    await told('exported and checked');
    await page.getByRole('button', { name: words.open }).click();
    await drawn(page, 2);
    await page.locator('.topbar', { hasText: 'lenet-5-light' }).waitFor();
    await page.locator('[data-figure=accuracy] strong', { hasText: /\d/ }).waitFor();
    await told('open again');
    expect(1_732_000 / readFileSync(path).length).toBeGreaterThan(5);
    expect(errors).toEqual([]);
    console.log(steps.join('\n'));
    await page.close();
  }

  it('makes LeNet-5 five times smaller with its accuracy in sight', () => lighten({ language: 'en' }));

  it('does so in Korean and in a small window, without training', () =>
    lighten({ language: 'ko', theme: 'dark', width: 1100, height: 700 }, false));
});
