/** Owns placing pruned weights in a model: each in the smallest of the storage forms, decided before any weight is read. */
import { GraphEdit, type NewNode } from '../ir/graph-edit.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import type { Weight } from './prunable-weights.ts';
import { smallestForms } from './sparse-choice.ts';
import { prunedBy, type SharedConstants, type StoredForm, sharedTensors } from './sparse-storage.ts';
import type { TargetRuntime } from './storage-target.ts';

export interface Thinned {
  readonly weight: Weight;
  readonly removed: number;
  /** 1 stays; asked when the weight's bytes are. */
  readonly mask: () => Uint8Array;
}

export interface Placed {
  readonly model: Model;
  /** By the tensor's name. */
  readonly forms: ReadonlyMap<string, StoredForm>;
}

function place(edit: GraphEdit, listed: Set<Tensor>, weight: Weight, form: StoredForm, front: Node[]): void {
  const name = weight.tensor.name;
  if (form.dense !== undefined) {
    const { dense } = form;
    if (weight.constant === undefined) edit.setInitializer(dense);
    else
      edit.updateNodes(
        new Map([
          [
            weight.constant.id,
            { ...weight.constant, attributes: [{ name: 'value', kind: 'tensor', value: { ...dense, name: '' } }] },
          ],
        ]),
      );
    return;
  }
  if (weight.constant === undefined) edit.removeInitializer(name);
  else edit.remove(weight.constant.id);
  if (form.sparse !== undefined) edit.setSparseInitializer(form.sparse);
  for (const t of form.initializers) {
    edit.setInitializer(t);
    listed.add(t);
  }
  front.push(...form.nodes.map((n: NewNode) => edit.make(n)));
}

/** The model with these weights thinned out. */
export function placeWeights(model: Model, thinned: readonly Thinned[], runtime: TargetRuntime | undefined): Placed {
  const edit = new GraphEdit(model.graph);
  const shared: SharedConstants = {
    shifts: edit.unique('bit_shifts'),
    two: edit.unique('bit_two'),
    flat: edit.unique('bit_flat'),
    axis: edit.unique('bit_axis'),
    one: edit.unique('bit_one'),
    start: edit.unique('bit_start'),
  };
  const front: Node[] = [];
  const listed = new Set<Tensor>();
  const forms = new Map<string, StoredForm>();
  const pruned = thinned.map(({ weight, removed, mask }) => ({
    ...prunedBy(weight.tensor, removed, mask),
    constant: weight.constant !== undefined,
  }));
  const chosen = smallestForms(model, pruned, shared, (b) => edit.unique(b), runtime);
  thinned.forEach(({ weight }, i) => {
    const form = chosen[i];
    if (form === undefined) return;
    forms.set(weight.tensor.name, form);
    place(edit, listed, weight, form, front);
  });
  if (front.length > 0)
    for (const t of sharedTensors(shared)) {
      edit.setInitializer(t);
      listed.add(t);
    }
  edit.prepend(front);
  const graph = edit.done();
  if (model.irVersion >= 4) return { model: { ...model, graph }, forms };
  // Before IR 4 every initializer is listed as an input too.
  const inputs = [...listed].map((t) => ({
    name: t.name,
    type: { kind: 'tensor', elem: t.type, shape: t.dims } as const,
  }));
  return { model: { ...model, graph: { ...graph, inputs: [...graph.inputs, ...inputs] } }, forms };
}
