/** Owns the form that starts a run: which data, measured or not. */
import { Gauge, Play } from 'lucide-react';
import { useState } from 'react';
import { useCall, useHost } from '../../host/use-host.tsx';
import { usePreview } from '../../state/preview.ts';
import { activeSteps } from '../../state/results.ts';
import { measureNow, runRecipeNow, useRunPlan } from '../../state/run-plan.ts';
import { useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { useLanguage, useText } from '../../ui/language.ts';
import { Select } from '../../ui/Select.tsx';
import { Switch } from '../../ui/Switch.tsx';
import { showFault } from '../../ui/toast.ts';
import { Preprocessing } from './Preprocessing.tsx';
import { Providers } from './Providers.tsx';
import { words } from './words.ts';

type Choice = 'none' | 'digits' | 'path' | 'folder' | 'dataFile';
const everywhere = ['digits', 'path', 'none'] as const;
/** Where the system has dialogs a folder or file is picked; its path can still be written. */
const withDialogs = ['digits', 'folder', 'dataFile', 'path', 'none'] as const;

export function RunForm() {
  const say = useText();
  const host = useHost();
  const language = useLanguage((s) => s.language);
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const plan = useRunPlan();
  const data = plan.data ?? open?.data ?? '';
  const [asPath, setAsPath] = useState(false);
  const choice: Choice = asPath || (data !== '' && data !== 'digits') ? 'path' : data === '' ? 'none' : 'digits';
  const on = edit.steps.filter((s) => s.step.off !== true).map((s) => s.step);
  const empty = activeSteps({ bantam: 1, steps: on }) === 0;
  const asks = usePreview((p) => p.preview?.steps.some((s) => s.needsData() !== undefined) ?? false);
  const lacking = data === '' && asks;
  const hello = useCall('hello', {});
  const choices: readonly Choice[] =
    hello.state === 'done' && hello.value.capabilities.dialogs ? withDialogs : everywhere;
  const pick = (kind: 'folder' | 'file'): void => {
    host.call('pickData', { kind }).then(
      (path) => path !== null && useRunPlan.setState({ data: path }),
      (thrown: unknown) => showFault(words.notLooked, thrown),
    );
  };
  const choose = (c: Choice): void => {
    if (c === 'folder' || c === 'dataFile') {
      pick(c === 'folder' ? 'folder' : 'file');
      return;
    }
    setAsPath(c === 'path');
    useRunPlan.setState({ data: c === 'digits' ? 'digits' : '' });
  };
  return (
    <section className="run-form" aria-label={say(words.run)}>
      <div className="field-row">
        <span className="muted">{say(words.data)}</span>
        <Select
          label={say(words.data)}
          value={choice}
          options={choices.map((v) => ({ value: v, label: say(words[v]) }))}
          onChange={choose}
        />
      </div>
      {choice === 'path' && (
        <>
          <input
            className="text-input"
            aria-label={say(words.pathLabel)}
            placeholder={say(words.pathHint)}
            value={data}
            onChange={(e) => useRunPlan.setState({ data: e.currentTarget.value })}
          />
          {data === '' && <p className="muted small">{say(words.pathKinds)}</p>}
        </>
      )}
      <Preprocessing data={data} />
      {!empty && (
        <div className="field-row">
          <span className="muted">{say(words.evaluate)}</span>
          <Switch
            label={say(words.evaluate)}
            checked={plan.evaluate}
            onChange={(evaluate) => useRunPlan.setState({ evaluate })}
          />
        </div>
      )}
      <Button
        look="primary"
        icon={empty ? <Gauge /> : <Play />}
        disabled={open === null || lacking || (empty && data === '')}
        onClick={() => void (empty ? measureNow(host) : runRecipeNow(host, language))}
      >
        {say(empty ? words.measureIt : words.runIt)}
      </Button>
      {lacking && <p className="warn small">{say(words.needsData)}</p>}
      {empty && <p className="muted small">{say(data === '' ? words.chooseData : words.noSteps)}</p>}
      {!empty && !lacking && data === '' && plan.evaluate && <p className="muted small">{say(words.noDataNote)}</p>}
      <Providers />
    </section>
  );
}
