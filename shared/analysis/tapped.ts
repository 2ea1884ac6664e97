/** Owns tapping: a model with inner values among its outputs, so that a run shows them. */
import type { Model, ValueInfo } from '../ir/model.ts';

/** Values fetched in one run: more would hold too many activations at once. */
export const tapsAtOnce = 64;

/** The model with `values` (of floats) among its outputs, each once. */
export function tapped(model: Model, values: readonly string[]): Model {
  const { graph } = model;
  const known = new Set(graph.outputs.map((o) => o.name));
  const taps = [...new Set(values)]
    .filter((v) => !known.has(v))
    .map((name): ValueInfo => ({ name, type: { kind: 'tensor', elem: 'float', shape: null } }));
  return { ...model, graph: { ...graph, outputs: [...graph.outputs, ...taps] } };
}
