/** Owns how option texts become values, each with one clear complaint. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { Fault } from '#shared/base/fault.ts';
import { parseWith } from '#shared/base/schema.ts';
import { type Preprocess, parseRecipe, preprocessSchema, type Recipe } from '#shared/recipes/recipe.ts';
import type { TargetRuntime } from '#shared/techniques/storage-target.ts';
import { presetOf } from '#shared/training/preprocess.ts';

/** A parser of whole numbers in a range. */
export const integer =
  (name: string, min: number, max: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`${name} takes ${min} to ${max}`);
    return value;
  };

/** Gathers `--shape name=1,3,224,224`, which may be given for several inputs. */
export function shape(
  text: string,
  before: Readonly<Record<string, readonly number[]>> = {},
): Readonly<Record<string, readonly number[]>> {
  const at = text.lastIndexOf('=');
  const dims = text.slice(at + 1).split(',');
  if (at < 1 || !dims.every((d) => /^[1-9]\d{0,8}$/.test(d)))
    throw new InvalidArgumentError('expected name=1,3,224,224');
  return { ...before, [text.slice(0, at)]: dims.map(Number) };
}

/** Faults: `bad-path`. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Fault('bad-path', 'the file cannot be read', { where: path });
  }
}

/** Reads a JSON file. Faults: `bad-path`, `bad-file`. */
export function readJson(path: string): unknown {
  const text = readText(path);
  try {
    // Editors on Windows put a byte order mark first.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (thrown) {
    throw new Fault('bad-file', `not JSON: ${thrown instanceof Error ? thrown.message : thrown}`, { where: path });
  }
}

/** Reads and validates a recipe file. Faults: `bad-path`, `bad-file`, `bad-recipe`. */
export const readRecipe = (path: string): Recipe => parseRecipe(readJson(path));

export interface RecipeChoice {
  /** Path of the recipe. */
  readonly recipe: string;
  readonly seed?: number;
  /** Takes the place of the recipe's own. */
  readonly target?: TargetRuntime;
}

/** The recipe with what the command line says in its place. Faults as `readRecipe`. */
export function recipeFor({ recipe: path, seed, target }: RecipeChoice): Recipe {
  const recipe = readRecipe(path);
  return {
    ...recipe,
    ...(seed === undefined ? {} : { seed }),
    ...(target === undefined ? {} : { target: { ...recipe.target, runtime: target } }),
  };
}

/** A named preset, or JSON that the schema takes; `auto` leaves it to what does best on a few training samples. */
export function preprocess(text: string): Preprocess | 'auto' {
  if (text === 'auto') return text;
  if (!text.trimStart().startsWith('{')) return presetOf(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('not JSON, and no preset begins with "{"');
  }
  return parseWith(preprocessSchema, value, '--preprocess');
}
