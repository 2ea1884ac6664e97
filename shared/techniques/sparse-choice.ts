/** Owns smallestForms: which storage form each pruned tensor takes, decided by exact byte counts before any weight is read. */
import type { NewNode } from '../ir/graph-edit.ts';
import type { Graph, Model, Node } from '../ir/model.ts';
import type { SparseTensor, Tensor } from '../ir/tensor.ts';
import { fileBytes } from '../onnx/size.ts';
import {
  bitForm,
  cooForm,
  denseForm,
  type Pruned,
  type SharedConstants,
  type StoredForm,
  sharedTensors,
} from './sparse-storage.ts';
import { storable, storageTarget, type TargetRuntime } from './storage-target.ts';

const empty: Graph = {
  name: 'g',
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  valueInfos: [],
};

/** Bytes that a form takes in the file; the graph's own length prefix is left out, alike for all forms. */
const bytesOf = (model: Model, form: StoredForm): number =>
  storedBytes(model, {
    nodes: form.nodes,
    initializers: [...form.initializers, ...(form.dense === undefined ? [] : [form.dense])],
    ...(form.sparse === undefined ? {} : { sparse: form.sparse }),
  });

/** Bytes that nodes and stored tensors take in the file of this model. */
export function storedBytes(
  model: Model,
  form: {
    readonly nodes: readonly NewNode[];
    readonly initializers: readonly Tensor[];
    readonly sparse?: SparseTensor;
  },
): number {
  const nodes = form.nodes.map(
    (n): Node => ({
      id: n.outputs[0] ?? '',
      name: n.outputs[0] ?? '',
      op: n.op,
      domain: '',
      inputs: n.inputs,
      outputs: n.outputs,
      attributes: n.attributes ?? [],
    }),
  );
  const graph: Graph = {
    ...empty,
    nodes,
    initializers: form.initializers,
    sparseInitializers: form.sparse === undefined ? [] : [form.sparse],
  };
  return fileBytes({ ...model, graph, functions: [], metadata: [] });
}

/** A form and what it takes in the file. */
interface Sized {
  readonly form: StoredForm;
  readonly bytes: number;
}

const smaller = (a: Sized, b: Sized): Sized => (b.bytes < a.bytes ? b : a);

/**
 * The smallest form of each tensor. Bits need constants that all tensors share: they are taken only where the tensors that
 * gain from them gain more than those cost.
 */
export function smallestForms(
  model: Model,
  pruned: readonly (Pruned & { readonly constant: boolean })[],
  shared: SharedConstants,
  unique: (base: string) => string,
  runtime: TargetRuntime | undefined,
): readonly StoredForm[] {
  const target = storageTarget(model, runtime);
  const sized = (form: StoredForm): Sized => ({ form, bytes: bytesOf(model, form) });
  const choices = pruned.map((p) => {
    // ONNX Runtime takes sparse initializers for float alone.
    const coo = storable('sparse', target) && !p.constant && p.tensor.type === 'float' && p.kept > 0;
    const plain = coo ? smaller(sized(denseForm(p)), sized(cooForm(p))) : sized(denseForm(p));
    return { plain, best: storable('bit-mask', target) ? smaller(plain, sized(bitForm(p, shared, unique))) : plain };
  });
  const gain = choices.reduce((n, c) => n + c.plain.bytes - c.best.bytes, 0);
  const cost = bytesOf(model, { kind: 'bits', nodes: [], initializers: sharedTensors(shared) });
  return choices.map((c) => (gain > cost ? c.best : c.plain).form);
}
