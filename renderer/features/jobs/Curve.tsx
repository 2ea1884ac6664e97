/** Owns the live training curve: loss on the left axis, validation accuracy dashed on the right one. */
import { CartesianGrid, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { Job } from '#shared/contract/calls.ts';
import { percent, shortNumber } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

export default function Curve({ points }: { readonly points: Job['curve'] }) {
  const say = useText();
  const tick = { fontSize: 11, fill: 'var(--muted)' };
  return (
    <figure className="curve" aria-label={say(words.curveAria)}>
      <ResponsiveContainer width="100%" height={130}>
        <LineChart data={[...points]} margin={{ top: 6, right: 0, bottom: 0, left: -18 }}>
          <CartesianGrid stroke="var(--line)" vertical={false} />
          <XAxis dataKey="epoch" tick={tick} stroke="var(--line-strong)" allowDecimals={false} />
          <YAxis yAxisId="loss" tick={tick} stroke="transparent" domain={[0, 'auto']} tickFormatter={shortNumber} />
          <YAxis
            yAxisId="share"
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
            formatter={(v, name) => (name === say(words.loss) ? shortNumber(Number(v)) : percent(Number(v)))}
          />
          <Line
            yAxisId="loss"
            dataKey="loss"
            name={say(words.loss)}
            stroke="var(--accent)"
            strokeWidth={2}
            dot={points.length < 3}
            isAnimationActive={false}
          />
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
        <span className="key validation">{say(words.validation)}</span>
      </figcaption>
    </figure>
  );
}
