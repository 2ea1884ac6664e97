/** change-opset: what is refused, and with which reason. */
import { expect, it } from 'vitest';
import { toFault } from '../base/fault.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { leNetLike } from '../testing/nets.ts';

it.each([
  [17, 'already'],
  [9, 'not lowered'],
])('never reports a change that it does not make (opset 17 to %i)', (opset, reason) => {
  const recipe = parseRecipe({ bantam: 1, steps: [{ technique: 'change-opset', params: { opset } }] });
  const model = leNetLike({ opset: 17 });
  try {
    previewRecipe(model, recipe);
    expect.unreachable();
  } catch (thrown) {
    expect(toFault(thrown)).toMatchObject({ code: 'bad-recipe' });
    expect(toFault(thrown).hint).toContain(reason);
  }
});
