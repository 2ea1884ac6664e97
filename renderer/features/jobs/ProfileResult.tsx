/** Owns what a profile says: the whole model's time, the layers that take most of it, memory, and against a second model. */
import type { Profile } from '#shared/contract/profile.ts';
import { layerTime, milliseconds, percent, ratio, shortBytes } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

const shown = 12;

/** "1.4× faster (1.3× to 1.5×)", or that none is seen. */
export function VersusLine({ versus }: { readonly versus: NonNullable<Profile['versus']> }) {
  const say = useText();
  const { verdict, interval95 } = versus;
  const [low, high] = interval95;
  const slower = verdict === 'slower';
  const said = {
    faster: () => say(words.versusFaster, { by: ratio(1, versus.ratio), from: ratio(1, high), to: ratio(1, low) }),
    slower: () => say(words.versusSlower, { by: ratio(versus.ratio, 1), from: ratio(low, 1), to: ratio(high, 1) }),
    'no difference': () => say(words.versusSame, { from: low.toFixed(2), to: high.toFixed(2) }),
  }[verdict]();
  return <p className={slower ? 'said warn' : 'said'}>{said}</p>;
}

export function ProfileResult({ profile: p }: { readonly profile: Profile }) {
  const say = useText();
  const layers = [...(p.trace?.layers ?? [])].sort((a, b) => b.ms - a.ms).slice(0, shown);
  const facts = [
    { name: words.latency, value: `${milliseconds(p.latencyMs.median)} (p95 ${milliseconds(p.latencyMs.p95)})` },
    { name: words.startUp, value: milliseconds(p.startUpMs.open + p.startUpMs.firstRun) },
    { name: words.resident, value: p.residentBytes === null ? '?' : shortBytes(p.residentBytes) },
    { name: words.activations, value: shortBytes(p.memory.runtimeOrder ?? p.memory.fileOrder) },
  ];
  return (
    <>
      {p.fellBack !== null && <p className="said warn">{say(words.fellBack, { ...p.fellBack, on: p.provider })}</p>}
      {p.versus !== undefined && <VersusLine versus={p.versus} />}
      <dl className="facts">
        {facts.map((f) => (
          <div key={f.name.en}>
            <dt className="muted">{say(f.name)}</dt>
            <dd>{f.value}</dd>
          </div>
        ))}
      </dl>
      {layers.length > 0 && (
        <table className="result-table">
          <caption className="muted small">{say(words.slowestCaption)}</caption>
          <thead>
            <tr>
              <th scope="col" className="first">
                {say(words.layer)}
              </th>
              <th scope="col">{say(words.time)}</th>
              <th scope="col">{say(words.ofAll)}</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((l, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the runtime's own kernels repeat their names
              <tr key={`${l.name} ${i}`}>
                <th scope="row" className="mono">
                  {l.op} {l.name}
                </th>
                <td>{layerTime(l.ms, l.belowResolution)}</td>
                <td>{percent(l.ms / p.latencyMs.median, 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="muted small">
        {p.runtime} · {p.provider} · {p.threads === null ? say(words.allThreads) : say(words.threads, { n: p.threads })}{' '}
        · {say(words.runs, { n: p.latencyMs.runs })}
      </p>
    </>
  );
}
