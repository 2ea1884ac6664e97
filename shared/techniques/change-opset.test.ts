/** change-opset: what is refused, and with which reason. */
import { expect, it } from 'vitest';
import { toFault } from '../base/fault.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { model, node, value } from '../testing/build.ts';
import { leNetLike } from '../testing/nets.ts';

const refusal = (model: Model, opset: number) => {
  const recipe = parseRecipe({ bantam: 1, steps: [{ technique: 'change-opset', params: { opset } }] });
  try {
    return previewRecipe(model, recipe);
  } catch (thrown) {
    return toFault(thrown).toData();
  }
};

it('never reports a change that it does not make', () => {
  expect(refusal(leNetLike({ opset: 17 }), 17)).toMatchObject({
    code: 'bad-recipe',
    hint: 'The model has opset 17 already.',
  });
});

it('names the node and the operator that cannot follow', () => {
  const m = model({
    opset: 13,
    inputs: [value('x', [2, 3])],
    outputs: [value('y', [2, 2])],
    nodes: [node('Einsum', ['x', 'x'], ['y'], [attr.string('equation', 'ik,jk->ij')], { name: 'similar' })],
  });
  expect(refusal(m, 9)).toMatchObject({
    code: 'bad-recipe',
    hint: 'Einsum cannot be brought to opset 11: the operator came with opset 12 (similar).',
  });
});

it('goes down, and the figures say so', () => {
  const done = refusal(leNetLike({ opset: 17 }), 7);
  expect(done).toMatchObject({ figures: { opset: 7 } });
});
