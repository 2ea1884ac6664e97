/** Owns copyValues: what a training changed in one model brought into another that holds the same tensors. */

import type { Attribute, Model, Node } from '../ir/model.ts';
import type { SparseTensor, Tensor } from '../ir/tensor.ts';
import { heldBy } from '../transforms/constant-values.ts';

const alike = (a: Tensor, b: Tensor | undefined): b is Tensor =>
  b !== undefined && a.type === b.type && a.dims.join() === b.dims.join();

/** `to` with the values of the initializers and Constant nodes that `from` holds too, by name, type and shape. */
export function copyValues(from: Model, to: Model): Model {
  const dense = new Map(from.graph.initializers.map((t) => [t.name, t]));
  const sparse = new Map(from.graph.sparseInitializers.map((t) => [t.values.name, t]));
  const constants = new Map(from.graph.nodes.map((n) => [n.outputs[0] ?? '', n]));
  const newest = (t: Tensor): Tensor => {
    const found = dense.get(t.name);
    return alike(t, found) ? found : t;
  };
  const nodes = to.graph.nodes.map((n): Node => {
    const own = heldBy(n);
    const found = own === undefined ? undefined : heldBy(constants.get(n.outputs[0] ?? ''));
    if (own === undefined || !alike(own, found)) return n;
    const attributes = n.attributes.map((a): Attribute => (a.kind === 'tensor' ? { ...a, value: found } : a));
    return { ...n, attributes };
  });
  return {
    ...to,
    graph: {
      ...to.graph,
      nodes,
      initializers: to.graph.initializers.map(newest),
      sparseInitializers: to.graph.sparseInitializers.map((s): SparseTensor => {
        const found = sparse.get(s.values.name);
        return found !== undefined && alike(s.values, found.values) ? found : s;
      }),
    },
  };
}
