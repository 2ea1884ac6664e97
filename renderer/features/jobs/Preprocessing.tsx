/** Owns the choice of how samples become the model's input: what is taken, and what does how well on a few samples. */
import { ScanSearch } from 'lucide-react';
import { useState } from 'react';
import type { CallOutput } from '#shared/contract/calls.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';
import { useHost } from '../../host/use-host.tsx';
import { preprocessText } from '../../state/preprocess-text.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { fullCount, percent } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { showFault } from '../../ui/toast.ts';
import { words } from './words.ts';

type Look = CallOutput<'lookAtData'>;

/** The same numbers, whatever the order of the keys. */
const same = (a: Preprocess | undefined, b: Preprocess): boolean =>
  a !== undefined &&
  preprocessText(a) === preprocessText(b) &&
  JSON.stringify([a.scale, a.mean, a.std]) === JSON.stringify([b.scale, b.mean, b.std]);

export function Preprocessing({ data }: { readonly data: string }) {
  const say = useText();
  const host = useHost();
  const open = useDocument((d) => d.open);
  const chosen = useDocument((d) => d.edit.preprocess);
  const [looked, setLooked] = useState<{ readonly of: string; readonly look: Look } | null>(null);
  const [busy, setBusy] = useState(false);
  if (open === null || data === '') return null;
  const key = `${open.modelId} ${data}`;
  const look = looked?.of === key ? looked.look : null;
  const taken = chosen ?? open.preprocess;
  const from = chosen !== undefined ? words.preChosen : open.preprocess !== undefined ? words.preCard : words.preAuto;
  const see = (): void => {
    setBusy(true);
    host
      .call('lookAtData', { modelId: open.modelId, data })
      .then(
        (found) => setLooked({ of: key, look: found }),
        (thrown: unknown) => showFault(words.notLooked, thrown),
      )
      .finally(() => setBusy(false));
  };
  const choose = (preprocess: Preprocess | undefined): void => dispatch({ type: 'preprocess-set', preprocess });
  return (
    <div className="preprocessing">
      <div className="field-row">
        <span className="muted">{say(words.preprocessing)}</span>
        <span className="small" data-preprocess={chosen === undefined ? 'default' : 'chosen'}>
          {taken === undefined ? say(from) : `${preprocessText(taken)} · ${say(from)}`}
        </span>
      </div>
      <Button small icon={<ScanSearch />} disabled={busy} onClick={see}>
        {say(busy ? words.looking : words.look)}
      </Button>
      {look !== null && (
        <>
          <p className="muted small">
            {say(look.labelled ? words.holds : words.holdsNone, {
              classes: fullCount(look.classes),
              train: fullCount(look.counts.train),
              validation: fullCount(look.counts.validation),
              test: fullCount(look.counts.test),
            })}
          </p>
          {look.proposals.length === 0 ? (
            <p className="muted small">{say(words.noProposals)}</p>
          ) : (
            <fieldset className="proposals">
              <legend className="small muted">
                {say(words.onTraining, { n: fullCount(look.proposals[0]?.samples ?? 0) })}
              </legend>
              {look.proposals.map((p) => (
                <label key={p.name} className="proposal" title={preprocessText(p.preprocess)}>
                  <input
                    type="radio"
                    name="preprocess"
                    checked={same(taken, p.preprocess)}
                    onChange={() => choose(p.preprocess)}
                  />
                  <span>{p.name}</span>
                  <span className="muted small ellipsis">{preprocessText(p.preprocess)}</span>
                  <strong>{percent(p.top1, 0)}</strong>
                </label>
              ))}
            </fieldset>
          )}
        </>
      )}
      {chosen !== undefined && (
        <Button small look="quiet" onClick={() => choose(undefined)}>
          {say(open.preprocess === undefined ? words.preBackAuto : words.preBack)}
        </Button>
      )}
    </div>
  );
}
