/** The page about recipes is what the registry of techniques says. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parseRecipe } from '../recipes/recipe.ts';
import { devicePage } from './device-page.ts';
import { gradientPage } from './gradient-page.ts';
import { recipePage } from './recipe-page.ts';

const path = resolve(import.meta.dirname, '../../docs/recipe.md');

it('docs/recipe.md is current (BANTAM_WRITE=1 rewrites it)', () => {
  const now = recipePage();
  if (process.env.BANTAM_WRITE === '1') writeFileSync(path, now);
  expect(readFileSync(path, 'utf8')).toBe(now);
});

it('docs/gradients.md is current (BANTAM_WRITE=1 rewrites it)', () => {
  const file = resolve(path, '../gradients.md');
  const now = gradientPage();
  if (process.env.BANTAM_WRITE === '1') writeFileSync(file, now);
  expect(readFileSync(file, 'utf8')).toBe(now);
});

it('docs/devices.md is current (BANTAM_WRITE=1 rewrites it)', () => {
  const file = resolve(path, '../devices.md');
  const now = devicePage();
  if (process.env.BANTAM_WRITE === '1') writeFileSync(file, now);
  expect(readFileSync(file, 'utf8')).toBe(now);
});

it('its example is a recipe', () => {
  const [, example] = /```json\n([\s\S]*?)```/.exec(recipePage()) ?? [];
  expect(parseRecipe(JSON.parse(example ?? '')).steps.length).toBeGreaterThan(2);
});
