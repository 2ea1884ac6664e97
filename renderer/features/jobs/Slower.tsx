/** Owns what is said where a result is smaller but not faster on this machine: the reason, a sure measurement, and the fast way. */
import { Gauge, Zap } from 'lucide-react';
import type { Job } from '#shared/contract/calls.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { useHost, useJobs } from '../../host/use-host.tsx';
import { recipeOf } from '../../state/document.ts';
import { paperSaving, valuesOf } from '../../state/paper-saving.ts';
import { speaksFor } from '../../state/results.ts';
import { profileNow } from '../../state/run-plan.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { milliseconds, ratio } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { VersusLine } from './ProfileResult.tsx';
import { words } from './words.ts';

const storesOnly = new Set(['share-weights', 'float16', 'binarize']);
/** Whether static 8 bits could stand in this step's place: it only stores weights differently, or rounds while it runs. */
const canBeStatic = (step: Step): boolean =>
  step.off !== true &&
  (storesOnly.has(step.technique) || (step.technique === 'quantize' && valuesOf(step).mode !== 'static'));

/** The same step as static 8 bit, which int8 kernels compute. */
const asStatic = (step: Step): Step => ({
  ...step,
  technique: 'quantize',
  params: step.technique === 'quantize' ? { ...step.params, mode: 'static' } : { mode: 'static' },
});

export function Slower({ job }: { readonly job: Job }) {
  const say = useText();
  const host = useHost();
  const jobs = useJobs();
  const modelId = useDocument((d) => d.open?.modelId);
  const edit = useDocument((d) => d.edit);
  const { spec, result } = job;
  const made = result?.modelId;
  if (spec.kind !== 'apply' || made === undefined) return null;
  const inTurn = jobs.find(
    (j) => j.spec.kind === 'profile' && j.spec.modelId === spec.modelId && j.spec.versus === made,
  );
  const versus = inTurn?.result?.profile?.versus;
  const times = result?.evaluation;
  // single timings of two runs scatter: only a clear loss is spoken of before both were measured in turn
  const seemsSlower = times !== undefined && times.after.latencyMs.median > times.before.latencyMs.median * 1.1;
  const smaller = (result?.after?.fileBytes ?? 0) < (result?.before?.fileBytes ?? 0);
  const there = result?.browser?.latencyMs ?? null;
  const slowThere = there !== null && there.before !== null && there.after > there.before * 1.1;
  const slowHere = versus === undefined ? seemsSlower : versus.verdict === 'slower';
  const slow = slowHere || slowThere;
  const busy = inTurn !== undefined && (inTurn.state === 'running' || inTurn.state === 'waiting');
  const active = spec.recipe.steps.filter((s) => s.off !== true);
  const reasons = active.flatMap(paperSaving);
  // what the steps said of themselves when they ran stands in where no technique promises it
  const notes = reasons.length > 0 ? reasons : (result?.steps ?? []).flatMap((s) => s.notes).slice(0, 2);
  const current = modelId !== undefined && speaksFor(job, modelId, recipeOf(edit));
  const heavy = current ? edit.steps.find((k) => canBeStatic(k.step)) : undefined;
  return (
    <div className={slow && smaller ? 'slower recover' : 'slower'} data-slower={slow && smaller}>
      {slow && smaller && (
        <span>
          <strong>
            {slowHere
              ? say(versus === undefined ? words.seemsSlower : words.slower, {
                  by:
                    versus !== undefined
                      ? ratio(versus.ratio, 1)
                      : ratio(times?.after.latencyMs.median ?? 1, times?.before.latencyMs.median ?? 1),
                })
              : say(words.slowerThere, { by: ratio(there?.after ?? 1, there?.before ?? 1) })}
          </strong>{' '}
          {notes.length === 0 ? say(words.noFastKernel) : [...new Set(notes.map((r) => say(r)))].join(' ')}
        </span>
      )}
      {there !== null && (
        <span>
          {say(words.inBrowser, {
            runtime: result?.browser?.runtime ?? '',
            after: milliseconds(there.after),
            before: there.before === null ? '–' : milliseconds(there.before),
          })}
        </span>
      )}
      {versus !== undefined && <VersusLine versus={versus} />}
      <span className="slower-acts">
        {slow && smaller && heavy !== undefined && (
          <Button
            small
            icon={<Zap />}
            onClick={() => dispatch({ type: 'step-edited', key: heavy.key, step: asStatic(heavy.step) })}
          >
            {say(words.makeStatic)}
          </Button>
        )}
        {versus === undefined && (
          <Button small icon={<Gauge />} disabled={busy} onClick={() => void profileNow(host, spec.modelId, made)}>
            {say(busy ? words.measuringInTurn : words.measureInTurn)}
          </Button>
        )}
      </span>
    </div>
  );
}
