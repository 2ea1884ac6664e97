/** Checks that a machine that others use does not enter what is measured: runs that were interrupted do not count. */
import { describe, expect, it } from 'vitest';
import type { Runtime } from '#shared/ports/runtime.ts';
import { blockProbe } from '#shared/zoo/calibration/chains.ts';
import { type MeasureParts, measureKernels } from './measure-kernels.ts';

/** A machine on which a run takes 2 ms, and 9 ms and an interruption in so many of ten runs. */
function shared(disturbed: number): MeasureParts & { readonly opened: () => number } {
  let [now, runs, taken, open] = [0, 0, 0, 0];
  const runtime: Runtime = {
    name: 'shared',
    open: async (_, options = {}) => {
      open++;
      const us: number[] = [];
      return {
        inputNames: [],
        outputNames: [],
        run: async () => {
          const hit = (runs++ * 7) % 10 < disturbed;
          if (hit) taken++;
          now += hit ? 9 : 2;
          us.push(hit ? 8_000 : 1_000);
          return {};
        },
        endProfile: async () =>
          options.profile ? us.map((microseconds) => ({ node: 'bantam#0#', op: 'MaxPool', microseconds })) : [],
        release: async () => void open--,
      };
    },
  };
  return {
    runtime,
    clock: { now: () => now },
    cancel: { requested: false },
    interruptions: () => taken,
    opened: () => open,
  };
}

describe('measureKernels', () => {
  it.each([0, 3, 6])('tells what it takes undisturbed where %i of 10 runs are interrupted', async (disturbed) => {
    const parts = shared(disturbed);
    const found = await measureKernels(blockProbe(8), {}, 200, parts, { cold: true });
    expect(found.wholeMs).toBe(2);
    expect(found.traced.rawSum).toBe(1);
    expect(found.cold?.rawSum).toBe(1);
    expect(found.calm).toBeCloseTo(1 - disturbed / 10, 0);
    expect(parts.opened()).toBe(0);
  });

  it('gives up waiting for calm, and tells the lower quartile', async () => {
    const found = await measureKernels(blockProbe(8), {}, 200, shared(10));
    expect(found.wholeMs).toBe(9);
    expect(found.calm).toBe(0);
  });
});
