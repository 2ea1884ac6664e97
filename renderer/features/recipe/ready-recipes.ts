/** Owns the ready recipes of the menu: documents of assets/recipes, built into the page. */
import type { Text } from '#shared/base/text.ts';
import { parseRecipe, type Recipe } from '#shared/recipes/recipe.ts';
import deepCompression from '../../../assets/recipes/deep-compression.json';

interface ReadyRecipe {
  readonly title: Text;
  readonly note: Text;
  readonly recipe: () => Recipe;
}

export const readyRecipes: readonly ReadyRecipe[] = [deepCompression].map(({ title, note, recipe }) => ({
  title,
  note,
  recipe: () => parseRecipe(recipe),
}));
