/** Owns where measuring runs: the runtime's execution providers on this machine, those that do not work with their reason. */
import { useState } from 'react';
import { useCall } from '../../host/use-host.tsx';
import { useRunPlan } from '../../state/run-plan.ts';
import { useText } from '../../ui/language.ts';
import { Select } from '../../ui/Select.tsx';
import { words } from './words.ts';

function List() {
  const say = useText();
  const found = useCall('runtimes', {});
  const chosen = useRunPlan((p) => p.provider);
  if (found.state === 'waiting') return <p className="muted small">{say(words.providersTrying)}</p>;
  if (found.state === 'fault') return <p className="warn small">{found.fault.message}</p>;
  const { runtime, providers } = found.value;
  const working = providers.filter((p) => p.works);
  return (
    <>
      <div className="field-row">
        <span className="muted">{say(words.measureOn)}</span>
        <Select
          label={say(words.measureOn)}
          value={chosen}
          options={working.map((p) => ({ value: p.id, label: p.title }))}
          onChange={(provider) => useRunPlan.setState({ provider })}
        />
      </div>
      <p className="muted small">{runtime}</p>
      <ul className="providers small">
        {providers.map((p) => (
          <li key={p.id}>
            <strong>{p.title}</strong>{' '}
            {p.works ? say(words.providerWorks) : say(words[p.inBuild ? 'providerFails' : 'providerNotBuilt'])}
            {p.inBuild && p.reason !== null && <span className="muted mono"> {p.reason}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Nothing is tried before somebody looks: each try starts the provider's driver. */
export function Providers() {
  const say = useText();
  const [open, setOpen] = useState(false);
  return (
    <details className="small" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{say(words.providers)}</summary>
      {open && <List />}
    </details>
  );
}
