/** Owns what is shown of one job: its result or fault, the live curve, the log, and what can be done with it. */
import { FolderOpen, GitCompare, Share, Undo2 } from 'lucide-react';
import { lazy, Suspense } from 'react';
import type { Job } from '#shared/contract/calls.ts';
import { useHost } from '../../host/use-host.tsx';
import { recipeOf } from '../../state/document.ts';
import { speaksFor } from '../../state/results.ts';
import { startJob, useRunPlan } from '../../state/run-plan.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { setView } from '../../state/view.ts';
import { Button } from '../../ui/Button.tsx';
import { milliseconds, percent, shortNumber } from '../../ui/format.ts';
import { useFault, useLanguage, useSaid, useText } from '../../ui/language.ts';
import { CompareResult } from './CompareResult.tsx';
import { clockText, doingText, going } from './doing.ts';
import { ProfileResult } from './ProfileResult.tsx';
import { Recover } from './Recover.tsx';
import { Provenance, ResultTable } from './ResultTable.tsx';
import { Slower } from './Slower.tsx';
import { Stages } from './Stages.tsx';
import { words } from './words.ts';

// charts are large and seldom first: loaded when there is a curve
const Curve = lazy(() => import('./Curve.tsx'));

export interface JobDetailProps {
  readonly job: Job;
  readonly onOpen: (modelId: string, name: string) => void;
}

const fileName = (job: Job): string => (job.title.split(' · ')[0] ?? 'model').replace(/\.onnx$/i, '');

function Actions({ job, onOpen }: JobDetailProps) {
  const say = useText();
  const host = useHost();
  const modelId = useDocument((d) => d.open?.modelId);
  const edit = useDocument((d) => d.edit);
  const { spec } = job;
  const result = job.result?.modelId;
  if (spec.kind !== 'apply' || result === undefined) return null;
  const name = `${fileName(job)}-light`;
  const compare = (): void => {
    void startJob(host, {
      kind: 'compare',
      a: spec.modelId,
      b: result,
      ...(spec.data === undefined ? {} : { data: spec.data }),
      ...(spec.recipe.preprocess === undefined ? {} : { preprocess: spec.recipe.preprocess }),
    });
  };
  const other = modelId === spec.modelId && !speaksFor(job, spec.modelId, recipeOf(edit));
  return (
    <div className="job-actions">
      <Button
        small
        look="primary"
        icon={<Share />}
        onClick={() => {
          useRunPlan.setState({ exported: { modelId: result, name } });
          setView({ dialog: 'export' });
        }}
      >
        {say(words.export)}
      </Button>
      <Button small icon={<FolderOpen />} onClick={() => onOpen(result, name)}>
        {say(words.openResult)}
      </Button>
      <Button small icon={<GitCompare />} onClick={compare}>
        {say(words.compare)}
      </Button>
      {other && (
        <Button small icon={<Undo2 />} onClick={() => dispatch({ type: 'recipe-replaced', recipe: spec.recipe })}>
          {say(words.recipeBack)}
        </Button>
      )}
    </div>
  );
}

function Going({ job }: { readonly job: Job }) {
  const say = useText();
  const language = useLanguage((s) => s.language);
  const { share, what, secondsLeft, training } = job.progress;
  return (
    <div className="job-going">
      <strong>{job.state === 'waiting' ? say(words.waiting) : doingText(what, language)}</strong>
      <span className="job-bar">
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span className="muted small">
        {percent(share, 0)}
        {secondsLeft !== null && ` · ${say(words.left, { time: clockText(secondsLeft) })}`}
        {training !== undefined &&
          ` · ${say(words.epochOf, { n: training.epoch, all: training.epochs, loss: shortNumber(training.loss) })}`}
      </span>
    </div>
  );
}

export function JobDetail(p: JobDetailProps) {
  const say = useText();
  const { job } = p;
  const { result } = job;
  const inWords = useFault();
  const said = useSaid();
  const fault = job.fault === undefined ? undefined : inWords(job.fault);
  const single = result?.single;
  const refused =
    result?.steps?.flatMap((s, i) =>
      s.layers.filter((l) => !l.taken).map((l) => ({ ...l, key: `${i} ${l.id}`, step: i + 1 })),
    ) ?? [];
  return (
    <div className="job-detail">
      <div className="job-main">
        {fault !== undefined && (
          <div className="job-fault" role="alert">
            <strong>{fault.message}</strong>
            {fault.where !== undefined && <span className="mono">{fault.where}</span>}
            {fault.hint !== undefined && <span className="muted">{fault.hint}</span>}
          </div>
        )}
        {going(job) && <Going job={job} />}
        <Actions {...p} />
        <Recover job={job} />
        {(result?.evaluation !== undefined || result?.browser != null) && <Slower job={job} />}
        {result !== undefined && <ResultTable result={result} />}
        <Stages job={job} />
        {single !== undefined && (
          <dl className="facts">
            <div>
              <dt className="muted">{say(words.accuracy)}</dt>
              <dd>
                <strong>{percent(single.top1, 2)}</strong>
              </dd>
            </div>
            <div>
              <dt className="muted">{say(words.latency)}</dt>
              <dd>
                {milliseconds(single.latencyMs.median)} (p95 {milliseconds(single.latencyMs.p95)})
              </dd>
            </div>
          </dl>
        )}
        {single !== undefined && <Provenance of={single} />}
        {result?.profile !== undefined && <ProfileResult profile={result.profile} />}
        {result?.comparison !== undefined && <CompareResult comparison={result.comparison} />}
        {refused.length > 0 && (
          <details className="small">
            <summary className="muted">{say(words.refused, { n: refused.length })}</summary>
            <ul>
              {refused.map((l) => (
                <li key={l.key}>
                  {l.step}. <span className="mono">{l.id}</span> <span className="muted">{said(l.what)}</span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
      <div className="job-side">
        {job.curve.length > 0 && (
          <Suspense fallback={null}>
            <h3 className="section-title">{say(words.curve)}</h3>
            <Curve points={job.curve} steps={result?.steps} />
          </Suspense>
        )}
        {job.log.length > 0 && (
          <>
            <h3 className="section-title">{say(words.log)}</h3>
            <pre className="job-log">{job.log.join('\n')}</pre>
          </>
        )}
      </div>
    </div>
  );
}
