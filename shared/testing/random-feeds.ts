/** Owns randomFeeds: seeded inputs for a model's required inputs. */
import { type Rng, rng } from '../base/random.ts';
import { elementCount, elementTypes } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { numbersTensor, toTyped } from '../ir/values.ts';
import type { Feeds, RunTensor } from '../ports/runtime.ts';

/** Normal numbers for floats, 0 or 1 for all else. Unknown dimensions are 1. */
export function randomFeeds(model: Model, seed = 1, dims: Readonly<Record<string, readonly number[]>> = {}): Feeds {
  const random: Rng = rng(seed);
  const feeds: Record<string, RunTensor> = {};
  for (const input of graphIndex(model.graph).requiredInputs) {
    if (input.type.kind !== 'tensor' || input.type.elem === null) throw new Error(`no feed for ${input.name}`);
    const { elem, shape } = input.type;
    const own = rng(random.below(2 ** 31));
    const size = dims[input.name] ?? (shape ?? []).map((d) => (typeof d === 'number' && d > 0 ? d : 1));
    const float = elementTypes[elem].family === 'float';
    const values = Array.from({ length: elementCount(size) }, () => (float ? own.normal() : own.below(2)));
    feeds[input.name] = { type: elem, dims: size, data: toTyped(numbersTensor(input.name, elem, size, values)) };
  }
  return feeds;
}

/** Outputs as plain numbers, for comparing. */
export const numbersOfRun = (t: RunTensor): Float64Array => Float64Array.from(t.data as ArrayLike<number>, Number);

/** Largest difference between two runs, relative to the largest magnitude of the first; NaN equals NaN. */
export function relativeError(a: RunTensor, b: RunTensor): number {
  const [x, y] = [numbersOfRun(a), numbersOfRun(b)];
  if (x.length !== y.length) return Number.POSITIVE_INFINITY;
  let scale = 0;
  let worst = 0;
  x.forEach((v, i) => {
    const w = y[i] ?? Number.NaN;
    if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
    if (!Object.is(v, w) && v !== w)
      worst = Math.max(worst, Number.isNaN(v - w) ? Number.POSITIVE_INFINITY : Math.abs(v - w));
  });
  return worst === 0 ? 0 : worst / Math.max(scale, 1e-6);
}
