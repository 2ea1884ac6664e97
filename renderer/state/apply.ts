/** Owns applyChange: the one function that turns a document and a change into the next document. Pure. */
import type { Recipe } from '#shared/recipes/recipe.ts';
import { type Change, stepKey } from './change.ts';
import { type DocumentState, type Editable, emptyDocument, emptyEdit } from './document.ts';

const historyLimit = 200;

/** The next version of the editable part; with a gesture going on, the undo entry is the one before the gesture. */
function edited(d: DocumentState, edit: Editable, gesture: string | null = null): DocumentState {
  const going = gesture !== null && gesture === d.gesture && d.past.length > 0;
  const past = going ? d.past : [...d.past.slice(-historyLimit + 1), d.edit];
  return { ...d, edit, past, future: [], gesture };
}

const withSteps = (d: DocumentState, steps: Editable['steps'], gesture?: string): DocumentState =>
  edited(d, { ...d.edit, steps }, gesture ?? null);

const editOf = (recipe: Recipe, shapes: Editable['shapes']): Editable => ({
  steps: recipe.steps.map((step) => ({ key: stepKey(), step })),
  target: recipe.target,
  seed: recipe.seed,
  preprocess: recipe.preprocess,
  shapes,
});

function moved<T>(list: readonly T[], from: number, to: number): readonly T[] {
  const rest = list.filter((_, i) => i !== from);
  const item = list[from];
  return item === undefined ? list : [...rest.slice(0, to), item, ...rest.slice(to)];
}

function selection(
  now: readonly string[],
  ids: readonly string[],
  mode: 'replace' | 'add' | 'toggle',
): readonly string[] {
  const had = new Set(now);
  const fresh = ids.filter((id) => !had.has(id));
  switch (mode) {
    case 'replace':
      return [...new Set(ids)];
    case 'add':
      return fresh.length === 0 ? now : [...now, ...fresh];
    case 'toggle': {
      const asked = new Set(ids);
      // a fold of several nodes goes in or out as a whole
      return fresh.length > 0 ? [...now, ...fresh] : now.filter((id) => !asked.has(id));
    }
  }
}

/** A focused step that an undo took away is no longer focused. */
const settled = (d: DocumentState): DocumentState =>
  d.focusedStep === null || d.edit.steps.some((s) => s.key === d.focusedStep) ? d : { ...d, focusedStep: null };

export function applyChange(d: DocumentState, change: Change): DocumentState {
  const steps = d.edit.steps;
  switch (change.type) {
    case 'opened':
      return {
        ...emptyDocument,
        open: change.open,
        edit: change.recipe === undefined ? emptyEdit : editOf(change.recipe, {}),
      };
    case 'drawn':
      return d.open?.serial === change.serial && !d.drawn ? { ...d, drawn: true } : d;
    case 'step-added': {
      const at = change.at ?? steps.length;
      const next = [...steps.slice(0, at), { key: change.key, step: change.step }, ...steps.slice(at)];
      return { ...withSteps(d, next), draft: null, focusedStep: change.key };
    }
    case 'step-edited':
      return withSteps(
        d,
        steps.map((s) => (s.key === change.key ? { ...s, step: change.step } : s)),
        change.gesture,
      );
    case 'step-toggled':
      return withSteps(
        d,
        steps.map((s) => {
          if (s.key !== change.key) return s;
          const { off, ...on } = s.step;
          return { ...s, step: off === true ? on : { ...on, off: true } };
        }),
      );
    case 'step-moved': {
      const from = steps.findIndex((s) => s.key === change.key);
      const to = Math.max(0, Math.min(steps.length - 1, change.to));
      return from < 0 || from === to ? d : withSteps(d, moved(steps, from, to));
    }
    case 'step-removed':
      return settled(
        withSteps(
          d,
          steps.filter((s) => s.key !== change.key),
        ),
      );
    case 'recipe-replaced':
      return { ...edited(d, editOf(change.recipe, d.edit.shapes)), focusedStep: null, draft: null };
    case 'runtime-set':
      return edited(d, { ...d.edit, target: { ...d.edit.target, runtime: change.runtime } });
    case 'preprocess-set':
      return edited(d, { ...d.edit, preprocess: change.preprocess });
    case 'shape-set': {
      const { [change.input]: _old, ...others } = d.edit.shapes;
      const shapes = change.dims === null ? others : { ...others, [change.input]: change.dims };
      return edited(d, { ...d.edit, shapes });
    }
    case 'selected':
      return { ...d, selection: selection(d.selection, change.ids, change.mode), draft: null };
    case 'highlighted':
      return d.highlight === change.highlight ? d : { ...d, highlight: change.highlight };
    case 'step-focused':
      return { ...d, focusedStep: change.key, draft: null };
    case 'drafted':
      return { ...d, draft: change.step };
    case 'undone': {
      const back = d.past.at(-1);
      if (back === undefined) return d;
      return settled({
        ...d,
        edit: back,
        past: d.past.slice(0, -1),
        future: [d.edit, ...d.future],
        gesture: null,
        draft: null,
      });
    }
    case 'redone': {
      const [next, ...rest] = d.future;
      if (next === undefined) return d;
      return settled({ ...d, edit: next, past: [...d.past, d.edit], future: rest, gesture: null, draft: null });
    }
  }
}
