/** Owns the changes a document can undergo: one tagged union, made by features, applied by apply.ts alone. */
import type { Preprocess, Recipe, Step } from '#shared/recipes/recipe.ts';
import type { TargetRuntime } from '#shared/techniques/storage-target.ts';
import type { Highlight, OpenModel } from './document.ts';

export type Change =
  | { readonly type: 'opened'; readonly open: OpenModel; readonly recipe?: Recipe }
  | { readonly type: 'drawn'; readonly serial: number }
  /** `at` is the place in the list; without it the end. The key is the caller's, unique (`stepKey()`). */
  | { readonly type: 'step-added'; readonly key: string; readonly step: Step; readonly at?: number }
  /** Edits with the same `gesture` (one drag of a slider) become one undo entry. */
  | { readonly type: 'step-edited'; readonly key: string; readonly step: Step; readonly gesture?: string }
  | { readonly type: 'step-toggled'; readonly key: string }
  | { readonly type: 'step-moved'; readonly key: string; readonly to: number }
  | { readonly type: 'step-removed'; readonly key: string }
  | { readonly type: 'recipe-replaced'; readonly recipe: Recipe }
  /** How samples become the input; undefined: as the model's card says, else by trying. */
  | { readonly type: 'preprocess-set'; readonly preprocess: Preprocess | undefined }
  /** The runtime that the file is written for. */
  | { readonly type: 'runtime-set'; readonly runtime: TargetRuntime }
  /** `dims` null: back to what the file says. */
  | { readonly type: 'shape-set'; readonly input: string; readonly dims: readonly number[] | null }
  | { readonly type: 'selected'; readonly ids: readonly string[]; readonly mode: 'replace' | 'add' | 'toggle' }
  | { readonly type: 'highlighted'; readonly highlight: Highlight | null }
  | { readonly type: 'step-focused'; readonly key: string | null }
  | { readonly type: 'drafted'; readonly step: Step | null }
  | { readonly type: 'undone' }
  | { readonly type: 'redone' };

let lastKey = 0;
/** A key for a new step. */
export const stepKey = (): string => `step-${++lastKey}`;
