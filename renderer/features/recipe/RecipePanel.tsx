/** Owns the recipe panel: the steps like layers in a picture editor. */
import { text } from '#shared/base/text.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { useText } from '../../ui/language.ts';
import { Switch } from '../../ui/Switch.tsx';

const words = {
  recipe: text('Recipe', '레시피'),
  empty: text(
    'No steps yet. Select layers and choose a technique on the right.',
    '아직 단계가 없습니다. 레이어를 고르고 오른쪽에서 기법을 선택하세요.',
  ),
  on: text('Step on', '단계 켜기'),
} as const;

export function RecipePanel() {
  const say = useText();
  const steps = useDocument((d) => d.edit.steps);
  return (
    <div className="panel-body">
      <h2 className="section-title">{say(words.recipe)}</h2>
      {steps.length === 0 && <p className="muted">{say(words.empty)}</p>}
      <ol>
        {steps.map(({ key, step }) => (
          <li key={key} className="field-row">
            <Switch
              label={say(words.on)}
              checked={step.off !== true}
              onChange={() => dispatch({ type: 'step-toggled', key })}
            />
            <span>{step.technique}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
