/** Owns how a job's progress is said: what it does in the screen's language, and the time left. */

import type { Language } from '#shared/base/text.ts';
import type { Job } from '#shared/contract/calls.ts';
import { techniques } from '#shared/techniques/index.ts';
import { doings, words } from './words.ts';

/** "step 2: training" keeps its number; an unknown doing stays as the process said it. */
export function doingText(what: string, language: Language): string {
  if (language === 'en') return what;
  const known = Object.keys(doings).find((k) => what === k || what.endsWith(`: ${k}`) || what.endsWith(` ${k}`));
  if (known === undefined) return what;
  const before = what.slice(0, what.length - known.length).trim();
  return `${before} ${doings[known] ?? known}`.trim();
}

/** 74 -> '1:14' */
export const clockText = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
};

/** What a job is called: its steps, or what it measures; and the model it works on, where that was written down. */
export function namesOf(job: Job, language: Language): { readonly title: string; readonly model: string } {
  const { spec } = job;
  if (spec.kind === 'evaluate') return { title: words.measuring[language], model: spec.data };
  if (spec.kind === 'profile')
    return { title: (spec.versus === undefined ? words.profiling : words.profilingTwo)[language], model: '' };
  if (spec.kind === 'calibrate-machine') return { title: words.calibrating[language], model: '' };
  if (spec.kind === 'compare') return { title: words.comparing[language], model: spec.data ?? '' };
  const on = spec.recipe.steps.filter((s) => s.off !== true);
  const said = on.map((s) => techniques.find((t) => t.id === s.technique)?.title[language] ?? s.technique);
  const model = job.title.includes(' · ') ? (job.title.split(' · ')[0] ?? '') : '';
  return { title: said.join(' + ') || words.copy[language], model };
}

export const going = (job: Job): boolean => job.state === 'running' || job.state === 'waiting';
