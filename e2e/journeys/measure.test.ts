import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserPath, drawn, shot } from '../browser.ts';
import { addStep, card, slide } from '../panel.ts';
import { stage } from '../stage.ts';

const chrome = await browserPath();
/** Work in processes of their own, on a machine that others use too. */
const patient = { timeout: 170_000 };

const ended = async (page: Page, jobs: number): Promise<void> => {
  await page
    .locator('.job.done')
    .nth(jobs - 1)
    .waitFor(patient);
};

describe.skipIf(chrome === undefined)('what is measured and explained', () => {
  const { open } = stage(chrome);
  const sample = async (
    name: RegExp,
    language: 'en' | 'ko' = 'en',
  ): Promise<{ page: Page; errors: readonly string[] }> => {
    const opened = await open({ language });
    const { page } = opened;
    await drawn(page);
    await page.locator('.topbar [aria-haspopup=menu]').click();
    await page.locator('.menu-item', { hasText: name }).first().click();
    await drawn(page, 2);
    await page.locator('[data-figure=macs] strong', { hasText: /\d/ }).waitFor();
    return opened;
  };

  it('folds families, sets aside what does not fit, and explains what is in view', async () => {
    const { page, errors } = await sample(/LeNet-300/, 'ko');
    // no convolution: a reason, not a card
    await page.locator('.misfits summary').click(patient);
    await page.locator('[data-misfit=fold-batchnorm] dd', { hasText: /\w/ }).waitFor(patient);
    expect(await page.locator('[data-technique=fold-batchnorm]').count()).toBe(0);
    const factorize = await card(page, 'factorize');
    await page.locator('[data-family=factorize] .family-head').click();
    expect(await factorize.count()).toBe(0);
    await slide(page, 'prune-weights', 10);
    await page.getByRole('tab', { name: '설명' }).click();
    expect(await page.locator('.explain h2').textContent()).toBe('가중치 가지치기');
    expect(await page.locator('.formula').textContent()).toContain('|w| < t');
    // as many bars are grey as the slider says: 60 % of the weights
    await page.getByText(/141,120|235,200.*60/).waitFor(patient);
    expect(await page.locator('.explain .histogram .removed').count()).toBeGreaterThan(3);
    await shot(page, 'explain-ko');
    await page.getByRole('tab', { name: '압축' }).click();
    expect(await page.locator('[data-technique=prune-weights]').getByRole('slider').first().inputValue()).toBe('0.6');
    expect(errors).toEqual([]);
    await page.close();
  });

  it('colours by measured times, and says that smaller was not faster, with the fast form at one press', async () => {
    const { page, errors } = await sample(/LeNet-5/);
    await page.getByRole('radio', { name: 'Latency' }).click();
    await page.getByText('No layer has been measured on this machine.').waitFor();
    await page.getByRole('button', { name: 'Measure the layers' }).click();
    await page.locator('.legend-scale').waitFor(patient);
    const corner = page.locator('.node.layer', { hasText: 'Conv' }).first().locator('.node-corner');
    expect(await corner.textContent()).toMatch(/(µs|ms)$/);
    await page.locator('.node.layer', { hasText: 'Conv' }).first().click();
    await page.getByRole('tab', { name: 'Layer' }).click();
    await page.locator('.facts', { hasText: 'Time, measured' }).waitFor();
    await shot(page, 'measure-latency');
    await page.getByRole('tab', { name: 'Compress' }).click();
    await page.getByRole('button', { name: 'Clear' }).click();

    await addStep(page, 'quantize');
    await page.getByRole('combobox', { name: 'Mode' }).selectOption('dynamic');
    await page.getByRole('radio', { name: 'Bits' }).click();
    await page.waitForFunction(() => /^8/.test(document.querySelector('.node.layer .node-corner')?.textContent ?? ''));
    await page.locator('.recipe').getByRole('button', { name: 'Run recipe' }).click();
    await ended(page, 2);
    await page.getByRole('button', { name: 'Measure both in turn' }).click();
    await ended(page, 3);
    await page.locator('.job', { hasText: 'Quantize' }).locator('.job-body').click();
    const said = await page.locator('.slower').textContent(patient);
    expect(said).toMatch(/Measured in turn with the original: ([\d.]+× (faster|slower)|no difference)/);
    // where this machine was slower, static 8 bit is one press away
    if ((await page.locator('[data-slower=true]').count()) > 0) {
      await page.getByRole('button', { name: 'Static 8 bit instead' }).click();
      expect(await page.getByRole('combobox', { name: 'Mode' }).inputValue()).toBe('static');
    }
    await shot(page, 'measure-slower');
    expect(errors).toEqual([]);
    await page.close();
  });

  it('runs Deep Compression from the menu: plain and coded bytes stage by stage, and the archive', async () => {
    const { page, errors } = await sample(/LeNet-300/);
    await page.getByRole('button', { name: 'Recipe file' }).click();
    await page.getByRole('button', { name: 'Deep Compression' }).click();
    for (const step of [1, 3]) {
      await page.locator(`[data-step="${step}"] .step-body`).click();
      const more = page.locator('.compress-card.active').getByRole('button', { name: /more settings/ });
      if ((await more.count()) > 0) await more.click();
      await page
        .locator('.compress-card.active')
        .getByRole('slider', { name: /Epochs/ })
        .focus();
      await page.keyboard.press('Home');
    }
    await page.locator('.recipe').getByRole('button', { name: 'Run recipe' }).click();
    await page.locator('.stages').waitFor(patient);
    const coded = await page.locator('.stages tbody .gain-ratio').allTextContents();
    expect(coded.length).toBe(4);
    expect(Number.parseFloat(coded[3] ?? '')).toBeGreaterThan(25);
    expect(await page.locator('.key.best').count()).toBe(2);
    await shot(page, 'deep-compression');
    await page.locator('.topbar').getByRole('button', { name: 'Export' }).click();
    await page.getByRole('radio', { name: 'Archive' }).click();
    const download = page.waitForEvent('download');
    await page.locator('.export').getByRole('button', { name: 'Export' }).click();
    expect((await download).suggestedFilename()).toBe('lenet-300-100-light.pack');
    await page.getByText('Unpacked again: equal to the file, to the bit').waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });
});
