/**
 * Owns how a pruned tensor is stored: dense, as a sparse initializer (COO), or as one bit per element and the values
 * that stay. The bit form is decoded by nodes that the runtime folds when it loads the model:
 *   bits [M, 1] uint8 -> BitShift by 0..7 -> Mod 2 -> [N] -> CumSum - 1 -> Gather(values) -> times bit -> [dims]
 * The product with the bit keeps what was removed at zero, also while the values are trained.
 */

import { lazy } from '../base/lazy.ts';
import { attr } from '../ir/attribute.ts';
import { elementCount, elementTypes, rawByteLength } from '../ir/element-type.ts';
import type { NewNode } from '../ir/graph-edit.ts';
import { sparsePositions } from '../ir/sparse-positions.ts';
import { lazyTensor, type SparseTensor, type Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';

export type SparseKind = 'dense' | 'coo' | 'bits';

/** A tensor in one of its forms. `nodes` make the value under the tensor's own name. */
export interface StoredForm {
  readonly kind: SparseKind;
  readonly dense?: Tensor;
  readonly sparse?: SparseTensor;
  readonly nodes: readonly NewNode[];
  readonly initializers: readonly Tensor[];
}

/** A tensor of which `kept` elements stay; `mask` (asked lazily) says which, 1 per element. */
export interface Pruned {
  readonly tensor: Tensor;
  readonly kept: number;
  readonly mask: () => Uint8Array;
}

const unitOf = (t: Tensor): number => elementTypes[t.type].bits / 8;

/** The kept elements' bytes, in order, padded with one zero where nothing stays. */
function keptBytes({ tensor, mask }: Pruned, count: number): Uint8Array {
  const unit = unitOf(tensor);
  const bytes = tensor.bytes();
  const out = new Uint8Array(count * unit);
  let to = 0;
  mask().forEach((bit, i) => {
    if (bit === 0) return;
    out.set(bytes.subarray(i * unit, (i + 1) * unit), to);
    to += unit;
  });
  return out;
}

export function denseForm(p: Pruned): StoredForm {
  const unit = unitOf(p.tensor);
  const dense = lazyTensor(p.tensor.name, p.tensor.type, p.tensor.dims, () => {
    const out = p.tensor.bytes().slice();
    p.mask().forEach((bit, i) => {
      if (bit === 0) out.fill(0, i * unit, (i + 1) * unit);
    });
    return out;
  });
  return { kind: 'dense', dense, nodes: [], initializers: [] };
}

export function cooForm(p: Pruned): StoredForm {
  const { tensor, kept, mask } = p;
  const sparse: SparseTensor = {
    dims: tensor.dims,
    values: lazyTensor(tensor.name, tensor.type, [kept], () => keptBytes(p, kept)),
    indices: lazyTensor('', 'int64', [kept], () => {
      const out = new BigInt64Array(kept);
      let to = 0;
      mask().forEach((bit, i) => {
        if (bit === 1) out[to++] = BigInt(i);
      });
      return new Uint8Array(out.buffer);
    }),
  };
  return { kind: 'coo', sparse, nodes: [], initializers: [] };
}

/** Constants that all tensors in bit form share. */
export interface SharedConstants {
  readonly shifts: string;
  readonly two: string;
  readonly flat: string;
  readonly axis: string;
  readonly one: string;
  readonly start: string;
}

export const sharedTensors = (names: SharedConstants): readonly Tensor[] => [
  numbersTensor(names.shifts, 'uint8', [1, 8], [0, 1, 2, 3, 4, 5, 6, 7]),
  numbersTensor(names.two, 'uint8', [], [2]),
  int64Tensor(names.flat, [1], [-1]),
  int64Tensor(names.axis, [], [0]),
  numbersTensor(names.one, 'int32', [], [1]),
  int64Tensor(names.start, [1], [0]),
];

/** `unique` gives a value name that nothing uses. */
export function bitForm(p: Pruned, shared: SharedConstants, unique: (base: string) => string): StoredForm {
  const { tensor, mask } = p;
  const n = elementCount(tensor.dims);
  const rows = rawByteLength('bool', Math.ceil(n / 8));
  const stored = Math.max(p.kept, 1);
  const name = (part: string): string => unique(`${tensor.name}_${part}`);
  const bits = lazyTensor(name('bits'), 'uint8', [rows, 1], () => {
    const out = new Uint8Array(rows);
    mask().forEach((bit, i) => {
      out[i >> 3] = (out[i >> 3] ?? 0) | (bit << (i & 7));
    });
    return out;
  });
  const values = lazyTensor(name('values'), tensor.type, [stored], () => keptBytes(p, stored));
  const shape = int64Tensor(name('shape'), [tensor.dims.length], tensor.dims);
  const tail = rows * 8 === n ? undefined : int64Tensor(name('end'), [1], [n]);
  const nodes: NewNode[] = [];
  const emit = (
    op: string,
    inputs: readonly string[],
    part: string,
    attributes: NewNode['attributes'] = [],
  ): string => {
    const output = part === '' ? tensor.name : name(part);
    nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  };
  const shifted = emit('BitShift', [bits.name, shared.shifts], 'shifted', [attr.string('direction', 'RIGHT')]);
  const bit = emit('Mod', [shifted, shared.two], 'bit');
  const int = emit('Cast', [bit], 'int', [attr.int('to', elementTypes.int32.code)]);
  const row = emit('Reshape', [int, shared.flat], 'row');
  const kept = tail === undefined ? row : emit('Slice', [row, shared.start, tail.name, shared.start], 'kept');
  const sum = emit('CumSum', [kept, shared.axis], 'sum');
  const index = emit('Sub', [sum, shared.one], 'index');
  const spread = emit('Gather', [values.name, index], 'spread', [attr.int('axis', 0)]);
  const mask_ = emit('Cast', [kept], 'mask', [attr.int('to', elementTypes[tensor.type].code)]);
  const masked = emit('Mul', [spread, mask_], 'masked');
  emit('Reshape', [masked, shape.name], '');
  return { kind: 'bits', nodes, initializers: [bits, values, shape, ...(tail === undefined ? [] : [tail])] };
}

/** A pruned tensor that removes its `count` smallest elements, its mask computed once. */
export const prunedBy = (tensor: Tensor, count: number, mask: (t: Tensor, n: number) => Uint8Array): Pruned => ({
  tensor,
  kept: elementCount(tensor.dims) - count,
  mask: lazy(() => mask(tensor, count)),
});

/** What a sparse initializer of this name holds, so that it can take another form. */
export function prunedSparse(name: string, s: SparseTensor): Pruned {
  const at = lazy(() => sparsePositions(s));
  const unit = unitOf(s.values);
  const tensor = lazyTensor(name, s.values.type, s.dims, () => {
    const out = new Uint8Array(elementCount(s.dims) * unit);
    const bytes = s.values.bytes();
    at().forEach((to, k) => {
      out.set(bytes.subarray(k * unit, (k + 1) * unit), to * unit);
    });
    return out;
  });
  const mask = lazy(() => {
    const out = new Uint8Array(elementCount(s.dims));
    for (const to of at()) out[to] = 1;
    return out;
  });
  return { tensor, kept: s.values.dims.reduce((a, b) => a * b, 1), mask };
}
