/** Owns a recipe's target: the opset that its result shall have, and the runtime that is to load it. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { type Model, opsetVersion } from '../ir/model.ts';
import { asWritten } from '../onnx/as-written.ts';
import type { TargetRuntime } from '../techniques/storage-target.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import type { Recipe } from './recipe.ts';

/** One conversion per model version, so that what is remembered of its steps stays true. */
const raised = new WeakMap<Model, Map<number, Model>>();

const inLayout = new WeakMap<Model, Model>();

/** In the layout of what will be saved, so that figures foretell those files. The same object for the same model. */
function laidOut(model: Model): Model {
  const known = inLayout.get(model) ?? asWritten(model);
  inLayout.set(model, known);
  return known;
}

/**
 * The model that the first step is handed: raised to `target.opset` where it is lower, laid out as it will be saved. Faults: `bad-recipe` where the model is
 * above it already; those of `convertOpset`.
 */
export function towardsTarget(given: Model, recipe: Recipe): Model {
  const model = laidOut(given);
  const to = recipe.target?.opset;
  const from = opsetVersion(model);
  if (to === undefined || from === undefined || from === to) return model;
  if (from > to)
    throw new Fault(
      'bad-recipe',
      text(`the model has opset ${from}, the target is ${to}`, `모델의 opset은 ${from}인데 목표는 ${to}입니다`),
      {
        where: 'recipe: target.opset',
        hint: text(
          'A target only raises. Leave it out, and lower the opset with the technique change-opset.',
          '목표는 올리기만 합니다. 목표를 빼고 change-opset 기법으로 opset을 낮추세요.',
        ),
      },
    );
  const known = raised.get(model) ?? new Map<number, Model>();
  raised.set(model, known);
  const aimed = known.get(to) ?? convertOpset(model, to);
  known.set(to, aimed);
  return aimed;
}

/** The target as a step's settings take it. */
export const targetOf = ({ target }: Recipe): { readonly runtime?: TargetRuntime; readonly opsetLimit?: number } => ({
  ...(target?.runtime === undefined ? {} : { runtime: target.runtime }),
  ...(target?.opset === undefined ? {} : { opsetLimit: target.opset }),
});

/** Faults `bad-recipe` where a step must raise the model above the target. */
export function checkStepOpset(recipe: Recipe, technique: string, number: number, opset: number | undefined): void {
  const limit = recipe.target?.opset;
  if (limit === undefined || opset === undefined || opset <= limit) return;
  throw new Fault(
    'bad-recipe',
    text(
      `${technique} needs opset ${opset}, the target is ${limit}`,
      `${technique}에는 opset ${opset}이(가) 필요한데 목표는 ${limit}입니다`,
    ),
    {
      where: text(`step ${number} (${technique})`, `단계 ${number}(${technique})`),
      hint: text('Raise target.opset, or choose other parameters.', 'target.opset을 올리거나 다른 값을 고르세요.'),
    },
  );
}
