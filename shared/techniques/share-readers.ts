/**
 * Owns dividing the weights that read copied channels, so that all copies of a channel together count as it did (Chen et
 * al. 2016, eq. 4). Where a weight is stored for these readers alone its values are divided, else a constant factor is put before
 * the reader, which the runtime folds when it loads the file.
 */
import { elementCount } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { numbersTensor, packNumbers, toFloat32, toNumbers } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';
import type { Reader } from './channel-sums.ts';
import { withInitializers } from './with-initializers.ts';

/** The share of each index along a class that grew; 1 where nothing was copied. */
export type SharesOf = (axisClass: number) => readonly number[] | undefined;

/** w[..., i, ...] * shares[i] along one axis. */
function scaledAlong(tensor: Tensor, axis: number, shares: readonly number[]): Tensor {
  const { name, type, dims } = tensor;
  const inner = elementCount(dims.slice(axis + 1));
  const n = dims[axis] ?? 1;
  return lazyTensor(name, type, dims, () => {
    const from = type === 'float' ? toFloat32(tensor) : toNumbers(tensor);
    const out = type === 'float' ? new Float32Array(from.length) : new Float64Array(from.length);
    for (let i = 0; i < out.length; i++) out[i] = (from[i] ?? 0) * (shares[Math.floor(i / inner) % n] ?? 1);
    return packNumbers(type, out);
  });
}

/** Whether everybody who reads this value is one of these readers, along the same axis. */
function ownedBy(model: Model, value: string, axis: number, readers: readonly Reader[]): boolean {
  const index = graphIndex(model.graph);
  if (index.outputNames.has(value)) return false;
  return (index.uses.get(value) ?? []).every((use) =>
    readers.some((r) => r.node === use.node && r.input === use.input && r.axis === axis),
  );
}

const constantWith = (node: Node, change: (t: Tensor) => Tensor): Node => ({
  ...node,
  attributes: node.attributes.map((a) =>
    a.kind === 'tensor' && a.name === 'value' ? { ...a, value: change(a.value) } : a,
  ),
});

/**
 * `grown` is `before` with copied channels, its nodes with the ids they had; `readers` are of `before`. Returns it with every
 * reader's weights divided.
 */
export function shareReaders(
  before: Model,
  facts: ReadonlyMap<string, Facts>,
  grown: Model,
  readers: readonly Reader[],
  sharesOf: SharesOf,
): Model {
  const edit = new GraphEdit(grown.graph);
  const index = graphIndex(before.graph);
  const nodeNow = new Map(grown.graph.nodes.map((n) => [n.id, n]));
  const changed = new Map<string, Node>();
  const done = new Set<string>();
  const added: Tensor[] = [];
  const factors: { readonly before: string; readonly node: Node }[] = [];
  for (const r of readers) {
    const shares = sharesOf(r.axisClass);
    const value = r.node.inputs[r.input] ?? '';
    if (shares === undefined || shares.every((s) => s === 1)) continue;
    const stored = edit.initializer(value);
    const maker = index.producer.get(value);
    const alone = ownedBy(before, value, r.axis, readers);
    if (alone && done.has(value)) continue;
    done.add(value);
    if (alone && stored !== undefined) edit.setInitializer(scaledAlong(stored, r.axis, shares));
    else if (alone && maker?.op === 'Constant' && maker.attributes.some((a) => a.name === 'value'))
      changed.set(
        maker.id,
        constantWith(nodeNow.get(maker.id) ?? maker, (t) => scaledAlong(t, r.axis, shares)),
      );
    else {
      const rank = facts.get(value)?.shape?.length ?? r.axis + 1;
      const dims = Array.from({ length: rank }, (_, a) => (a === r.axis ? shares.length : 1));
      const factor = numbersTensor(edit.unique(`${value}.shares`), facts.get(value)?.elem ?? 'float', dims, shares);
      const out = edit.unique(`${value}.divided`);
      edit.setInitializer(factor);
      added.push(factor);
      factors.push({ before: r.node.id, node: edit.make({ op: 'Mul', inputs: [value, factor.name], outputs: [out] }) });
      const now = changed.get(r.node.id) ?? nodeNow.get(r.node.id) ?? r.node;
      changed.set(r.node.id, { ...now, inputs: now.inputs.map((i, k) => (k === r.input ? out : i)) });
    }
  }
  edit.updateNodes(changed);
  for (const f of factors) edit.insertBefore(f.before, [f.node]);
  return withInitializers(grown, edit.done(), added);
}
