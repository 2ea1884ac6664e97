/** Owns the question on closing while jobs run. */

import type { Language } from '#shared/base/text.ts';
import type { Job } from '#shared/contract/calls.ts';
import { words } from './words.ts';

export const isBusy = (jobs: readonly Job[]): boolean =>
  jobs.some((j) => j.state === 'running' || j.state === 'waiting');

export interface Question {
  readonly type: 'question';
  readonly message: string;
  readonly detail: string;
  readonly buttons: string[];
  readonly defaultId: number;
  readonly cancelId: number;
}

const question = (language: Language): Question => ({
  type: 'question',
  message: words.jobsRun[language],
  detail: words.jobsLost[language],
  buttons: [words.stay[language], words.close[language]],
  defaultId: 0,
  cancelId: 0,
});

/**
 * A close handler: lets go at once where nothing runs, else holds the window, asks, and closes it only on the second button.
 * Asking is never stacked: a second attempt while the question stands is held too.
 */
export function closeGuard(parts: {
  jobs(): readonly Job[];
  readonly language: Language;
  ask(question: Question): Promise<number>;
  closeNow(): void;
}): (event: { preventDefault(): void }) => void {
  let asking = false;
  let sure = false;
  return (event) => {
    if (sure || !isBusy(parts.jobs())) return;
    event.preventDefault();
    if (asking) return;
    asking = true;
    void parts.ask(question(parts.language)).then((button) => {
      asking = false;
      if (button !== 1) return;
      sure = true;
      parts.closeNow();
    });
  };
}
