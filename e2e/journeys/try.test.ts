import { describe, expect, it } from 'vitest';
import { browserPath, drawn, shot } from '../browser.ts';
import { addStep } from '../panel.ts';
import { stage } from '../stage.ts';

const chrome = await browserPath();

describe.skipIf(chrome === undefined)('trying', () => {
  const { open } = stage(chrome);

  it('asks original and compressed model the same, in the page and natively', async () => {
    const { page, errors } = await open();
    await drawn(page);
    // the whole recipe runs, and its result stands beside the original
    await addStep(page, 'quantize');
    await page.locator('.recipe').getByRole('button', { name: 'Run recipe' }).click();
    await page.locator('.job.done').first().waitFor();
    await page.getByRole('button', { name: 'Try it' }).click();

    const original = page.getByRole('region', { name: 'Original' });
    const light = page.getByRole('region', { name: 'Compressed' });
    for (const side of [original, light]) {
      await side.locator('.try-classes li').first().waitFor();
      // both runtimes measured, and their outputs compared
      const said = side.getByText(/differ by at most|exactly the same/);
      await said.waitFor();
      const gap = /at most (.+?)\.$/.exec((await said.textContent()) ?? '')?.[1] ?? '0';
      expect(Number(gap)).toBeLessThan(0.05);
      for (const ms of await side.locator('.try-times dd').allTextContents()) expect(ms).toMatch(/^[\d.]+\s?m?s$/);
    }
    const [label, answer] = [page.locator('.try-source strong'), original.locator('.first .try-class')];
    expect(await label.textContent()).toMatch(/labelled \d/);
    await page.getByText(/Both give the same answer|The answers differ/).waitFor();
    await shot(page, 'try-sample');

    // a drawn seven: a bar and a slanted stem
    await page.getByRole('radio', { name: 'Draw' }).click();
    const box = await page.locator('canvas.try-pad').boundingBox();
    if (box === null) throw new Error('no pad');
    const draw = async (points: readonly (readonly [number, number])[]): Promise<void> => {
      const [[x, y] = [0, 0], ...rest] = points;
      await page.mouse.move(box.x + x, box.y + y);
      await page.mouse.down();
      for (const [px, py] of rest) await page.mouse.move(box.x + px, box.y + py, { steps: 8 });
      await page.mouse.up();
    };
    await draw([
      [60, 55],
      [160, 55],
      [105, 180],
    ]);
    await page.waitForFunction(() => document.querySelector('.try-answer .first .try-class')?.textContent === '7');
    expect(await answer.textContent()).toBe('7');
    await shot(page, 'try-draw');

    // a picture of the person's own: here a screenshot, which is no digit but is read
    await page.getByRole('radio', { name: 'Picture' }).click();
    const picture = await page.locator('.brand').screenshot();
    await page
      .locator('.try-source input[type=file]')
      .setInputFiles({ name: 'mine.png', mimeType: 'image/png', buffer: picture });
    await original.locator('.try-classes li').first().waitFor();
    await page
      .locator('.try-source input[type=file]')
      .setInputFiles({ name: 'no.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await page.getByText('this is no picture that can be read').waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });
});
