/** Owns what a transform is: a pure function from a model to a model that computes the same, and what it changed. */
import type { Model } from '../ir/model.ts';

export interface Transformed {
  readonly model: Model;
  /** Ids of the nodes that went or were rewritten, or names of initializers; empty: the same model object. */
  readonly changes: readonly string[];
}
export type Transform = (model: Model) => Transformed;

/** Applies transforms one after another. */
export function inTurn(model: Model, transforms: readonly Transform[]): Transformed {
  let now = model;
  const changes: string[] = [];
  for (const transform of transforms) {
    const done = transform(now);
    now = done.model;
    changes.push(...done.changes);
  }
  return { model: now, changes };
}
