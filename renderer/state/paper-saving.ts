/** Owns paperSaving: what a step saves in the file but not in the kernels that run it. */
import { type FieldValues, fieldDefaults } from '#shared/base/fields.ts';
import type { Text } from '#shared/base/text.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { techniques } from '#shared/techniques/index.ts';

/** The step's parameters, with the defaults of what it leaves open. */
export function valuesOf(step: Step): FieldValues {
  const technique = techniques.find((t) => t.id === step.technique);
  return technique === undefined ? step.params : { ...fieldDefaults(technique.params), ...step.params };
}

export function paperSaving(step: Step): readonly Text[] {
  const said = techniques.find((t) => t.id === step.technique)?.onPaper?.(valuesOf(step));
  return said === undefined ? [] : [said];
}
