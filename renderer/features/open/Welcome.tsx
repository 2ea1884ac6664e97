/** Owns what stands in the canvas while nothing is open: samples as cards, and where to drop a file. */
import { useCall, useHost } from '../../host/use-host.tsx';
import { Button } from '../../ui/Button.tsx';
import { shortBytes } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { openHeld, openSample, useOpening } from './open-model.ts';
import { words } from './words.ts';

export function Welcome() {
  const say = useText();
  const host = useHost();
  const hello = useCall('hello', {});
  const recent = useCall('recentModels', {});
  const opening = useOpening((s) => s.name);
  if (opening !== null) return <p className="welcome muted">{say(words.opening, { name: opening })}</p>;
  return (
    <div className="welcome">
      <h1>{say(words.welcome)}</h1>
      <p className="muted">{say(words.lead)}</p>
      <div className="welcome-samples">
        {hello.state === 'done' &&
          hello.value.samples.map((s) => (
            <button
              key={s.id}
              type="button"
              className="card welcome-sample"
              onClick={() => void openSample(host, s.id, s.title)}
            >
              <strong>{s.title}</strong>
              <span className="muted small">{s.note}</span>
              <span className="small">{shortBytes(s.fileBytes)}</span>
            </button>
          ))}
      </div>
      {hello.state === 'waiting' && <p className="muted">{say(words.waiting)}</p>}
      <Button look="primary" onClick={() => document.getElementById('open-file')?.click()}>
        {say(words.openFile)}
      </Button>
      <p className="muted small">{say(words.drop)}</p>
      {recent.state === 'done' && recent.value.length > 0 && (
        <p className="small">
          <span className="muted">{say(words.recent)}: </span>
          {recent.value.slice(0, 5).map((m) => (
            <button
              key={m.modelId}
              type="button"
              className="link"
              onClick={() => void openHeld(host, m.modelId, m.name)}
            >
              {m.name}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}
