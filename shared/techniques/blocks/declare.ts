/** Owns what a kind of block is: when it takes a convolution's place, and how it is written and fitted. */
import type { Text } from '../../base/text.ts';
import type { BlockWriter } from './block-writer.ts';
import type { ConvLayer } from './conv-layer.ts';

export interface BlockOptions {
  /** Width inside a narrow block, as a share of the smaller of its sides. */
  readonly ratio: number;
  /** Inverted residual: filters per input channel. */
  readonly expansion: number;
  /** Depthwise separable: filters per input channel (the depth multiplier). */
  readonly multiplier: number;
  /** Shuffle unit: groups of both pointwise convolutions. */
  readonly groups: number;
}

/** The kernel that the block computes at the start [outputs, inputs, height, width]; undefined where no single kernel is. */
export type Composite = (() => Float64Array) | undefined;

export interface BlockKind {
  readonly id: string;
  readonly label: Text;
  /** Why it cannot take this layer's place; undefined where it can. */
  readonly refuses: (layer: ConvLayer, o: BlockOptions) => string | undefined;
  /** Writes the block. The composite holds where nothing bends inside. */
  readonly write: (b: BlockWriter, o: BlockOptions) => Composite;
}

/** Channels inside a narrow block: at least 1, at most the smaller side. */
export const narrow = (layer: ConvLayer, share: number, of = Math.min(layer.inputs, layer.outputs)): number =>
  Math.max(1, Math.min(of, Math.round(of * share)));

export const tapsOf = (layer: ConvLayer): number => layer.kernel[0] * layer.kernel[1];
export const centreOf = (layer: ConvLayer): number =>
  ((layer.kernel[0] - 1) / 2) * layer.kernel[1] + (layer.kernel[1] - 1) / 2;
export const kernelOf = (layer: ConvLayer, values = layer.weight()) => ({
  values,
  outputs: layer.outputs,
  inputs: layer.inputs,
  taps: tapsOf(layer),
});

/** The kernel without its shortcut: the identity where input and output can be added, else nothing. */
export function withoutIdentity(layer: ConvLayer): Float64Array {
  const rest = Float64Array.from(layer.weight());
  const [taps, centre] = [tapsOf(layer), centreOf(layer)];
  for (let c = 0; c < layer.inputs; c++) {
    const at = (c * layer.inputs + c) * taps + centre;
    rest[at] = (rest[at] ?? 0) - 1;
  }
  return rest;
}

export function plusIdentity(layer: ConvLayer, rest: Float64Array): Float64Array {
  const whole = Float64Array.from(rest);
  const [taps, centre] = [tapsOf(layer), centreOf(layer)];
  for (let c = 0; c < layer.inputs; c++) {
    const at = (c * layer.inputs + c) * taps + centre;
    whole[at] = (whole[at] ?? 0) + 1;
  }
  return whole;
}
