/**
 * Owns what an operator is: one object that answers every question about it. Each facet is required; "does not apply"
 * is `{ none: reason }`, so nothing is silently missing.
 */
import type { Said } from '../base/text.ts';
import type { ElementType } from '../ir/element-type.ts';
import type { Attribute, Dim, Graph, Node, ValueType } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';

/** "Does not apply", with the reason a person reads. */
export interface None {
  readonly none: Said;
}
export type Facet<T> = T | None;
export const none = (reason: Said): None => ({ none: reason });
export const isNone = (facet: unknown): facet is None =>
  typeof facet === 'object' && facet !== null && 'none' in facet && ['string', 'object'].includes(typeof facet.none);

// ---------------------------------------------------------------- facts

/** One element of a partially known constant: a number (int64 as a double, INT64_MAX as 2^63), a symbol, or unknown. */
export type Scalar = number | string | null;

/** What inference knows of a value. */
export interface Facts {
  /** Element type of a tensor; null when unknown. */
  readonly elem: ElementType | null;
  /** null: rank unknown. A dim may be a symbol or unknown. */
  readonly shape: readonly Dim[] | null;
  /**
   * Contents of a small tensor (at most 1,024 elements) whose value is known without running the graph: what Shape, Gather,
   * Concat ... compute, so that Reshape, Slice, Resize, Expand resolve. Row-major.
   */
  readonly content?: readonly Scalar[];
  /** True where the value depends on no graph input (initializer, Constant, and all computed from such alone). */
  readonly constant: boolean;
  /** Set where the value is not a dense tensor (sequence, map, optional, sparse). */
  readonly other?: ValueType;
}

export const unknownFacts: Facts = { elem: null, shape: null, constant: false };

/** What a rule sees of its node. All arrays run along node.inputs / node.outputs; an omitted input is undefined. */
export interface NodeContext {
  readonly node: Node;
  /** Version of the node's domain that the model imports. */
  readonly version: number;
  readonly inputs: readonly (Facts | undefined)[];
}

export interface InferContext extends NodeContext {
  /** Infers a subgraph (If, Loop, Scan): facts of its outputs when its inputs have these facts. */
  subgraph(graph: Graph, inputs: readonly Facts[]): readonly Facts[];
}

/** Shapes and types of the outputs. Throws Fault `bad-graph` only where the node contradicts its operator. */
export type InferRule = (c: InferContext) => readonly Facts[];

// ---------------------------------------------------------------- work

/** Kernels that cost alike on a device. */
export type KernelClass =
  | 'conv'
  | 'depthwise-conv'
  | 'conv-transpose'
  | 'matmul'
  | 'recurrent'
  | 'attention'
  | 'pool'
  | 'normalisation'
  | 'elementwise'
  | 'reduce'
  | 'data-movement' // copies, gathers, concatenations, layout
  | 'view' // Reshape, Flatten, Squeeze ...: free
  | 'quantize'
  | 'control'
  | 'other';

export interface OpWork {
  readonly kernel: KernelClass;
  /**
   * Multiply-accumulates of convolution, matrix product, attention and recurrent cells (no bias, no activation). null: it
   * depends on an unknown dimension.
   */
  readonly macs: number | null;
  /** All other arithmetic, in elementary operations on elements; listed apart. null: unknown. */
  readonly otherOps: number | null;
}

export interface WorkContext extends NodeContext {
  readonly outputs: readonly Facts[];
  /** Work of a subgraph (Loop multiplies it by its trip count where that is known). */
  subgraph(graph: Graph, inputs: readonly Facts[]): { readonly macs: number | null; readonly otherOps: number | null };
}
export type WorkRule = (c: WorkContext) => OpWork;

// ---------------------------------------------------------------- channels

/** One axis of one value. `value` is a value name, or `#<node id>/<anything>` for an axis that only the rule knows. */
export interface Slot {
  readonly value: string;
  readonly axis: number;
}

/**
 * How indices along one axis correspond to indices along another. All sizes are known numbers; a rule that meets an unknown
 * size says `freeze`.
 */
export type ChannelRelation =
  /** Index i of a is index i of b (sizes equal). */
  | { readonly kind: 'same'; readonly a: Slot; readonly b: Slot }
  /** Index i of `part` is index offset + i * stride of `whole` (Concat, Split, Slice). stride defaults to 1. */
  | {
      readonly kind: 'part';
      readonly part: Slot;
      readonly whole: Slot;
      readonly offset: number;
      readonly stride?: number;
    }
  /**
   * Index i of `of` (size n) stands at every index (o * n + i) * inner + r of `big`, o < outer, r < inner
   * (Flatten of [C, H, W]: inner = H * W; grouped convolution's weight columns: outer = group). A merge of several axes
   * gives one `repeat` into `big` per axis: a group that comes from one of them goes on to `big`, never back into another.
   */
  | { readonly kind: 'repeat'; readonly of: Slot; readonly big: Slot; readonly outer: number; readonly inner: number }
  /** Nothing may be removed from this axis; the reason reaches the screen. */
  | { readonly kind: 'freeze'; readonly slot: Slot; readonly reason: string };

export interface ChannelContext extends NodeContext {
  readonly outputs: readonly Facts[];
  /** Shortcut: the slot of input / output k at a (non-negative) axis. */
  in(k: number, axis: number): Slot;
  out(k: number, axis: number): Slot;
}

export interface AdaptContext extends ChannelContext {
  /** Indices that stay along a slot, ascending; undefined: all stay. */
  kept(slot: Slot): readonly number[] | undefined;
}

/** What a node needs changed when channels went: attributes, or constant inputs (by input index) with new contents. */
export interface NodeAdaptation {
  readonly attributes?: readonly Attribute[];
  /** Attributes that must go (Split's num_outputs where its sizes become unequal). */
  readonly drop?: readonly string[];
  /**
   * Small integer constants (Reshape target, Split sizes, Slice bounds): new values by input index. A new initializer takes
   * the place of what the input read, whether that was a constant, computed, shared or missing.
   */
  readonly constants?: Readonly<Record<number, readonly number[]>>;
}

export interface ChannelRule {
  /**
   * Relations between the axes of inputs, weights and outputs. An axis that no relation mentions is left alone and must not
   * be reached: the solver freezes an axis of an output or input that its neighbours relate and this node does not mention.
   */
  relate(c: ChannelContext): readonly ChannelRelation[];
  /** Needed where the node's attributes or shape constants speak of sizes (group, Reshape, Split). */
  adapt?(c: AdaptContext): NodeAdaptation;
  /**
   * Set on operators that make channels out of weights (Conv, Gemm, MatMul, recurrent): the axis of the weight input whose
   * indices are the output channels, and the bias that goes with it.
   */
  makes?(c: ChannelContext): { readonly weight: Slot; readonly output: Slot; readonly bias?: Slot } | undefined;
}

// ---------------------------------------------------------------- quantization

export type QuantizeRule =
  /** Multiplies data with a constant weight: quantize data, weight, bias and output. */
  | {
      readonly role: 'compute';
      readonly data: number;
      readonly weight: number;
      readonly bias?: number;
      /** Axis of the weight that holds the output channels (ConvTranspose: 1; undefined: per tensor only). */
      weightAxis(c: NodeContext): number | undefined;
    }
  /** Values pass unchanged (MaxPool, Reshape, Transpose, Slice ...): input and output share one scale. */
  | { readonly role: 'pass'; readonly data: number }
  /** Computes on quantized tensors where all operands are quantized (Add, Mul, Concat, AveragePool, Sigmoid ...). */
  | { readonly role: 'elementwise'; readonly data: readonly number[] }
  /** Clamps its input and fuses into the maker's output scale (Relu, Clip). */
  | { readonly role: 'activation'; readonly data: number };

// ---------------------------------------------------------------- gradient

/** Emits ONNX nodes and names their results; every name is fresh. */
export interface GradientContext extends NodeContext {
  readonly outputs: readonly Facts[];
  readonly opset: number;
  /** Name of the forward value of input / output k. */
  x(k: number): string;
  y(k: number): string;
  /** Name of the gradient that reached output k, or undefined where none did. */
  dy(k: number): string | undefined;
  /** True where the gradient of input k is wanted. */
  wants(k: number): boolean;
  /** Emits one node and returns the names of its outputs (one unless `outputs` says more). */
  emit(op: string, inputs: readonly string[], attributes?: readonly Attribute[], outputs?: number): readonly string[];
  /** As `emit`, for the usual single output. */
  one(op: string, inputs: readonly string[], attributes?: readonly Attribute[]): string;
  /** The node's own operator with its attributes once more, on other inputs. */
  again(inputs: readonly string[]): string;
  /** A constant of the backward graph. */
  constant(tensor: Tensor): string;
  floats(values: readonly number[], dims?: readonly number[]): string;
  ints(values: readonly number[]): string;
  /**
   * The rule by parts: `build` emits what the node computes in operators that have rules of their own, from the names of its
   * inputs, and returns the names of its outputs; their rules give the gradients of the node's inputs.
   */
  through(build: () => readonly string[]): readonly (string | undefined)[];
  /** Sums a gradient of shape `from` down to shape `to` (broadcasting undone). Known shapes only. */
  unbroadcast(grad: string, from: readonly Dim[] | null, to: readonly Dim[] | null): string;
}
/** Gradient names by input index; undefined where not wanted or zero. */
export type GradientRule = (c: GradientContext) => readonly (string | undefined)[];

// ---------------------------------------------------------------- cases

/** A small instance of the operator that tests run against the runtime. */
export interface OpCase {
  readonly name: string;
  readonly opset?: number;
  readonly attributes?: readonly Attribute[];
  /** Per input: a shape fed at random, or a constant initializer; undefined: omitted. */
  readonly inputs: readonly (
    | { readonly shape: readonly number[]; readonly elem?: ElementType; readonly range?: readonly [number, number] }
    | { readonly value: Tensor }
    | undefined
  )[];
  readonly outputs?: number;
  /** Hand count, where the operator has MACs. */
  readonly macs?: number;
  /** Set where the runtime has no kernel, so that only inference can be checked (by `shapes`). */
  readonly norun?: string;
  readonly shapes?: readonly (readonly number[])[];
  /** Not differentiable at some points of this case: skip finite differences, with the reason. */
  readonly nograd?: string;
}

// ---------------------------------------------------------------- the operator

/** What an input means to the count of parameters. */
export type ParameterRole = 'weight' | 'bias' | 'scale';

export interface Op {
  readonly type: string;
  /** '' is ai.onnx. */
  readonly domain: string;
  /** Domain versions at which the operator changed; the first is when it appeared. Rules serve them all. */
  readonly since: readonly number[];
  /** Inputs that are parameters where they are constant: index -> role. Empty for most. */
  readonly parameters: Readonly<Record<number, ParameterRole>>;
  readonly infer: Facet<InferRule>;
  readonly work: Facet<WorkRule>;
  readonly gradient: Facet<GradientRule>;
  readonly channels: Facet<ChannelRule>;
  readonly quantize: Facet<QuantizeRule>;
  readonly cases: readonly OpCase[];
}

/** Declares an operator; only here so that a declaration reads well and is checked where it stands. */
export const op = (declaration: Op): Op => declaration;
