/**
 * Owns the forms in which a clustered tensor is stored, smallest first by exact bytes: indices of 1 to 8 bits and a codebook, read
 * back by Gather, which the runtime folds at load. Groups (channels or blocks) have a codebook each, one after the other in one
 * table; what was stored sparse keeps its mask and shares its kept values.
 */
import { lazy } from '../base/lazy.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import type { NewNode } from '../ir/graph-edit.ts';
import type { Model } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { int64Tensor, packNumbers, toNumbers } from '../ir/values.ts';
import { type Indices, indexForms, type Names, type Parts } from './packed-indices.ts';
import { lazyNumbers } from './quantize-numbers.ts';
import { storedBytes } from './sparse-choice.ts';
import { storageTarget, type TargetRuntime } from './storage-target.ts';
import { type ClusterStart, type Clusters, clusterWeights } from './weight-clusters.ts';

export interface Sharing {
  readonly bits: number;
  readonly start: ClusterStart;
  readonly seed: number;
  /** One codebook for the tensor, one per index of `axis`, or one per `block` neighbours in storage order. */
  readonly per:
    | { readonly kind: 'layer' }
    | { readonly kind: 'axis'; readonly axis: number }
    | { readonly kind: 'block'; readonly size: number };
}

/** How the elements fall into groups. */
interface Groups {
  readonly count: number;
  /** Shape of the indices, and of the group's number beside them, that broadcast against each other. */
  readonly dims: readonly number[];
  readonly offsetDims: readonly number[];
  readonly groupOf: (k: number) => number;
  /** Elements with those that fill up the last block. */
  readonly padded: number;
}

function groupsOf(dims: readonly number[], per: Sharing['per']): Groups {
  const n = elementCount(dims);
  if (per.kind === 'axis') {
    const count = dims[per.axis] ?? 1;
    const inner = elementCount(dims.slice(per.axis + 1));
    const offsetDims = dims.map((d, i) => (i === per.axis ? d : 1));
    return { count, dims, offsetDims, groupOf: (k) => Math.floor(k / inner) % count, padded: n };
  }
  const size = per.kind === 'block' ? Math.min(per.size, n) : n;
  const count = Math.ceil(n / size);
  return {
    count,
    dims: [count, size],
    offsetDims: [count, 1],
    groupOf: (k) => Math.floor(k / size),
    padded: count * size,
  };
}

interface Table {
  /** Entries of one group's codebook. */
  readonly entries: number;
  readonly bits: number;
  readonly groups: Groups;
  readonly clusters: () => { readonly codebook: Float64Array; readonly indices: Uint8Array };
}

/** Positions of the elements group by group, in order; group g's are members[starts[g] .. starts[g + 1]]. */
function membersOf(groups: Groups, count: number): { readonly members: Uint32Array; readonly starts: Uint32Array } {
  const starts = new Uint32Array(groups.count + 1);
  for (let k = 0; k < count; k++) {
    const g = groups.groupOf(k) + 1;
    starts[g] = (starts[g] ?? 0) + 1;
  }
  for (let g = 1; g <= groups.count; g++) starts[g] = (starts[g] ?? 0) + (starts[g - 1] ?? 0);
  const next = starts.slice();
  const members = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    const g = groups.groupOf(k);
    const at = next[g] ?? 0;
    members[at] = k;
    next[g] = at + 1;
  }
  return { members, starts };
}

/** Clusters of every group, each in its own right. */
function tableOf(tensor: Tensor, s: Sharing): Table {
  const groups = groupsOf(tensor.dims, s.per);
  const entries = Math.min(2 ** s.bits, Math.ceil(groups.padded / groups.count));
  const clusters = lazy(() => {
    const values = toNumbers(tensor);
    const random = rng(s.seed).fork(`share ${tensor.name}`);
    if (groups.count === 1 && groups.padded === values.length) return clusterWeights(values, entries, s.start, random);
    const codebook = new Float64Array(entries * groups.count);
    const indices = new Uint8Array(groups.padded);
    const { members, starts } = membersOf(groups, values.length);
    for (let g = 0; g < groups.count; g++) {
      const own = members.subarray(starts[g], starts[g + 1]);
      const numbers = new Float64Array(own.length);
      for (let j = 0; j < own.length; j++) numbers[j] = values[own[j] ?? 0] ?? 0;
      const found: Clusters = clusterWeights(numbers, entries, s.start, random);
      codebook.set(found.codebook, g * entries);
      for (let j = 0; j < own.length; j++) indices[own[j] ?? 0] = found.indices[j] ?? 0;
    }
    return { codebook, indices };
  });
  return { entries, bits: Math.max(1, Math.ceil(Math.log2(entries))), groups, clusters };
}

/** Nodes from int32 indices [padded] to the tensor under its own name. */
function lookUp(tensor: Tensor, table: Table, index: Parts, names: Names): Parts {
  const { groups, entries } = table;
  const nodes: NewNode[] = [...index.nodes];
  const initializers: Tensor[] = [...index.initializers];
  const codebook = lazyTensor(names.own('codebook'), tensor.type, [entries * groups.count], () =>
    packNumbers(tensor.type, table.clusters().codebook),
  );
  initializers.push(codebook);
  let at = index.output;
  let dims: readonly number[] = [groups.padded];
  const shaped = (to: readonly number[], part: string, output: string): void => {
    const shape = int64Tensor(names.own(part), [to.length], to);
    initializers.push(shape);
    nodes.push({ op: 'Reshape', inputs: [at, shape.name], outputs: [output] });
    at = output;
    dims = to;
  };
  if (groups.count > 1) {
    if (dims.join() !== groups.dims.join()) shaped(groups.dims, 'rows', names.own('grouped'));
    const offset = lazyNumbers(names.own('offset'), 'int32', groups.offsetDims, () =>
      Float64Array.from({ length: groups.count }, (_, g) => g * entries),
    );
    initializers.push(offset);
    nodes.push({ op: 'Add', inputs: [at, offset.name], outputs: [names.own('entry')] });
    at = names.own('entry');
  }
  const n = elementCount(tensor.dims);
  if (groups.padded !== n) {
    shaped([groups.padded], 'all', names.own('entries'));
    const [start, end] = [int64Tensor(names.own('zero'), [1], [0]), int64Tensor(names.own('length'), [1], [n])];
    initializers.push(start, end);
    nodes.push({ op: 'Slice', inputs: [at, start.name, end.name, start.name], outputs: [names.own('used')] });
    at = names.own('used');
    dims = [n];
  }
  const last = dims.join() === tensor.dims.join();
  const output = last ? tensor.name : names.own('shared');
  nodes.push({ op: 'Gather', inputs: [codebook.name, at], outputs: [output], attributes: [attr.int('axis', 0)] });
  at = output;
  if (!last) shaped(tensor.dims, 'shape', tensor.name);
  return { nodes, initializers, output: tensor.name };
}

export interface SharedForm extends Parts {
  /** Of the nodes and stored tensors in the file. */
  readonly bytes: number;
  readonly entries: number;
  readonly groups: number;
}

/** The smallest form of a tensor under this sharing. Reads no value. */
export function sharedForm(
  model: Model,
  tensor: Tensor,
  s: Sharing,
  names: Names,
  runtime: TargetRuntime | undefined,
): SharedForm {
  const table = tableOf(tensor, s);
  const indices: Indices = { count: table.groups.padded, bits: table.bits, values: () => table.clusters().indices };
  const forms = indexForms(indices, names, storageTarget(model, runtime));
  const sized = forms.map((f) => {
    const parts = lookUp(tensor, table, f, names);
    const bytes = storedBytes(model, { nodes: parts.nodes, initializers: parts.initializers });
    return { ...parts, bytes, entries: table.entries, groups: table.groups.count };
  });
  return sized.reduce((a, b) => (b.bytes < a.bytes ? b : a));
}
