/** Owns the card beside a model file: NAME.json beside NAME.onnx, what it says of the input. */
import { existsSync, readFileSync } from 'node:fs';
import { type Preprocess, preprocessSchema } from '#shared/recipes/recipe.ts';

export interface CardPreprocess {
  /** The card's path. */
  readonly path: string;
  /** Undefined: the card has a `preprocess` that is not understood. */
  readonly preprocess: Preprocess | undefined;
}

/** What the card beside a model says of its input; undefined where there is no card, or it says nothing of it. */
export function cardBeside(model: string): CardPreprocess | undefined {
  if (!/\.onnx$/i.test(model)) return undefined;
  const path = model.replace(/\.onnx$/i, '.json');
  if (!existsSync(path)) return undefined;
  let card: unknown;
  try {
    card = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // some other file of that name
  }
  if (typeof card !== 'object' || card === null || !('preprocess' in card)) return undefined;
  return { path, preprocess: preprocessSchema.safeParse(card.preprocess).data };
}
