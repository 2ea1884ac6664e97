/** Owns the live training curve: losses of training and validation on the left axis, validation accuracy on the right one. */
import {
  CartesianGrid,
  Line,
  LineChart,
  ReferenceDot,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import type { Job } from '#shared/contract/calls.ts';
import { percent, shortNumber } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

type Point = Job['curve'][number] & {
  /** Place on the axis: epochs of several trainings stand one behind the other. */
  readonly at: number;
};

interface Training {
  readonly step: number;
  readonly points: readonly Point[];
  /** What is kept of it: as the step said, else the best on validation so far. undefined: nothing tells. */
  readonly best: Point | undefined;
  /** The step said that no epoch was better than the start. */
  readonly noneBetter: boolean;
}

/** The trainings of a job, each with its best epoch. Validation tells it, never the test split. */
function trainingsOf(points: Job['curve'], steps: Steps): readonly Training[] {
  const all = points.map((p, i): Point => ({ ...p, at: i + 1 }));
  return [...new Set(all.map((p) => p.step ?? 0))].map((step) => {
    const own = all.filter((p) => (p.step ?? 0) === step);
    const told = steps?.[step]?.training?.bestEpoch;
    let best: Point | undefined;
    for (const p of own) if (merit(p) > (best === undefined ? Number.NEGATIVE_INFINITY : merit(best))) best = p;
    const kept = told === undefined ? best : own.find((p) => p.epoch === told);
    return { step, points: own, best: kept, noneBetter: told === 0 };
  });
}

/** What tells epochs apart: accuracy on validation; without labels the loss there. */
const merit = (p: Point): number => p.validation ?? -(p.validationLoss ?? Number.POSITIVE_INFINITY);

type Steps = NonNullable<Job['result']>['steps'];

export interface CurveProps {
  readonly points: Job['curve'];
  /** Of the finished job: they say which epoch was kept. */
  readonly steps: Steps;
}

export default function Curve({ points, steps }: CurveProps) {
  const say = useText();
  const trainings = trainingsOf(points, steps);
  const data = trainings.flatMap((t) => t.points);
  const validated = points.some((p) => typeof p.validationLoss === 'number');
  // Without labels nothing is right or wrong: no accuracy, and no axis for it.
  const scored = points.some((p) => p.validation !== null);
  const epochAt = (at: number): string => String(data[at - 1]?.epoch ?? '');
  const tick = { fontSize: 11, fill: 'var(--muted)' };
  return (
    <figure className="curve" aria-label={say(words.curveAria)}>
      <ResponsiveContainer width="100%" height={130}>
        <LineChart data={data} margin={{ top: 6, right: 0, bottom: 0, left: -18 }}>
          <CartesianGrid stroke="var(--line)" vertical={false} />
          <XAxis
            dataKey="at"
            type="number"
            domain={[1, 'dataMax']}
            tick={tick}
            stroke="var(--line-strong)"
            allowDecimals={false}
            tickFormatter={epochAt}
          />
          <YAxis yAxisId="loss" tick={tick} stroke="transparent" domain={[0, 'auto']} tickFormatter={shortNumber} />
          <YAxis
            yAxisId="share"
            hide={!scored}
            orientation="right"
            tick={tick}
            stroke="transparent"
            width={54}
            domain={[(low: number) => Math.max(0, low - 0.01), (high: number) => Math.min(1, high + 0.01)]}
            tickCount={4}
            tickFormatter={(v: number) => percent(v, 1)}
          />
          <Tooltip
            contentStyle={{
              background: 'var(--raised)',
              border: '1px solid var(--line)',
              borderRadius: 8,
              fontSize: 12,
            }}
            labelFormatter={(at) => epochAt(Number(at))}
            formatter={(v, name) => (name === say(words.validation) ? percent(Number(v)) : shortNumber(Number(v)))}
          />
          {trainings.slice(1).map((t) => (
            <ReferenceLine
              key={t.step}
              yAxisId="loss"
              x={(t.points[0]?.at ?? 1) - 0.5}
              stroke="var(--line-strong)"
              label={{ value: say(words.trainingStep, { n: t.step + 1 }), position: 'insideTopLeft', ...tick }}
            />
          ))}
          {trainings.map(
            ({ best, step }) =>
              best !== undefined && (
                <ReferenceDot
                  key={step}
                  yAxisId={best.validation === null ? 'loss' : 'share'}
                  x={best.at}
                  y={best.validation ?? best.validationLoss ?? best.loss}
                  r={5}
                  fill="var(--warn)"
                  stroke="var(--panel)"
                  strokeWidth={2}
                />
              ),
          )}
          <Line
            yAxisId="loss"
            dataKey="loss"
            name={say(words.loss)}
            stroke="var(--accent)"
            strokeWidth={2}
            dot={points.length < 3}
            isAnimationActive={false}
          />
          {validated && (
            <Line
              yAxisId="loss"
              dataKey="validationLoss"
              name={say(words.validationLoss)}
              stroke="var(--accent)"
              strokeWidth={2}
              strokeDasharray="2 3"
              dot={points.length < 3}
              isAnimationActive={false}
            />
          )}
          <Line
            yAxisId="share"
            dataKey="validation"
            name={say(words.validation)}
            stroke="var(--warn)"
            strokeWidth={2}
            strokeDasharray="5 4"
            dot={points.length < 3}
            isAnimationActive={false}
          />
        </LineChart>
      </ResponsiveContainer>
      <figcaption className="muted small">
        <span className="key loss">{say(words.loss)}</span>
        {validated && <span className="key validation-loss">{say(words.validationLoss)}</span>}
        {scored && <span className="key validation">{say(words.validation)}</span>}
        {trainings.map(({ best, noneBetter, step }) =>
          best === undefined && !noneBetter ? null : (
            <span key={step} className="key best">
              {trainings.length > 1 && `${say(words.trainingStep, { n: step + 1 })}: `}
              {best === undefined
                ? say(words.noneBetter)
                : say(steps === undefined ? words.bestSoFar : words.best, { n: best.epoch })}
            </span>
          ),
        )}
      </figcaption>
    </figure>
  );
}
