/** Owns withInitializers: before IR 4 every initializer is listed as an input of the graph too. */
import type { Graph, Model } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';

/** The model with this graph, whose `added` initializers are listed as inputs where the model's IR version wants it. */
export function withInitializers(model: Model, graph: Graph, added: readonly Tensor[]): Model {
  if (model.irVersion >= 4) return { ...model, graph };
  const inputs = added.map((t) => ({
    name: t.name,
    type: { kind: 'tensor', elem: t.type, shape: t.dims } as const,
  }));
  return { ...model, graph: { ...graph, inputs: [...graph.inputs, ...inputs] } };
}
