/** Owns the recipe panel: the steps like layers in a picture editor, and the button that runs them. */
import { Play } from 'lucide-react';
import { useState } from 'react';
import { trainsWith } from '#shared/techniques/declare.ts';
import { targetRuntimes } from '#shared/techniques/storage-target.ts';
import { useHost } from '../../host/use-host.tsx';
import type { KeyedStep } from '../../state/document.ts';
import { type PreviewState, usePreview } from '../../state/preview.ts';
import { runRecipeNow } from '../../state/run-plan.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { useLanguage, useText } from '../../ui/language.ts';
import { Select } from '../../ui/Select.tsx';
import { RecipeMenu } from './RecipeMenu.tsx';
import { type StepOutcome, StepRow } from './StepRow.tsx';
import { deltaOf, techniqueFor } from './step-text.ts';
import { words } from './words.ts';
import './recipe.css';

/** What the preview says of the recipe's step at `index`: it stops before the first that fails. */
function outcomeAt(index: number, keyed: KeyedStep, p: PreviewState, firstMissing: number): StepOutcome {
  if (keyed.step.off === true) return { kind: 'off' };
  const { preview, fault, faultInDraft } = p;
  const at = preview?.steps.findIndex((s) => s.index === index) ?? -1;
  const step = preview?.steps[at];
  if (preview !== null && step !== undefined) {
    const before = preview.steps[at - 1]?.figures ?? preview.before;
    const technique = techniqueFor(keyed.step);
    return {
      kind: 'done',
      delta: deltaOf(before, step.figures),
      learns: technique !== undefined && trainsWith(technique, keyed.step.params),
    };
  }
  if (fault !== null && !faultInDraft && fault.code !== 'no-data' && index === firstMissing)
    return { kind: 'fault', fault };
  return { kind: 'waiting' };
}

export function RecipePanel() {
  const say = useText();
  const host = useHost();
  const language = useLanguage((s) => s.language);
  const steps = useDocument((d) => d.edit.steps);
  const focused = useDocument((d) => d.focusedStep);
  const target = useDocument((d) => d.edit.target?.runtime ?? 'onnxruntime');
  const preview = usePreview();
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const seen = new Set(preview.preview?.steps.map((s) => s.index));
  const firstMissing = steps.findIndex((s, i) => s.step.off !== true && !seen.has(i));
  const active = steps.filter((s) => s.step.off !== true).length;
  const place = (key: string | null): number => steps.findIndex((s) => s.key === key);
  const drop = (): void => {
    if (dragged !== null && over !== null && dragged !== over)
      dispatch({ type: 'step-moved', key: dragged, to: place(over) });
    setDragged(null);
    setOver(null);
  };
  return (
    <div className="panel-body recipe">
      <div className="field-row">
        <h2 className="section-title">{say(words.recipe)}</h2>
        <RecipeMenu />
      </div>
      {steps.length === 0 && (
        <div className="recipe-empty">
          <strong>{say(words.empty)}</strong>
          <p className="muted small">{say(words.hint)}</p>
        </div>
      )}
      <ol className="steps" onDrop={drop}>
        {steps.map((keyed, i) => (
          <StepRow
            key={keyed.key}
            keyed={keyed}
            number={i + 1}
            focused={focused === keyed.key}
            dragged={dragged === keyed.key}
            drop={
              dragged !== null && over === keyed.key && dragged !== over
                ? place(dragged) < i
                  ? 'after'
                  : 'before'
                : null
            }
            outcome={outcomeAt(i, keyed, preview, firstMissing)}
            onDrag={(key) => {
              setDragged(key);
              if (key === null) setOver(null);
            }}
            onOver={setOver}
          />
        ))}
      </ol>
      {steps.length > 0 && (
        <div className="field-row">
          <span className="muted">{say(words.target)}</span>
          <Select
            label={say(words.target)}
            value={target}
            options={targetRuntimes.map((value) => ({
              value,
              label: say(value === 'onnxruntime' ? words.native : words.browser),
            }))}
            onChange={(runtime) => dispatch({ type: 'runtime-set', runtime })}
          />
        </div>
      )}
      {steps.length > 0 && (
        <Button
          look="primary"
          icon={<Play />}
          disabled={active === 0}
          title={say(words.runHint)}
          onClick={() => void runRecipeNow(host, language)}
        >
          {say(words.run)}
        </Button>
      )}
    </div>
  );
}
