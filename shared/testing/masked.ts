/** Owns maskedModel: the reference for removed channels, the full model with every weight of those channels at zero. */
import { type ChannelGroup, channelGroups } from '../analysis/channel-groups.ts';
import { elementCount, isFloat } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';
import type { Removal } from '../techniques/slice-channels.ts';

/** Inputs that must not become 0: a variance, a divisor. */
const keeps = (op: string, input: number): boolean =>
  (op === 'BatchNormalization' && input === 4) || (op === 'Div' && input === 1) || op === 'Pow' || op === 'Sqrt';

/**
 * The model with the removed units' entries zeroed in every initializer and Constant that they touch. undefined where
 * that cannot be done (a weight made by ConstantOfShape, or stored in integers).
 */
export function maskedModel(
  model: Model,
  facts: ReadonlyMap<string, Facts>,
  removals: readonly Removal[],
): Model | undefined {
  const groups = channelGroups(model, facts);
  const gone = new Map<number, Set<number>>();
  for (const { group, units } of removals) {
    const which = units();
    for (let k = 0; k < which.length; k++) addUnit(gone, group, which[k] ?? 0);
  }
  const index = graphIndex(model.graph);
  let possible = true;
  const masked = (tensor: Tensor, value: string): Tensor => {
    const axes = tensor.dims.flatMap((_, axis) => {
      const c = groups.table.classOf({ value, axis });
      const set = c === undefined ? undefined : gone.get(c);
      return set === undefined ? [] : [{ axis, set }];
    });
    if (axes.length === 0 || (index.uses.get(value) ?? []).some((u) => keeps(u.node.op, u.input))) return tensor;
    if (!isFloat(tensor.type)) possible = false;
    const numbers = toNumbers(tensor);
    for (const { axis, set } of axes) {
      const inner = elementCount(tensor.dims.slice(axis + 1));
      const n = tensor.dims[axis] ?? 1;
      numbers.forEach((_, i) => {
        if (set.has(Math.floor(i / inner) % n)) numbers[i] = 0;
      });
    }
    return numbersTensor(tensor.name, tensor.type, tensor.dims, numbers);
  };
  const touched = (value: string, rank: number): boolean =>
    Array.from({ length: rank }, (_, axis) => groups.table.classOf({ value, axis })).some(
      (c) => c !== undefined && gone.has(c),
    );
  const nodes = model.graph.nodes.map((n) => {
    const out = n.outputs[0] ?? '';
    if (n.op === 'ConstantOfShape' && touched(out, facts.get(out)?.shape?.length ?? 0)) possible = false;
    if (n.op !== 'Constant') return n;
    return {
      ...n,
      attributes: n.attributes.map((a) => (a.kind === 'tensor' ? { ...a, value: masked(a.value, out) } : a)),
    };
  });
  const initializers = model.graph.initializers.map((t) => masked(t, t.name));
  return possible ? { ...model, graph: { ...model.graph, nodes, initializers } } : undefined;
}

function addUnit(gone: Map<number, Set<number>>, group: ChannelGroup, unit: number): void {
  for (const a of group.axes) {
    const set = gone.get(a.axisClass) ?? new Set<number>();
    gone.set(a.axisClass, set);
    for (let j = 0; j < a.perUnit; j++) set.add(a.indices[unit * a.perUnit + j] ?? 0);
  }
}
