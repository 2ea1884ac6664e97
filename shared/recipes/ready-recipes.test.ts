/** Every document of assets/recipes is a recipe, titled in both languages, and previews on the samples. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { lenet5, lenet300 } from '../zoo/lenet.ts';
import { previewRecipe } from './preview.ts';
import { parseRecipe } from './recipe.ts';

const folder = resolve(import.meta.dirname, '../../assets/recipes');

it.each(readdirSync(folder))('%s', (file) => {
  const { title, note, recipe, ...more } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  expect(more).toEqual({});
  for (const text of [title, note]) {
    expect(text.en.length).toBeGreaterThan(3);
    expect(text.ko).toMatch(/[가-힣]/);
  }
  for (const net of [lenet300(), lenet5()]) {
    const preview = previewRecipe(net, parseRecipe(recipe));
    expect(preview.figures.fileBytes).toBeLessThan(preview.before.fileBytes / 8);
  }
});
