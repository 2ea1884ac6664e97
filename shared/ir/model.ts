/**
 * Owns the in-memory model: Model, Graph, Node, Attribute, ValueInfo. Immutable; a rewrite returns a new version
 * that shares what did not change, so undo is keeping the old one. Field names follow onnx.proto.
 */
import type { ElementType } from './element-type.ts';
import type { Rest } from './rest.ts';
import type { SparseTensor, Tensor } from './tensor.ts';

export interface OpsetImport {
  /** '' is ai.onnx. */
  readonly domain: string;
  readonly version: number;
}

export interface Model {
  readonly irVersion: number;
  readonly opsets: readonly OpsetImport[];
  readonly producerName: string;
  readonly producerVersion: string;
  readonly graph: Graph;
  readonly functions: readonly LocalFunction[];
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly doc?: string;
  readonly rest?: Rest;
}

export interface Graph {
  readonly name: string;
  /** In file order, which need not be topological: use `graphIndex(graph).order`. */
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  readonly sparseInitializers: readonly SparseTensor[];
  /** May list initializers too (IR 3, or a default that a caller may override). */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly valueInfos: readonly ValueInfo[];
  readonly doc?: string;
  readonly rest?: Rest;
}

export interface Node {
  /**
   * Unique in its graph and stable under rewriting; never written. It is the node's name where that is set and
   * unique, otherwise its first output's name, otherwise `Op#index`. Recipes and the screen point at it.
   */
  readonly id: string;
  /** As in the file: may be empty or repeated. */
  readonly name: string;
  readonly op: string;
  /** '' is ai.onnx. */
  readonly domain: string;
  readonly overload?: string;
  /** Value names; '' is an omitted optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly doc?: string;
  readonly rest?: Rest;
}

export type AttributeValue =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: bigint }
  /** Bytes, because a file may hold invalid UTF-8. */
  | { readonly kind: 'string'; readonly value: Uint8Array }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'sparseTensor'; readonly value: SparseTensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'type'; readonly value: ValueType }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly bigint[] }
  | { readonly kind: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly kind: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly kind: 'sparseTensors'; readonly value: readonly SparseTensor[] }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] }
  | { readonly kind: 'types'; readonly value: readonly ValueType[] }
  /** Inside a local function: stands for the caller's attribute of this name. */
  | { readonly kind: 'reference'; readonly value: string }
  /** A kind this version does not know; carried through in `rest`. */
  | { readonly kind: 'unknown'; readonly value: null };

export type Attribute = AttributeValue & {
  readonly name: string;
  readonly doc?: string;
  readonly rest?: Rest;
};

/** A number, a symbol (dim_param), or null where the file says nothing. */
export type Dim = number | string | null;

/** The sizes of a shape that leaves none open; else undefined. */
export const fixedDims = (shape: readonly Dim[] | null | undefined): readonly number[] | undefined =>
  shape?.every((d): d is number => typeof d === 'number') ? shape : undefined;

export type ValueType =
  /** `shape` null: rank unknown. */
  | {
      readonly kind: 'tensor';
      readonly elem: ElementType | null;
      readonly shape: readonly Dim[] | null;
      readonly rest?: Rest;
    }
  | {
      readonly kind: 'sparseTensor';
      readonly elem: ElementType | null;
      readonly shape: readonly Dim[] | null;
      readonly rest?: Rest;
    }
  | { readonly kind: 'sequence'; readonly elem: ValueType | null; readonly rest?: Rest }
  | { readonly kind: 'optional'; readonly elem: ValueType | null; readonly rest?: Rest }
  | { readonly kind: 'map'; readonly key: ElementType | null; readonly value: ValueType | null; readonly rest?: Rest }
  | { readonly kind: 'opaque'; readonly rest?: Rest }
  | { readonly kind: 'unknown'; readonly rest?: Rest };

export interface ValueInfo {
  readonly name: string;
  readonly type: ValueType;
  readonly doc?: string;
  readonly rest?: Rest;
}

export interface LocalFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Node[];
  readonly opsets: readonly OpsetImport[];
  readonly attributes: readonly string[];
  readonly attributeDefaults: readonly Attribute[];
  readonly valueInfos: readonly ValueInfo[];
  readonly doc?: string;
  readonly rest?: Rest;
}

/** The version of `domain` that the model imports; undefined where it does not. */
export const opsetVersion = (model: { readonly opsets: readonly OpsetImport[] }, domain = ''): number | undefined =>
  model.opsets.find((o) => o.domain === domain || (domain === '' && o.domain === 'ai.onnx'))?.version;
