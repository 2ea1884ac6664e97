/**
 * Owns Tensor: shape, type and storage known at once, bytes computed only when somebody asks.
 * A preview rewrites tensors without ever touching their values.
 */
import { Fault } from '../base/fault.ts';
import { lazy } from '../base/lazy.ts';
import { type ElementType, elementCount, rawByteLength } from './element-type.ts';
import type { Rest } from './rest.ts';

/** How the tensor's values stand in the file; decides its exact byte count. */
export type Storage =
  /** TensorProto.raw_data: little-endian, packed. */
  | { readonly kind: 'raw' }
  /**
   * One of the typed repeated fields (float_data, int32_data, ...). `fieldBytes` is the length of the packed field
   * payload as found in the file (varints make it depend on the values).
   */
  | { readonly kind: 'typed'; readonly fieldBytes: number }
  /** string_data; `fieldBytes` counts every string with its tag and length prefix. */
  | { readonly kind: 'strings'; readonly fieldBytes: number }
  /** External data, as found: location (relative to the model's folder), offset and length as written, or undefined. */
  | {
      readonly kind: 'external';
      readonly location: string;
      readonly offset?: number;
      readonly length?: number;
    };

export interface Tensor {
  /** '' for a tensor inside an attribute. */
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly storage: Storage;
  /**
   * The values as raw_data would hold them (little-endian, packed), whatever the storage. May be an unaligned view:
   * copy before viewing as Float32Array. Throws Fault `no-data` where only the skeleton of the model is here (the
   * screen), and a file fault where external data cannot be read. Strings: throws, use `strings`.
   */
  readonly bytes: () => Uint8Array;
  /** string_data, undecoded. Only for type 'string'. */
  readonly strings?: () => readonly Uint8Array[];
  readonly doc?: string;
  readonly rest?: Rest;
}

/** COO form: values [nnz], indices [nnz] (linear) or [nnz, rank], int64. */
export interface SparseTensor {
  readonly dims: readonly number[];
  /** Carries the initializer's name. */
  readonly values: Tensor;
  readonly indices: Tensor;
  readonly rest?: Rest;
}

/** A new tensor stored as raw_data whose bytes are computed on demand. `make` must return exactly the packed length. */
export function lazyTensor(name: string, type: ElementType, dims: readonly number[], make: () => Uint8Array): Tensor {
  const expected = rawByteLength(type, elementCount(dims));
  return {
    name,
    type,
    dims,
    storage: { kind: 'raw' },
    bytes: lazy(() => {
      const bytes = make();
      if (bytes.byteLength !== expected)
        throw new Fault('internal', `${bytes.byteLength} bytes for ${type}[${dims.join(',')}], expected ${expected}`, {
          where: name,
        });
      return bytes;
    }),
  };
}

/** The same tensor under another name. */
export const renameTensor = (tensor: Tensor, name: string): Tensor =>
  tensor.name === name ? tensor : { ...tensor, name };
