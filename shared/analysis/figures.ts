/** Owns what the figures are; computing them is `measure-figures.ts`. Unknown is null, never 0. */

import type { ElementType } from '../ir/element-type.ts';
import type { Dim } from '../ir/model.ts';
import type { KernelClass } from '../ops/declare.ts';

export interface LayerFigures {
  /** Node id. */
  readonly id: string;
  /** The node's name as the file has it ('' possible), for people. */
  readonly name: string;
  readonly op: string;
  /** Decoded weights and biases (see `Figures.parameters`) that this node reads first; tied ones count once. */
  readonly parameters: number;
  readonly macs: number | null;
  readonly otherOps: number | null;
  readonly kernel: KernelClass | null;
  readonly outputShape: readonly Dim[] | null;
  readonly outputType: ElementType | null;
  /** Bytes that this node's weights take in the file. */
  readonly weightBytes: number;
  readonly counted: boolean;
}

export interface Figures {
  readonly opset: number;
  readonly nodes: number;
  /** Elements of decoded weights and biases and of normalisation scale and shift, each shared tensor once. */
  readonly parameters: number;
  /** Exact size of the written ONNX file in bytes, external data included. */
  readonly fileBytes: number;
  /** Multiply-accumulates of convolutions, matrix products, attention, recurrent cells; batch 1. null: unknown dims. */
  readonly macs: number | null;
  readonly otherOps: number | null;
  /** Peak of live activations in bytes in topological order, weights not included. */
  readonly peakActivationBytes: number | null;
  /** Operators without a rule, by name ("domain::Type"), each once, with how many nodes. */
  readonly notCounted: readonly { readonly op: string; readonly nodes: number }[];
  readonly layers: readonly LayerFigures[];
}

/** How dimensions are set before counting: by input name (`--shape data=1,3,224,224`). Batch alone defaults to 1. */
export interface ShapeChoice {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}
