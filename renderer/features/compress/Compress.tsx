/** Owns the compress tab: the techniques that fit by family, each with what it would give on this selection, and the step being edited. */
import { useEffect, useMemo, useRef, useState } from 'react';
import { type FieldValues, fieldDefaults } from '#shared/base/fields.ts';
import { placeFor } from '#shared/recipes/place-step.ts';
import type { Select, Step } from '#shared/recipes/recipe.ts';
import type { Technique } from '#shared/techniques/declare.ts';
import { techniqueGroups } from '#shared/techniques/groups.ts';
import { techniques } from '#shared/techniques/index.ts';
import { stepKey } from '../../state/change.ts';
import { recipeOf } from '../../state/document.ts';
import { currentDocument, dispatch, useDocument } from '../../state/store.ts';
import { setView } from '../../state/view.ts';
import { Button } from '../../ui/Button.tsx';
import { useText } from '../../ui/language.ts';
import { type CardActs, CompressCard } from './CompressCard.tsx';
import { Family } from './Family.tsx';
import { couplingOf, light } from './lit-group.ts';
import { type Misfit, Misfits } from './Misfits.tsx';
import { useGainNow, useGains } from './use-gains.ts';
import { words } from './words.ts';
import './compress.css';

const defined = (values: FieldValues): Step['params'] =>
  Object.fromEntries(
    Object.entries(values).filter((e): e is [string, string | number | boolean] => e[1] !== undefined),
  );

/** A technique that trains the whole net has nothing to do with a selection. */
const stepOf = (technique: Technique, select: Select, values: FieldValues): Step => ({
  technique: technique.id,
  select: technique.needs.training === true ? { all: true } : select,
  params: defined(values),
});

const defaults = new Map(techniques.map((t) => [t.id, fieldDefaults(t.params)]));
const defaultsOf = (t: Technique): FieldValues => defaults.get(t.id) ?? {};

/** Open from the start, so that a slider is there to be moved. */
const firstOpen = 'prune-channels';

export function Compress() {
  const say = useText();
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const selection = useDocument((d) => d.selection);
  const focused = useDocument((d) => d.focusedStep);
  const drawn = useDocument((d) => d.drawn);
  const [values, setValues] = useState<Readonly<Record<string, FieldValues>>>({});
  const [touched, setTouched] = useState<string | null>(null);
  const [opened, setOpened] = useState<string | null>(firstOpen);
  const gesture = useRef(0);
  const top = useRef<HTMLDivElement>(null);
  const editing = focused === null ? undefined : edit.steps.find((s) => s.key === focused);
  const edited = editing === undefined ? undefined : techniques.find((t) => t.id === editing.step.technique);

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
  useEffect(() => {
    setTouched(null);
    // the step that is edited stands first, whatever was looked at
    if (focused !== null) {
      setOpened(null);
      top.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [focused]);

  // the explain tab speaks of what is looked at here
  const looked = edited?.id ?? opened;
  useEffect(() => {
    if (looked !== null) setView({ explained: looked });
  }, [looked]);

  const coupling = useMemo(() => {
    if (open === null || !drawn) return undefined;
    try {
      return couplingOf(open, edit.shapes, selection);
    } catch {
      return undefined; // a graph that contradicts itself: the cards say so
    }
  }, [open, drawn, edit.shapes, selection]);

  const list = edit.steps.map((s) => s.step);
  /** The step before which a new one goes, from 1; null: at the end. */
  const beforeOf = (t: Technique): number | null => {
    const at = placeFor(list, t.id);
    return at < list.length ? at + 1 : null;
  };
  const valuesOf = (t: Technique): FieldValues => values[t.id] ?? defaultsOf(t);
  const others = useMemo(() => techniques.filter((t) => t !== edited), [edited]);
  const steps = useMemo(
    () => others.map((t) => stepOf(t, select, values[t.id] ?? defaultsOf(t))),
    [others, select, values],
  );
  const gains = useGains(steps);
  const hand = touched === null ? null : (steps.find((s) => s.technique === touched) ?? null);
  const handGain = useGainNow(hand, null);
  const editGain = useGainNow(editing?.step ?? null, editing?.key ?? null);

  // stable, so that a slider draws its own card anew and no other
  const acts: CardActs = useMemo(
    () => ({
      show: (t) => {
        dispatch({ type: 'drafted', step: null });
        setTouched(null);
        setOpened((was) => (was === t.id ? null : t.id));
      },
      change: (t, next) => {
        setValues((v) => ({ ...v, [t.id]: next }));
        setTouched(t.id);
        dispatch({ type: 'drafted', step: stepOf(t, select, next) });
      },
      commit: () => {},
      add: (t, now) => {
        dispatch({ type: 'drafted', step: null });
        const at = placeFor(recipeOf(currentDocument().edit).steps, t.id);
        dispatch({ type: 'step-added', key: stepKey(), step: stepOf(t, select, now), at });
      },
      point: (t, inside) => {
        if (t.id === 'prune-channels') light(inside ? coupling : undefined);
      },
    }),
    [select, coupling],
  );
  const editActs: CardActs = {
    change: (_, next, moving) => {
      if (editing === undefined) return;
      dispatch({
        type: 'step-edited',
        key: editing.key,
        step: { ...editing.step, params: defined(next) },
        ...(moving ? { gesture: `edit-${gesture.current}` } : {}),
      });
    },
    commit: () => {
      gesture.current++;
    },
  };

  const misfits: Misfit[] = [];
  const fitting: Technique[] = [];
  for (const t of others) {
    const gain = gains.of(t.id);
    // one that is in hand stays where it is, whatever its slider makes of it
    if (gain === null || gain.ok || t.id === touched || t.id === opened) fitting.push(t);
    else misfits.push({ technique: t, fault: gain.fault });
  }
  const on =
    selection.length === 0
      ? say(words.onAll)
      : selection.length === 1
        ? say(words.onOne, { name: selection[0] ?? '' })
        : say(words.onMany, { n: selection.length });
  const group =
    coupling === undefined
      ? ''
      : coupling.others === 0
        ? say(words.groupOne)
        : say(words.group, { n: coupling.others });
  const card = (t: Technique) => (
    <CompressCard
      key={t.id}
      technique={t}
      values={valuesOf(t)}
      gain={t.id === touched ? handGain : gains.of(t.id)}
      old={t.id !== touched && gains.old(t.id)}
      open={opened === t.id}
      active={touched === t.id}
      aside={t.id === 'prune-channels' ? group : ''}
      before={beforeOf(t)}
      acts={acts}
    />
  );
  return (
    <div className="compress" ref={top}>
      {editing !== undefined && edited !== undefined && (
        <>
          <div className="field-row">
            <strong>{say(words.editing, { n: edit.steps.indexOf(editing) + 1 })}</strong>
            <Button small onClick={() => dispatch({ type: 'step-focused', key: null })}>
              {say(words.done)}
            </Button>
          </div>
          <CompressCard
            key={editing.key}
            technique={edited}
            values={{ ...defaultsOf(edited), ...editing.step.params }}
            gain={editGain}
            old={false}
            open
            active
            aside=""
            before={null}
            acts={editActs}
          />
        </>
      )}
      <p className="muted small">
        {editing !== undefined && `${say(words.next)} `}
        {on}
      </p>
      {techniqueGroups.map((g) => {
        const inside = fitting.filter((t) => t.group === g.id);
        return inside.length === 0 ? null : (
          <Family key={g.id} id={g.id} title={say(g.title)} gains={inside.map((t) => gains.of(t.id))}>
            {inside.map(card)}
          </Family>
        );
      })}
      <Misfits misfits={misfits} />
    </div>
  );
}
