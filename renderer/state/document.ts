/** Owns what a document is: the opened model, the recipe's steps with keys, shapes, selection, draft and history. */

import type { Model } from '#shared/ir/model.ts';
import type { Preprocess, Recipe, Step } from '#shared/recipes/recipe.ts';
import { recipeVersion } from '#shared/recipes/recipe.ts';

/** A model on the screen: the graph without weight values, and the id under which the host holds the weights. */
export interface OpenModel {
  readonly modelId: string;
  readonly name: string;
  readonly fileBytes: number;
  readonly model: Model;
  /** What `model` was read from, for workers, which read it again. */
  readonly skeleton: Uint8Array;
  readonly data?: string;
  readonly preprocess?: Preprocess;
  /** Grows with every opening, so that the same file opened twice is two documents. */
  readonly serial: number;
  /** performance.now() when the person asked for it: the start of "file to drawn graph". */
  readonly askedAt: number;
}

/** A recipe step with a key that stays with it while it moves. */
export interface KeyedStep {
  readonly key: string;
  readonly step: Step;
}

/** The part of the document that undo and redo go through. */
export interface Editable {
  readonly steps: readonly KeyedStep[];
  readonly target: Recipe['target'];
  readonly seed: number | undefined;
  readonly preprocess: Preprocess | undefined;
  /** Shapes set by the person, by input name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

/** Nodes lit up on the canvas, with the sentence that says why each is. */
export interface Highlight {
  readonly ids: ReadonlyMap<string, string>;
  /** 'group': coupled channels; 'frozen': cannot be pruned; 'match': found by a search or query. */
  readonly kind: 'group' | 'frozen' | 'match';
}

export interface DocumentState {
  readonly open: OpenModel | null;
  /** The graph of `open` stands on the screen; figures are computed only after that. */
  readonly drawn: boolean;
  readonly edit: Editable;
  readonly past: readonly Editable[];
  readonly future: readonly Editable[];
  /** Gesture that made the newest `past` entry: further edits of the same gesture replace instead of adding. */
  readonly gesture: string | null;
  /** Node ids of the main graph, in the order they were chosen. */
  readonly selection: readonly string[];
  readonly highlight: Highlight | null;
  /** Recipe step that is being edited in the inspector. */
  readonly focusedStep: string | null;
  /** A step under a slider that is not in the recipe yet: previewed after it, never applied. */
  readonly draft: Step | null;
}

export const emptyEdit: Editable = {
  steps: [],
  target: undefined,
  seed: undefined,
  preprocess: undefined,
  shapes: {},
};

export const emptyDocument: DocumentState = {
  open: null,
  drawn: false,
  edit: emptyEdit,
  past: [],
  future: [],
  gesture: null,
  selection: [],
  highlight: null,
  focusedStep: null,
  draft: null,
};

/** The recipe as it is saved, run and exported. */
export const recipeOf = (edit: Editable): Recipe => ({
  bantam: recipeVersion,
  ...(edit.target === undefined ? {} : { target: edit.target }),
  ...(edit.seed === undefined ? {} : { seed: edit.seed }),
  ...(edit.preprocess === undefined ? {} : { preprocess: edit.preprocess }),
  steps: edit.steps.map((s) => s.step),
});
