/** Owns LayerWork: what one kernel of a model has to do, whatever the device; the input of every latency estimate. */

/** Kernels that cost alike. 'gemm' has a constant, pre-packed matrix; 'matmul' multiplies two activations. */
export const layerClasses = [
  'conv',
  'grouped-conv',
  'depthwise-conv',
  'conv-transpose',
  'gemm',
  'matmul',
  'attention',
  'recurrent',
  'pool',
  'elementwise',
  'normalisation',
  'softmax',
  'reduce',
  'data-movement',
  'quantize',
  'control',
  'other',
] as const;
export type LayerClass = (typeof layerClasses)[number];

/** The arithmetic of a kernel: weight-only storage that is folded at load computes in fp32. */
export const layerTypes = ['fp32', 'fp16', 'int8', 'int4', 'binary', 'other'] as const;
export type LayerType = (typeof layerTypes)[number];

/** A convolution or pooling. Spatial lists run along the spatial axes, without the batch and channel axes. */
export interface WindowShape {
  readonly kind: 'window';
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly groups: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly inSpatial: readonly number[];
  readonly outSpatial: readonly number[];
}

/** `count` products [rows, inner] x [inner, columns]. */
export interface ProductShape {
  readonly kind: 'product';
  readonly count: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Everything else: elements that leave the kernel, its second axis, and the length of the last axis of what enters. */
export interface ElementsShape {
  readonly kind: 'elements';
  readonly elements: number;
  readonly channels: number;
  readonly lastAxis: number;
}

export type LayerShape = WindowShape | ProductShape | ElementsShape;

export interface LayerWork {
  /** Node id of the operator that names the kernel. */
  readonly id: string;
  readonly op: string;
  readonly kernel: LayerClass;
  readonly type: LayerType;
  /** True where activations are quantized while running (DynamicQuantizeLinear, ConvInteger, MatMulInteger). */
  readonly dynamic: boolean;
  /** null: a dimension is unknown. */
  readonly shape: LayerShape | null;
  readonly macs: number | null;
  /** All other arithmetic, fused operators included. */
  readonly otherOps: number | null;
  /** Bytes of activations that enter and leave the kernel, in the type it computes on. */
  readonly bytesRead: number | null;
  readonly bytesWritten: number | null;
  /** Bytes of constants as they lie in memory at run time, not in the file. */
  readonly weightBytes: number | null;
  /** Elements of a constant that are decoded anew in every call (a lone DequantizeLinear is not folded); else 0. */
  readonly decodedPerCall: number;
  /** True where the caller may give another weight (an initializer that is an input too): the runtime prepares nothing of it. */
  readonly overridable?: boolean;
  /** Ids of further nodes that this kernel computes, in graph order, and their operators. */
  readonly fused: readonly string[];
  readonly fusedOps: readonly string[];
  /** Indices, in the list of layers, of those that make what this one reads. */
  readonly reads: readonly number[];
}
