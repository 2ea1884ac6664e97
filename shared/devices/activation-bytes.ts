/** Owns peak activation memory of a list of kernels: what is alive at once, in the types that they compute in. */
import type { LayerWork } from './layer-work.ts';

/**
 * Peak bytes when the layers run in their order: what a layer writes lives until the last layer that reads it has run, what nobody
 * reads until the end; what comes from outside lives until it is read. Weights are not counted. null: a size is unknown. Unlike
 * the figures of a graph it counts a quantize-dequantize group as the 8 bits that it becomes.
 */
export function peakLayerBytes(layers: readonly LayerWork[]): number | null {
  const count = layers.length;
  const last = new Int32Array(count).fill(-1);
  for (const [at, { reads }] of layers.entries()) for (const r of reads) last[r] = at;
  const freed = new Float64Array(count + 1);
  // What a layer reads beyond what layers made comes from outside; it stands there from the start.
  let live = 0;
  for (const [at, layer] of layers.entries()) {
    if (layer.bytesRead === null || layer.bytesWritten === null) return null;
    const made = layer.reads.reduce((sum, r) => sum + (layers[r]?.bytesWritten ?? 0), 0);
    const outside = Math.max(0, layer.bytesRead - made);
    live += outside;
    freed[at] = (freed[at] ?? 0) + outside;
    const end = last[at] ?? -1;
    if (end >= 0) freed[end] = (freed[end] ?? 0) + layer.bytesWritten;
  }
  let peak = live;
  for (const [at, layer] of layers.entries()) {
    live += layer.bytesWritten ?? 0;
    peak = Math.max(peak, live);
    live -= freed[at] ?? 0;
  }
  return peak;
}
