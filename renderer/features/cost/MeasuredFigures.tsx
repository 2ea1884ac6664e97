/** Owns the two figures that only a run can give: latency and accuracy, with what each was measured on. */
import type { ReactNode } from 'react';
import type { Evaluation } from '#shared/contract/calls.ts';
import { preprocessText } from '../../state/preprocess-text.ts';
import { type Measured, sameWithin } from '../../state/results.ts';
import { fullCount, milliseconds, percent } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { Tooltip } from '../../ui/Tooltip.tsx';
import { changeText } from './change-text.ts';
import { CalibrateLink, EstimatedLatency } from './EstimatedLatency.tsx';
import { Figure } from './Figure.tsx';
import { machineWords } from './machine-words.ts';
import { useMachine } from './use-machine.ts';
import { words } from './words.ts';

export interface MeasuredFigureProps {
  readonly measured: Measured;
  readonly changed: boolean;
  /** Shown where nothing is measured: the button that does it. */
  readonly action: ReactNode;
}

/** What took its time, whether it was evaluated on data or not. */
type Timed = Pick<Evaluation, 'latencyMs'>;

export interface LatencyFigureProps extends Omit<MeasuredFigureProps, 'measured'> {
  readonly measured: { readonly before: Timed | null; readonly now: Timed | null; readonly stale: boolean };
  /** Sentences on what steps save in the file but not in the kernels that run it. */
  readonly onPaper: readonly string[];
  /** Beside the title: which device the figure is for. */
  readonly picker: ReactNode;
}

function useBadge({ measured }: { readonly measured: LatencyFigureProps['measured'] }): ReactNode {
  const say = useText();
  if (measured.now === null) return undefined;
  return measured.stale ? (
    <Tooltip text={say(words.staleWhy)}>
      <span className="badge warn">{say(words.stale)}</span>
    </Tooltip>
  ) : (
    <span className="badge">{say(words.measured)}</span>
  );
}

/** Latency on this computer: asks for its estimate, so it is mounted only where this computer is the device. */
export function LatencyFigure(p: LatencyFigureProps) {
  const say = useText();
  const state = useBadge(p);
  const machine = useMachine();
  const badgeOf = (measured: ReactNode): ReactNode => (
    <>
      {p.picker}
      {measured}
      {p.onPaper.length > 0 && (
        <Tooltip text={p.onPaper.join(' ')}>
          <span className="badge warn">{say(words.onPaper)}</span>
        </Tooltip>
      )}
    </>
  );
  const badge = badgeOf(state);
  const { before, now, stale } = p.measured;
  const title = say(words.latency);
  const estimate = machine.answer;
  if ((now === null || stale) && estimate !== null && estimate.now !== null)
    return (
      <EstimatedLatency
        before={estimate.before}
        now={estimate.now}
        changed={p.changed}
        because={estimate.because}
        old={machine.old}
        badge={badgeOf(null)}
        action={p.action}
      />
    );
  const action = (
    <>
      {p.action}
      <CalibrateLink machine={machine} beside={p.action !== null} />
    </>
  );
  if (now === null)
    return (
      <Figure
        id="latency"
        title={title}
        badge={badge}
        before={p.changed && before !== null ? milliseconds(before.latencyMs.median) : null}
        now={<span className="unknown">{say(words.notMeasured)}</span>}
        share={null}
        line={action}
      />
    );
  const [a, b] = [before?.latencyMs.median ?? null, now.latencyMs.median];
  const compared = p.changed && a !== null;
  const slower = a !== null && b > a;
  const near = a !== null && Math.max(a, b) < Math.min(a, b) * 1.05;
  const line = !compared ? `p95 ${milliseconds(now.latencyMs.p95)}` : changeText(say, a, b, near);
  return (
    <Figure
      id="latency"
      title={title}
      badge={badge}
      before={compared ? milliseconds(a) : null}
      now={<strong className={stale ? 'stale' : ''}>{milliseconds(b)}</strong>}
      why={[
        say(words.median, { p95: milliseconds(now.latencyMs.p95) }),
        ...(estimate?.now == null
          ? []
          : [
              say(machineWords.beside, {
                ms: milliseconds(estimate.now.ms),
                percent: estimate.now.plusMinusPercent.toFixed(0),
              }),
            ]),
      ].join('; ')}
      share={compared ? b / a : null}
      worse={slower && !near}
      line={stale ? action : line}
    />
  );
}

const half = (e: Evaluation): string =>
  e.interval95 === null ? '?' : ((e.interval95[1] - e.interval95[0]) * 50).toFixed(1);

export function AccuracyFigure(p: MeasuredFigureProps) {
  const say = useText();
  const badge = useBadge(p);
  const { before, now, stale } = p.measured;
  const named = (data: string): string => (data === 'digits' ? say(words.digits) : data);
  const title =
    now === null
      ? say(words.accuracy)
      : `${say(words.accuracy)} · ${say(words.onSamples, { n: fullCount(now.samples), data: named(now.data) })}`;
  if (now === null || now.top1 === null)
    return (
      <Figure
        id="accuracy"
        title={title}
        before={p.changed && before !== null && before.top1 !== null ? percent(before.top1, 2) : null}
        now={<span className="unknown">{say(now === null ? words.notMeasured : words.unknown)}</span>}
        share={null}
        line={now === null ? p.action : say(words.noLabels)}
      />
    );
  const compared = p.changed && before !== null && before.top1 !== null;
  const difference = before?.top1 == null ? 0 : now.top1 - before.top1;
  const points = `${difference < 0 ? '−' : '+'}${Math.abs(difference * 100).toFixed(1)}`;
  const line = !compared
    ? `±${half(now)}`
    : before !== null && sameWithin(before, now)
      ? say(words.noDifference, { half: half(now) })
      : say(words.points, { points, half: half(now) });
  return (
    <Figure
      id="accuracy"
      title={title}
      badge={badge}
      before={compared && before !== null ? percent(before.top1, 2) : null}
      now={<strong className={stale ? 'stale' : ''}>{percent(now.top1, 2)}</strong>}
      why={say(words.interval, {
        top1: percent(now.top1, 2),
        n: fullCount(now.samples),
        split: now.split,
        data: named(now.data),
        preprocess: preprocessText(now.preprocess),
        from: percent(now.interval95?.[0] ?? null, 2),
        to: percent(now.interval95?.[1] ?? null, 2),
      })}
      share={compared ? now.top1 : null}
      worse={compared && difference < 0 && before !== null && !sameWithin(before, now)}
      line={stale ? p.action : line}
    />
  );
}
