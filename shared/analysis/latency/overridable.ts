/** Owns which constants of a graph its caller may override, so that the runtime prepares nothing of them. */
import type { Scope } from '../infer-facts.ts';

const none: ReadonlySet<number> = new Set();

/**
 * Numbers of the values that are initializers and inputs at once: from version 4 of the file format on only defaults of those
 * inputs. The runtime neither folds a normalisation with such values nor changes the layout of such a weight.
 */
export function overridableOf({ model, graph, wiring }: Scope): ReadonlySet<number> {
  if (model.irVersion < 4) return none;
  const inputs = new Set(graph.inputs.map((i) => i.name));
  const both = wiring.initializers.filter((id) => inputs.has(wiring.names[id] ?? ''));
  return both.length === 0 ? none : new Set(both);
}
