/** Peak activations of kernels: by hand, and against the peak of the graph, which knows no fusion. */
import { describe, expect, it } from 'vitest';
import { worksOf } from '../analysis/latency/works-of.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { nets } from '../testing/nets.ts';
import { peakLayerBytes } from './activation-bytes.ts';
import type { LayerWork } from './layer-work.ts';

const layer = (bytesRead: number, bytesWritten: number, reads: readonly number[]): LayerWork => ({
  id: 'l',
  op: 'Conv',
  kernel: 'conv',
  type: 'fp32',
  dynamic: false,
  shape: null,
  macs: 1,
  otherOps: 0,
  bytesRead,
  bytesWritten,
  weightBytes: 0,
  decodedPerCall: 0,
  fused: [],
  fusedOps: [],
  reads,
});

describe('peak activations of kernels', () => {
  it('by hand: a chain, a shortcut, and what comes from outside', () => {
    // 10 in, 20, 30, 5 out: 20 + 30.
    expect(peakLayerBytes([layer(10, 20, []), layer(20, 30, [0]), layer(30, 5, [1])])).toBe(50);
    // The shortcut keeps the first 20 until the sum.
    expect(peakLayerBytes([layer(10, 20, []), layer(20, 30, [0]), layer(50, 20, [0, 1])])).toBe(70);
    // Nobody reads it: it is a result and stays.
    expect(peakLayerBytes([layer(0, 100, []), layer(10, 20, [])])).toBe(130);
    expect(peakLayerBytes([{ ...layer(1, 1, []), bytesWritten: null }])).toBeNull();
    expect(peakLayerBytes([])).toBe(0);
  });

  it.each(Object.entries(nets))('of %s are no more than the graph needs', (_, make) => {
    const net = make();
    const graph = measureFigures(net).peakActivationBytes;
    const kernels = peakLayerBytes(worksOf(net).layers);
    if (graph === null || kernels === null) throw new Error('a size of this net is unknown');
    expect(kernels).toBeLessThanOrEqual(graph);
    expect(kernels).toBeGreaterThan(0);
  });
});
