/** Owns the README's pictures: drives the studio in the browser as a person would and takes them. `npx tsx scripts/pictures.mts` */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { browserPath, launch, openPage, root, startStudio } from '../e2e/browser.ts';
import { addStep, card, slide } from '../e2e/panel.ts';

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
  if (theme === 'light') {
    // a layer whose channels meet others at a shortcut
    await page.locator('.react-flow__node', { hasText: 'Conv' }).nth(2).click();
    await slide(page, 'prune-channels', 10);
    await (await card(page, 'prune-channels')).hover();
  } else {
    for (const technique of ['prune-channels', 'train', 'quantize']) await addStep(page, technique);
    await page.getByRole('button', { name: 'Run recipe' }).first().click();
    await page.getByText('Prediction and written file are equal.').waitFor({ timeout: 240_000 });
  }
  await page.waitForTimeout(800);
  await page.screenshot({ path: join(folder, `studio-${theme}.png`) });
  await page.close();
}
await browser.close();
await studio.stop();
