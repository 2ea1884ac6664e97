/** Owns the way on after a run that cost accuracy: a training step, offered where the recipe has none. */
import { GraduationCap } from 'lucide-react';
import { fieldDefaults } from '#shared/base/fields.ts';
import type { Job } from '#shared/contract/calls.ts';
import { placeFor } from '#shared/recipes/place-step.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { trainsWith } from '#shared/techniques/declare.ts';
import { techniques } from '#shared/techniques/index.ts';
import { stepKey } from '../../state/change.ts';
import { recipeOf } from '../../state/document.ts';
import { sameWithin, speaksFor } from '../../state/results.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

const trainer = techniques.find((t) => t.id === 'train');
const trains = (step: Step): boolean => techniques.some((t) => t.id === step.technique && trainsWith(t, step.params));
/** A technique's defaults as a step's parameters. */
const defaults = (): Step['params'] =>
  Object.fromEntries(
    Object.entries(trainer === undefined ? {} : fieldDefaults(trainer.params)).flatMap(([k, v]) =>
      v === undefined ? [] : [[k, v] as const],
    ),
  );

export function Recover({ job }: { readonly job: Job }) {
  const say = useText();
  const modelId = useDocument((d) => d.open?.modelId);
  const edit = useDocument((d) => d.edit);
  const { evaluation } = job.result ?? {};
  if (trainer === undefined || evaluation === undefined || modelId === undefined) return null;
  const fell = (evaluation.after.top1 ?? 0) < (evaluation.before.top1 ?? 0);
  if (!fell || sameWithin(evaluation.before, evaluation.after)) return null;
  const recipe = recipeOf(edit);
  if (!speaksFor(job, modelId, recipe) || recipe.steps.some(trains)) return null;
  const add = (): void =>
    dispatch({
      type: 'step-added',
      key: stepKey(),
      step: { technique: trainer.id, select: { all: true }, params: defaults() },
      at: placeFor(recipe.steps, trainer.id),
    });
  return (
    <div className="recover">
      <span>{say(words.fell)}</span>
      <Button small icon={<GraduationCap />} onClick={add}>
        {say(words.addTraining)}
      </Button>
    </div>
  );
}
