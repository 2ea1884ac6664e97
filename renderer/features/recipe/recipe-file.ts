/** Owns the recipe as a file of the person's: saved, loaded, copied. */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { parseRecipe } from '#shared/recipes/recipe.ts';
import { recipeOf } from '../../state/document.ts';
import { currentDocument, dispatch } from '../../state/store.ts';
import { download } from '../../ui/download.ts';
import { showFault, showNews } from '../../ui/toast.ts';
import { words } from './words.ts';

const recipeText = (): string => `${JSON.stringify(recipeOf(currentDocument().edit), null, 2)}\n`;

export function saveRecipe(): void {
  const name = (currentDocument().open?.name ?? 'model').replace(/\.onnx$/i, '');
  download(`${name}.recipe.json`, new Blob([recipeText()], { type: 'application/json' }));
}

export async function copyRecipe(): Promise<void> {
  try {
    await navigator.clipboard.writeText(recipeText());
    showNews(words.copied);
  } catch (thrown) {
    showFault(words.notCopied, thrown);
  }
}

/** Replaces the steps on the screen; one undo brings them back. */
export async function loadRecipe(file: File): Promise<void> {
  try {
    const value = asJson(await file.text(), file.name);
    dispatch({ type: 'recipe-replaced', recipe: parseRecipe(value) });
    showNews(words.loaded);
  } catch (thrown) {
    showFault(words.notLoaded, thrown);
  }
}

function asJson(source: string, name: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new Fault('bad-recipe', text('the file is not JSON', '파일이 JSON이 아닙니다'), { where: name });
  }
}
