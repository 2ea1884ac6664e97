/** Owns the figures strip: what the model costs, before -> now, predicted and measured told apart. */
import type { ReactNode } from 'react';
import type { Text } from '#shared/base/text.ts';
import { useHost, useJobs } from '../../host/use-host.tsx';
import { recipeOf } from '../../state/document.ts';
import { useLayerMeasures } from '../../state/measured.ts';
import { paperSaving } from '../../state/paper-saving.ts';
import { usePreview } from '../../state/preview.ts';
import { activeSteps, measuredOf, resultOf } from '../../state/results.ts';
import { measureNow, profileNow, runRecipeNow, useRunPlan } from '../../state/run-plan.ts';
import { useDocument } from '../../state/store.ts';
import { setView } from '../../state/view.ts';
import { useLanguage, useText } from '../../ui/language.ts';
import { CountFigure, counts } from './CountFigure.tsx';
import { DeviceFigure } from './DeviceFigure.tsx';
import { DevicePicker } from './DevicePicker.tsx';
import { useDeviceChoice } from './device-choice.ts';
import { AccuracyFigure, LatencyFigure } from './MeasuredFigures.tsx';
import { words } from './words.ts';
import './cost.css';

const nothing = { before: null, now: null, stale: false } as const;

export function FiguresStrip() {
  const say = useText();
  const host = useHost();
  const language = useLanguage((s) => s.language);
  const jobs = useJobs();
  const preview = usePreview((p) => p.preview);
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const draft = useDocument((d) => d.draft);
  const planned = useRunPlan((p) => p.data);
  const profile = useLayerMeasures((m) => m.profile);
  const device = useDeviceChoice((s) => s.choice);
  const recipe = recipeOf(edit);
  const plain = activeSteps(recipe) === 0;
  const found = open === null ? nothing : measuredOf(jobs, open.modelId, recipe);
  // a step under a slider has been run by nobody
  const measured = draft === null ? found : plain ? { ...found, now: null } : { ...found, stale: found.now !== null };
  // what training or the computed weights decide, only the written file says
  const written =
    open === null || draft !== null || plain ? undefined : resultOf(jobs, open.modelId, recipe)?.result?.after;
  const data = planned ?? open?.data ?? '';
  const act = (): void => {
    if (!plain) void runRecipeNow(host, language);
    else if (data === '') setView({ jobsOpen: true });
    else void measureNow(host);
  };
  const link = (run: () => void, title: Text): ReactNode =>
    open === null || draft !== null ? null : (
      <button type="button" className="link" onClick={run}>
        {say(title)}
      </button>
    );
  const action = link(act, !plain ? words.runFirst : data === '' ? words.noData : words.measure);
  // time needs no data: what the model takes is made up
  const timeAlone = plain && data === '' && open !== null;
  const time = timeAlone ? link(() => void profileNow(host, open.modelId), words.measure) : action;
  const asOpened = measured.before ?? profile;
  const timed = plain ? { ...measured, now: measured.now ?? asOpened } : { ...measured, before: asOpened };
  const changed = !plain || draft !== null;
  const steps = [...recipe.steps.filter((s) => s.off !== true), ...(draft === null ? [] : [draft])];
  const onPaper = [...new Set(steps.flatMap(paperSaving).map((t) => say(t)))];
  return (
    <dl className="strip" aria-label={say(words.strip)}>
      {counts.map((count) => (
        <CountFigure
          key={count.id}
          count={count}
          before={preview?.before ?? null}
          now={preview === null ? null : { ...preview.figures, ...written }}
          readBack={written !== undefined}
        />
      ))}
      {device === null ? (
        <LatencyFigure
          measured={draft === null ? timed : measured}
          changed={changed}
          action={time}
          onPaper={onPaper}
          picker={<DevicePicker />}
        />
      ) : (
        <DeviceFigure choice={device} changed={changed} picker={<DevicePicker />} />
      )}
      <AccuracyFigure measured={measured} changed={changed} action={action} />
    </dl>
  );
}
