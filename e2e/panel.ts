/** Owns how journeys use the compress panel: unfold a family, open a card, move its slider, add it. */
import type { Locator, Page } from 'playwright-core';
import { techniqueOf } from '../shared/techniques/index.ts';

/** A technique's card, its family unfolded. */
export async function card(page: Page, technique: string): Promise<Locator> {
  const found = page.locator(`[data-technique=${technique}]`);
  const family = page.locator(`[data-family=${techniqueOf(technique).group}] .family-head`);
  await found.or(family).first().waitFor();
  if ((await found.count()) === 0 && (await family.getAttribute('aria-expanded')) === 'false') await family.click();
  await found.waitFor();
  return found;
}

/** The same, opened: its slider and settings are there. */
export async function openCard(page: Page, technique: string): Promise<Locator> {
  const found = await card(page, technique);
  const title = found.locator('.card-title');
  if ((await title.getAttribute('aria-expanded')) === 'false') await title.click();
  return found;
}

export async function addStep(page: Page, technique: string): Promise<void> {
  const found = await card(page, technique);
  await found.getByRole('button', { name: /Add to recipe|레시피에 추가/ }).click();
}

/** Moves a card's first slider by keys; each press is one step of it. */
export async function slide(page: Page, technique: string, presses: number): Promise<void> {
  const found = await openCard(page, technique);
  await found.getByRole('slider').first().focus();
  for (let i = 0; i < presses; i++) await page.keyboard.press('ArrowRight');
}
