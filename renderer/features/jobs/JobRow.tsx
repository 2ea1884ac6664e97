/** Owns one line of the job list: name, bar, state, and the button that fits it. */
import { RotateCcw, Trash2, X } from 'lucide-react';
import type { Job } from '#shared/contract/calls.ts';
import { useDropJob, useHost } from '../../host/use-host.tsx';
import { Button } from '../../ui/Button.tsx';
import { percent } from '../../ui/format.ts';
import { useLanguage, useText } from '../../ui/language.ts';
import { showFault } from '../../ui/toast.ts';
import { clockText, doingText, going, namesOf } from './doing.ts';
import { words } from './words.ts';

export interface JobRowProps {
  readonly job: Job;
  readonly shown: boolean;
  readonly onShow: () => void;
}

export function JobRow({ job, shown, onShow }: JobRowProps) {
  const say = useText();
  const language = useLanguage((s) => s.language);
  const host = useHost();
  const drop = useDropJob();
  const ask = (call: 'cancelJob' | 'resumeJob'): void => {
    host.call(call, { id: job.id }).catch((thrown: unknown) => showFault(words.notDone, thrown));
  };
  const remove = (): void => {
    host.call('removeJob', { id: job.id }).then(
      () => drop(job.id),
      (thrown: unknown) => showFault(words.notDone, thrown),
    );
  };
  const { share, what, secondsLeft } = job.progress;
  const running = job.state === 'running';
  const { title, model } = namesOf(job, language);
  return (
    <li className={`job ${shown ? 'shown' : ''} ${job.state}`} data-state={job.state}>
      <button type="button" className="job-body" aria-pressed={shown} onClick={onShow}>
        <strong title={title}>{title}</strong>
        <span className="muted small">
          {running
            ? [percent(share, 0), doingText(what, language)].join(' · ')
            : [model, say(words[job.state])].filter((s) => s !== '').join(' · ')}
          {running && secondsLeft !== null && ` · ${say(words.left, { time: clockText(secondsLeft) })}`}
        </span>
        {going(job) && (
          <span className="job-bar">
            <span style={{ width: `${share * 100}%` }} />
          </span>
        )}
      </button>
      {going(job) && (
        <Button
          small
          look="quiet"
          icon={<X />}
          label={say(job.progress.training === undefined ? words.cancelPlain : words.cancelKeeps)}
          onClick={() => ask('cancelJob')}
        />
      )}
      {(job.state === 'failed' || job.state === 'cancelled') && (
        <Button
          small
          look="quiet"
          icon={<RotateCcw />}
          label={say(job.spec.kind === 'apply' ? words.goOn : words.resume)}
          onClick={() => ask('resumeJob')}
        />
      )}
      {!going(job) && <Button small look="quiet" icon={<Trash2 />} label={say(words.remove)} onClick={remove} />}
    </li>
  );
}
