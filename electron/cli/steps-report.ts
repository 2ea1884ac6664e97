/** Owns how the steps of a recipe are told: what each took, what it could not take and why, and its notes. */
import { inLanguage, type Said } from '#shared/base/text.ts';

export interface StepTold {
  readonly technique: string;
  readonly layers: readonly { readonly id: string; readonly taken: boolean; readonly what: Said }[];
  readonly notes: readonly { readonly en: string }[];
}

export function stepsText(steps: readonly StepTold[]): string {
  return steps
    .map((s, i) => {
      const taken = s.layers.filter((l) => l.taken);
      const left = s.layers.filter((l) => !l.taken);
      const what = s.layers.length === 0 ? 'the whole model' : `${taken.length} of ${s.layers.length} layers`;
      const lines = [`step ${i + 1}: ${s.technique}, ${what}`];
      for (const l of taken) lines.push(`  ${l.id}: ${inLanguage(l.what, 'en')}`);
      for (const l of left) lines.push(`  ${l.id}: not taken, ${inLanguage(l.what, 'en')}`);
      for (const n of s.notes) lines.push(`  note: ${n.en}`);
      return lines.join('\n');
    })
    .join('\n');
}

/** Layers with what became of them in English, as the command line tells them. */
export const layersTold = (layers: StepTold['layers']) =>
  layers.map((l) => ({ id: l.id, taken: l.taken, what: inLanguage(l.what, 'en') }));
