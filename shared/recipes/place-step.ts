/** Owns where a new step goes in a recipe: float weights are changed and learnt before they are rounded. */
import type { Technique } from '../techniques/declare.ts';
import { techniques } from '../techniques/index.ts';
import type { Step } from './recipe.ts';

const kinds = new Map(techniques.map((t) => [t.id, t]));
/** What rounds the weights for good, and what may follow it. */
const lasts = (t: Technique | undefined): boolean => t?.group === 'quantize' || t?.id === 'change-opset';

/** Index at which a new step of this technique is put: before the first step that quantizes, else at the end. */
export function placeFor(steps: readonly Step[], technique: string): number {
  if (lasts(kinds.get(technique))) return steps.length;
  const first = steps.findIndex((s) => s.off !== true && kinds.get(s.technique)?.group === 'quantize');
  return first < 0 ? steps.length : first;
}

/** The steps with a new one at its place. */
export function withStep(steps: readonly Step[], step: Step): readonly Step[] {
  const at = placeFor(steps, step.technique);
  return [...steps.slice(0, at), step, ...steps.slice(at)];
}
