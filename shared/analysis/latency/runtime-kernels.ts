/** Owns runtimeKernels: the kernels that the runtime makes of layers, with the changes of layout that it puts between. */
import type { LayerWork } from '../../devices/layer-work.ts';
import { decodeKernel, kernelOf, type RuntimeKernel, reorderKernel } from '../../devices/machine/runtime-kernel.ts';
import { layoutOf } from './blocked-layout.ts';

export interface PlacedKernel {
  /** Index of the layer that it computes; null for what stands before `before`: a change of layout, a weight decoded. */
  readonly layer: number | null;
  readonly before: number;
  /** undefined: a size is unknown. */
  readonly kernel: RuntimeKernel | undefined;
}

/** In the order of the layers. Layers that another kernel computes too have none. */
export function runtimeKernels(layers: readonly LayerWork[], block: number): readonly PlacedKernel[] {
  const { blocked, reorders, into } = layoutOf(layers, block);
  const out: PlacedKernel[] = [];
  let at = 0;
  for (let k = 0; k <= layers.length; k++) {
    for (; at < reorders.length && (reorders[at]?.before ?? 0) <= k; at++) {
      const r = reorders[at];
      if (r !== undefined) out.push({ layer: null, before: k, kernel: reorderKernel(r.kind, r.bytes) });
    }
    const layer = layers[k];
    // A weight behind a lone DequantizeLinear is decoded before each use.
    if (layer !== undefined && layer.decodedPerCall > 0)
      out.push({ layer: null, before: k, kernel: decodeKernel(layer.decodedPerCall) });
    if (layer !== undefined && (into[k] ?? -1) < 0)
      out.push({ layer: k, before: k, kernel: kernelOf(layer, blocked[k] === true, block) });
  }
  return out;
}
