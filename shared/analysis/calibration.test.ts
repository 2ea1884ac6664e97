/** Calibration: ranges of known distributions, what each method clips, clear faults. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { Cancelled, cancelSource, neverCancelled } from '../base/cancel.ts';
import { rng } from '../base/random.ts';
import { model, node, value } from '../testing/build.ts';
import { calibrate } from './calibration.ts';
import { clippedRange, entropyBins, Histogram } from './histogram.ts';

const runtime = nodeRuntime(1);
const m = model({
  inputs: [value('x', [1, 1000])],
  outputs: [value('y', [1, 1000])],
  nodes: [node('Neg', ['x'], ['h']), node('Relu', ['h'], ['y'])],
});
const random = rng(3);
const feeds = Array.from(
  { length: 40 },
  (_, i) =>
    ({
      x: {
        type: 'float',
        dims: [1, 1000],
        data: Float32Array.from({ length: 1000 }, (_, k) => (i === 7 && k === 5 ? -50 : random.normal())),
      },
    }) as const,
);
const request = { values: ['x', 'h', 'y'], samples: 20 } as const;

describe('ranges', () => {
  it('min-max keeps every value: of an input, an inner value, an output', async () => {
    const ranges = await calibrate(runtime, m, { ...request, method: 'min-max' }, feeds, neverCancelled);
    const all = feeds.flatMap((f) => [...f.x.data]);
    expect(ranges('x')).toEqual({ min: Math.min(...all), max: Math.max(...all) });
    expect(ranges('h')).toEqual({ min: -Math.max(...all), max: 50 });
    expect(ranges('y')).toEqual({ min: 0, max: 50 });
  });
  it.each(['percentile', 'entropy'] as const)('%s leaves the one outlier out', async (method) => {
    const ranges = await calibrate(runtime, m, { ...request, method }, feeds, neverCancelled);
    expect(ranges('h').max).toBeLessThan(10);
    expect(ranges('h').max).toBeGreaterThan(2.5);
    expect(ranges('y').min).toBe(0);
  });
  it('faults where nothing was asked or fed; stops when told', async () => {
    const ranges = await calibrate(runtime, m, { ...request, method: 'min-max' }, feeds, neverCancelled);
    expect(() => ranges('other')).toThrow('not calibrated');
    const ask = { ...request, method: 'min-max' } as const;
    await expect(calibrate(runtime, m, ask, [], neverCancelled)).rejects.toThrow('no samples');
    const { token, cancel } = cancelSource();
    cancel();
    await expect(calibrate(runtime, m, ask, feeds, token)).rejects.toThrow(Cancelled);
  });
});

describe('histograms', () => {
  it('a value of one number keeps its range', () => {
    const h = new Histogram({ min: 2, max: 2 });
    h.add([2, 2, 2]);
    expect(clippedRange(h, 'entropy')).toEqual({ min: 2, max: 2 });
  });
  it('the zeros of a Relu do not make entropy clip the rest', () => {
    const counts = new Float64Array(2048).map((_, i) => (i === 0 ? 1e6 : 100 * Math.exp(-((i / 900) ** 2))));
    expect(entropyBins(counts)).toBeGreaterThan(1200);
  });
});
