/** Owns the README's pictures: drives the studio in the browser as a person would and takes them. `npx tsx scripts/pictures.mts` */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { browserPath, launch, openPage, root, startStudio } from '../e2e/browser.ts';

const folder = join(root, 'docs/pictures');
mkdirSync(folder, { recursive: true });
const path = await browserPath();
if (path === undefined) process.exit(1);
const studio = await startStudio();
const browser = await launch(path);
for (const theme of ['light', 'dark'] as const) {
  const { page } = await openPage(browser, studio.url, { theme, width: 1440, height: 900 });
  await page
    .getByRole('button', { name: /lenet|resnet|Open a model/ })
    .first()
    .click();
  await page.getByText('ResNet-8').first().click();
  await page.waitForTimeout(1500);
  const card = (technique: string) => page.locator(`[data-technique="${technique}"]`).last();
  const press = async (locator: ReturnType<typeof card>, key: string, times: number): Promise<void> => {
    await locator.locator('input[type=range]').first().focus();
    for (let k = 0; k < times; k++) await page.keyboard.press(key);
  };
  if (theme === 'light') {
    // a layer whose channels meet others at a shortcut
    await page.locator('.react-flow__node', { hasText: 'Conv' }).nth(2).click();
    await press(card('prune-channels'), 'ArrowRight', 10);
    await card('prune-channels').hover();
  } else {
    for (const technique of ['prune-channels', 'train', 'quantize'])
      await card(technique).getByRole('button', { name: 'Add to recipe' }).click();
    await page.getByRole('button', { name: 'Run recipe' }).first().click();
    await page.getByText('Prediction and written file are equal.').waitFor({ timeout: 240_000 });
  }
  await page.waitForTimeout(800);
  await page.screenshot({ path: join(folder, `studio-${theme}.png`) });
  await page.close();
}
await browser.close();
await studio.stop();
