/** Owns askGain: cards' questions put to the worker one after another, those of a changed card taken back in time. */
import { modelAsker } from '../../state/ask-model.ts';
import type { OpenModel } from '../../state/document.ts';
import type { Gain, GainRequest } from './gain.ts';

const ask = modelAsker<GainRequest, Gain>(
  () => new Worker(new URL('./gain.worker.ts', import.meta.url), { type: 'module' }),
  { newestOnly: false },
);

/** Asks what a step would give. Returns what takes the question back; the answer then never comes. */
export function askGain(open: OpenModel, request: GainRequest, answer: (gain: Gain) => void): () => void {
  return ask(open, request, (answered) => answer(answered.ok ? answered.value : answered));
}
