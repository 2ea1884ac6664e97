/** Owns embedded: a model with its external data taken in, so that its bytes alone can be run. */
import type { Model } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';

const taken = (t: Tensor): Tensor => (t.storage.kind === 'external' ? { ...t, storage: { kind: 'raw' } } : t);

export function embedded(model: Model): Model {
  const { graph } = model;
  const nodes = graph.nodes.map((n) =>
    n.attributes.some((a) => a.kind === 'tensor' && a.value.storage.kind === 'external')
      ? { ...n, attributes: n.attributes.map((a) => (a.kind === 'tensor' ? { ...a, value: taken(a.value) } : a)) }
      : n,
  );
  return { ...model, graph: { ...graph, nodes, initializers: graph.initializers.map(taken) } };
}
