/** Owns the compress tab: every technique as a card with what it would give on this selection, and the step being edited. */
import { Fragment, useEffect, useMemo, useRef, useState } from 'react';
import { type FieldValues, fieldDefaults } from '#shared/base/fields.ts';
import type { Select, Step } from '#shared/recipes/recipe.ts';
import type { Technique } from '#shared/techniques/declare.ts';
import { techniques } from '#shared/techniques/index.ts';
import { stepKey } from '../../state/change.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { useText } from '../../ui/language.ts';
import { CompressCard } from './CompressCard.tsx';
import { couplingOf, light } from './lit-group.ts';
import { words } from './words.ts';
import './compress.css';

const defined = (values: FieldValues): Step['params'] =>
  Object.fromEntries(
    Object.entries(values).filter((e): e is [string, string | number | boolean] => e[1] !== undefined),
  );

const stepOf = (technique: Technique, select: Select, values: FieldValues): Step => ({
  technique: technique.id,
  select,
  params: defined(values),
});

/** A technique that trains the whole net has nothing to do with a selection. */
const wholeModel = (technique: Technique): boolean => technique.needs.training === true;

export function Compress() {
  const say = useText();
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const selection = useDocument((d) => d.selection);
  const focused = useDocument((d) => d.focusedStep);
  const drawn = useDocument((d) => d.drawn);
  const [values, setValues] = useState<Readonly<Record<string, FieldValues>>>({});
  const [touched, setTouched] = useState<string | null>(null);
  const gesture = useRef(0);
  const editing = focused === null ? undefined : edit.steps.find((s) => s.key === focused);

  const select: Select = useMemo(
    () => (selection.length === 0 ? { all: true } : { names: [...selection] }),
    [selection],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new selection ends the trial of a card
  useEffect(() => {
    setTouched(null);
    dispatch({ type: 'drafted', step: null });
  }, [selection, open?.serial]);
  useEffect(() => () => light(undefined), []);

  const coupling = useMemo(() => {
    if (open === null || !drawn) return undefined;
    try {
      return couplingOf(open, edit.shapes, selection);
    } catch {
      return undefined; // a graph that contradicts itself: the cards say so
    }
  }, [open, drawn, edit.shapes, selection]);

  const edits = (t: Technique): boolean => editing !== undefined && t.id === editing.step.technique;
  // the step being edited stands first; the others stay, so that the next one is a press away
  const shown = [...techniques.filter(edits), ...techniques.filter((t) => !edits(t))];
  const valuesOf = (t: Technique): FieldValues =>
    editing !== undefined && edits(t)
      ? { ...fieldDefaults(t.params), ...editing.step.params }
      : (values[t.id] ?? fieldDefaults(t.params));

  const change = (t: Technique, next: FieldValues, moving: boolean): void => {
    if (editing !== undefined && edits(t)) {
      dispatch({
        type: 'step-edited',
        key: editing.key,
        step: { ...editing.step, params: defined(next) },
        ...(moving ? { gesture: `edit-${gesture.current}` } : {}),
      });
      return;
    }
    setValues((v) => ({ ...v, [t.id]: next }));
    setTouched(t.id);
    dispatch({ type: 'drafted', step: stepOf(t, wholeModel(t) ? { all: true } : select, next) });
  };
  const add = (t: Technique): void => {
    dispatch({ type: 'drafted', step: null });
    dispatch({
      type: 'step-added',
      key: stepKey(),
      step: stepOf(t, wholeModel(t) ? { all: true } : select, valuesOf(t)),
    });
    setTouched(null);
  };

  const on =
    selection.length === 0
      ? say(words.onAll)
      : selection.length === 1
        ? say(words.onOne, { name: selection[0] ?? '' })
        : say(words.onMany, { n: selection.length });
  const fresh = (t: Technique): Step => stepOf(t, wholeModel(t) ? { all: true } : select, valuesOf(t));
  const number = editing === undefined ? 0 : edit.steps.indexOf(editing) + 1;
  return (
    <div className="compress">
      {editing === undefined ? (
        <p className="muted small">{on}</p>
      ) : (
        <div className="field-row">
          <strong>{say(words.editing, { n: number })}</strong>
          <Button small onClick={() => dispatch({ type: 'step-focused', key: null })}>
            {say(words.done)}
          </Button>
        </div>
      )}
      {shown.map((t) => {
        const edited = edits(t);
        const coupled = t.id === 'prune-channels' && coupling !== undefined && !edited;
        const before = editing !== undefined && t === shown[1] && (
          <p className="muted small">
            {say(words.next)} {on}
          </p>
        );
        return (
          <Fragment key={t.id}>
            {before}
            <CompressCard
              technique={t}
              values={valuesOf(t)}
              step={edited && editing !== undefined ? editing.step : fresh(t)}
              stepKey={edited && editing !== undefined ? editing.key : null}
              active={edited || touched === t.id}
              aside={
                coupled ? (coupling.others === 0 ? say(words.groupOne) : say(words.group, { n: coupling.others })) : ''
              }
              onChange={(next, moving) => change(t, next, moving)}
              onCommit={() => {
                gesture.current++;
              }}
              onPoint={(inside) => {
                if (t.id === 'prune-channels') light(inside ? coupling : undefined);
              }}
              {...(edited ? {} : { onAdd: () => add(t) })}
            />
          </Fragment>
        );
      })}
    </div>
  );
}
