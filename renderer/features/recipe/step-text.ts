/** Owns the short lines about a step: what it is told to do, on what, and what it alone changed. */
import type { Figures } from '#shared/analysis/figures.ts';
import type { Field } from '#shared/base/fields.ts';
import type { Select, Step } from '#shared/recipes/recipe.ts';
import type { Technique } from '#shared/techniques/declare.ts';
import { techniques } from '#shared/techniques/index.ts';
import { percent, ratio, shortNumber } from '../../ui/format.ts';
import type { Say } from '../../ui/language.ts';
import { words } from './words.ts';

export const techniqueFor = (step: Step): Technique | undefined => techniques.find((t) => t.id === step.technique);

export const titleOf = (step: Step, say: Say): string => {
  const found = techniqueFor(step);
  return found === undefined ? step.technique : say(found.title);
};

export function selectText(select: Select, say: Say): string {
  if ('all' in select) return say(words.all);
  if ('op' in select) return select.op;
  if ('query' in select) return `“${select.query}”`;
  return select.names.length === 1 ? (select.names[0] ?? '') : say(words.layers, { n: select.names.length });
}

/** What is worth saying of one parameter in a short line: a knob's value, a choice that is not the default. */
function paramText(field: Field, value: Step['params'][string], knob: boolean, say: Say): string | null {
  if (field.kind === 'choice') {
    const option = field.options.find((o) => o.value === value);
    return option === undefined || value === field.default ? null : say(option.label);
  }
  if (field.kind !== 'number' || typeof value !== 'number' || !knob) return null;
  return field.unit === 'share' ? percent(value, 0) : `${say(field.label)} ${shortNumber(value)}`;
}

/** The parameters that say most, of those that count. */
export function paramsText(step: Step, say: Say): readonly string[] {
  const technique = techniqueFor(step);
  if (technique === undefined) return [];
  const said: string[] = [];
  for (const [name, field] of Object.entries(technique.params)) {
    const value = step.params[name];
    if (value === undefined) continue;
    if (field.when !== undefined && !field.when.is.includes(step.params[field.when.field] ?? '')) continue;
    const words = paramText(field, value, technique.knobs.includes(name), say);
    if (words !== null) said.push(words);
  }
  return said;
}

export interface Delta {
  readonly ratio: string;
  readonly of: 'macs' | 'file' | 'parameters';
  readonly worse: boolean;
}

/** The figure that this step alone moved most, as a ratio; null: it moved none. */
export function deltaOf(before: Figures, after: Figures): Delta | null {
  const pairs = [
    ['macs', before.macs, after.macs],
    ['file', before.fileBytes, after.fileBytes],
    ['parameters', before.parameters, after.parameters],
  ] as const;
  let best: Delta | null = null;
  let size = 0;
  for (const [of, a, b] of pairs) {
    if (a === null || b === null || a === b || a === 0 || b === 0) continue;
    const weight = Math.abs(Math.log(a / b));
    if (weight > size && weight > 0.005) {
      best = { ratio: ratio(a, b), of, worse: b > a };
      size = weight;
    }
  }
  return best;
}
