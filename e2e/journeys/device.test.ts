/** The latency on a device that is not here: chosen, estimated, following a slider, with its reasons. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { deviceOf } from '../../shared/devices/catalogue.ts';
import { browserPath, drawn, shot } from '../browser.ts';
import { openCard, slide } from '../panel.ts';
import { stage } from '../stage.ts';

const chrome = await browserPath();

describe.skipIf(chrome === undefined)('a device that is not here', () => {
  const { open } = stage(chrome);

  const choose = async (page: Page, value: string): Promise<void> => {
    await page.locator('.device-select').selectOption(value);
    await page.locator('[data-figure=latency] strong').waitFor();
  };
  const milliseconds = async (page: Page): Promise<number> =>
    Number.parseFloat((await page.locator('[data-figure=latency] strong').textContent()) ?? '');

  it('is estimated, follows the slider, and says what falls back and what it rests on', async () => {
    const { page, errors } = await open();
    await drawn(page);
    await choose(page, 'raspberry-pi-5/cpu');
    const before = await milliseconds(page);
    expect(before).toBeGreaterThan(0);
    expect(await page.locator('[data-figure=latency] strong.estimated').count()).toBe(1);

    await openCard(page, 'prune-channels');
    await slide(page, 'prune-channels', 30);
    await page.waitForFunction(
      (from) =>
        Number.parseFloat(document.querySelector('[data-figure=latency] strong:not(.stale)')?.textContent ?? '') < from,
      before,
    );
    expect(await page.locator('[data-figure=latency] .figure-line').textContent()).toMatch(/faster/);
    await shot(page, 'device-slider');

    // Float layers on an accelerator for 8 bits: its host processor takes them.
    await choose(page, 'edge-tpu/npu');
    await page.locator('[data-figure=latency]').getByRole('button', { name: 'fall back' }).click();
    const details = page.getByRole('dialog', { name: 'Details' });
    expect(await details.textContent()).toMatch(/does not compute in fp32/);
    expect(await details.textContent()).toMatch(/Energy.*mJ|Energy.*µJ/);
    await shot(page, 'device-details');

    // Kept between visits; this computer is one choice away.
    await page.reload();
    await drawn(page);
    expect(await page.locator('.device-select').inputValue()).toBe('edge-tpu/npu');
    await page.locator('.device-select').selectOption('');
    await page.locator('[data-figure=latency]', { hasText: /not measured|measured/ }).waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  it('may be one of your own: a profile from a file, and a bad one is refused by its field', async () => {
    const { page, errors } = await open();
    await drawn(page);
    const mine = { ...deviceOf('raspberry-pi-4'), id: 'mine', name: 'My board' };
    const file = (name: string, value: unknown) => ({
      name,
      mimeType: 'application/json',
      buffer: Buffer.from(JSON.stringify(value)),
    });
    await page.locator('.device-file').setInputFiles(file('bad.json', { ...mine, year: 'last' }));
    await page.getByRole('alert').filter({ hasText: 'year' }).waitFor();
    await page.locator('.device-file').setInputFiles(file('mine.json', mine));
    await page.locator('[data-figure=latency] strong.estimated').waitFor();
    expect(await page.locator('.device-select').inputValue()).toBe('own/cpu');
    await page.reload();
    await page.locator('[data-figure=latency] strong.estimated').waitFor();
    expect(await page.locator('.device-select option:checked').textContent()).toBe('My board');
    expect(errors).toEqual([]);
    await page.close();
  });

  it.each([
    ['dark', 'en', 1600, 1000],
    ['light', 'ko', 1280, 800],
    ['dark', 'ko', 1100, 720],
  ] as const)('looks right in %s, %s, %i wide', async (theme, language, width, height) => {
    const { page, errors } = await open({ theme, language, width, height });
    await drawn(page);
    await choose(page, 'stm32n6/npu');
    await page.locator('[data-figure=latency] .link').last().click();
    await page.getByRole('dialog').waitFor();
    await shot(page, `device-${theme}-${language}-${width}`);
    const box = await page.getByRole('dialog').boundingBox();
    expect(box!.x).toBeGreaterThanOrEqual(0);
    expect(box!.x + box!.width).toBeLessThanOrEqual(width);
    expect(errors).toEqual([]);
    await page.close();
  });
});
