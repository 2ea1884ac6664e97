/** Owns the explain tab: what the technique in view does, by its own declaration, and its picture on the selected layer. */
import { useMemo } from 'react';
import { inferFacts } from '#shared/analysis/infer-facts.ts';
import { type FieldValues, fieldDefaults } from '#shared/base/fields.ts';
import { graphIndex } from '#shared/ir/graph-index.ts';
import { techniqueGroups } from '#shared/techniques/groups.ts';
import { techniques } from '#shared/techniques/index.ts';
import { useCall } from '../../host/use-host.tsx';
import { usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import { setView, useView } from '../../state/view.ts';
import { weightInput } from '../../state/weight-input.ts';
import { fullCount, percent, shortNumber } from '../../ui/format.ts';
import { Histogram } from '../../ui/Histogram.tsx';
import { useText } from '../../ui/language.ts';
import { words } from './words.ts';

/** The parameters as they stand under the hand: of the draft, else of the step that is edited, else the defaults. */
function useValues(id: string): FieldValues {
  const draft = useDocument((d) => d.draft);
  const edited = useDocument((d) => d.edit.steps.find((s) => s.key === d.focusedStep)?.step);
  const step = [draft, edited].find((s) => s?.technique === id);
  return useMemo(() => {
    const technique = techniques.find((t) => t.id === id);
    return { ...(technique === undefined ? {} : fieldDefaults(technique.params)), ...step?.params };
  }, [id, step]);
}

/** The selected layer's weights, greyed below what the share of a magnitude pruning removes. */
function WeightPicture({ share }: { readonly share: number | undefined }) {
  const say = useText();
  const open = useDocument((d) => d.open);
  const shapes = useDocument((d) => d.edit.shapes);
  const selected = useDocument((d) => d.selection.at(-1));
  const before = usePreview((p) => p.preview?.before);
  // without a selection, the layer with most weights speaks for the model
  const id = selected ?? before?.layers.reduce((m, l) => (l.parameters > m.parameters ? l : m)).id;
  const node = open === null || id === undefined ? undefined : graphIndex(open.model.graph).nodeById.get(id);
  const facts = open === null ? undefined : inferFacts(open.model, { inputs: shapes });
  const input = node === undefined || facts === undefined ? undefined : weightInput(node, facts);
  const summary = useCall(
    'tensorSummary',
    open === null || node === undefined || input === undefined
      ? null
      : { modelId: open.modelId, nodeId: node.id, input, bins: 60 },
  );
  if (node === undefined || summary.state !== 'done') return null;
  const { histogram, min, max, count, magnitudeQuantiles: quantiles } = summary.value;
  const cut = share === undefined ? undefined : quantiles[Math.round(share * (quantiles.length - 1))];
  return (
    <section>
      <h3 className="mono small">{say(words.onLayer, { name: node.name === '' ? node.id : node.name })}</h3>
      <Histogram
        label={say(words.weights)}
        bins={histogram}
        min={min}
        max={max}
        {...(cut === undefined ? {} : { cut })}
      />
      <p className="muted small">
        {cut === undefined || share === undefined
          ? say(words.weightCount, { n: fullCount(count) })
          : say(words.below, {
              t: shortNumber(cut),
              n: fullCount(Math.round(count * share)),
              all: fullCount(count),
              share: percent(share, 0),
            })}
      </p>
    </section>
  );
}

export function Explain() {
  const say = useText();
  const id = useView((v) => v.explained);
  const technique = techniques.find((t) => t.id === id) ?? techniques[0];
  const values = useValues(technique?.id ?? '');
  if (technique === undefined) return null;
  const family = techniqueGroups.find((g) => g.id === technique.group);
  const ratio = technique.id === 'prune-weights' && typeof values.ratio === 'number' ? values.ratio : undefined;
  const onPaper = technique.onPaper?.(values);
  return (
    <div className="explain">
      <label className="field">
        <span className="visually-hidden">{say(words.technique)}</span>
        <select className="select" value={technique.id} onChange={(e) => setView({ explained: e.currentTarget.value })}>
          {techniqueGroups.map((g) => (
            <optgroup key={g.id} label={say(g.title)}>
              {techniques
                .filter((t) => t.group === g.id)
                .map((t) => (
                  <option key={t.id} value={t.id}>
                    {say(t.title)}
                  </option>
                ))}
            </optgroup>
          ))}
        </select>
      </label>
      <header>
        <p className="section-title">{family === undefined ? '' : say(family.title)}</p>
        <h2>{say(technique.title)}</h2>
      </header>
      <p>{say(technique.summary)}</p>
      {technique.formula !== undefined && <pre className="formula">{technique.formula.split(';  ').join('\n')}</pre>}
      <WeightPicture share={ratio} />
      <section>
        <h3 className="section-title">{say(words.atRunTime)}</h3>
        <p>{say(technique.explain(values))}</p>
        {onPaper !== undefined && <p className="warn small">{say(onPaper)}</p>}
      </section>
      {technique.cites.length > 0 && (
        <section>
          <h3 className="section-title">{say(words.papers)}</h3>
          <ul className="papers">
            {technique.cites.map((c) => (
              <li key={c.title}>
                {c.title}
                <span className="muted small">
                  {' '}
                  {c.authors} · {c.where} · {c.year}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
