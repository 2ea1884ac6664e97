/** Checks the fit on machines whose times are known: it finds them again, and nothing it says is negative. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rng } from '../../base/random.ts';
import { fitMachine } from './fit-machine.ts';
import { estimateForm, fitForm } from './form-fit.ts';
import { coldShare, kernelEstimate, machineProfileSchema } from './machine-profile.ts';
import { fitRoofline, rooflineMs } from './roofline-fit.ts';
import type { RuntimeKernel } from './runtime-kernel.ts';
import type { TimedChain } from './timed-chain.ts';

const random = rng(7);
function kernel(form = 'conv'): RuntimeKernel {
  const [c, m, pixels] = [2 ** (3 + 6 * random.next()), 2 ** (3 + 6 * random.next()), 2 ** (4 + 8 * random.next())];
  const sizes = [c, m, pixels].map(Math.log2);
  return { form, macs: c * m * pixels, bytes: 4 * pixels * (c + m), weightBytes: 4 * c * m, sizes };
}
const parts = [0.01, 1.2e-8, 3e-8, 5e-8] as const;
/** A rate that falls off for few channels: what a roofline alone cannot say. */
const truth = (k: RuntimeKernel): number => rooflineMs(parts, k) * (1 + 2 ** (3 - (k.sizes[1] ?? 0)));

const about = { machine: 'm', runtime: 'r', threads: 2, date: '2026-01-01', seconds: 1, block: 8, paceMs: 1.5 };
const chain = (name: string, ms: (k: RuntimeKernel) => number, pace = 1): TimedChain => {
  const samples = Array.from({ length: 8 }, () => kernel()).map((k) => ({
    ...k,
    sizes: [...k.sizes],
    ms: pace * ms(k),
  }));
  const tracedMs = samples.reduce((s, x) => s + x.ms, 0);
  return { chain: name, pace, wholeMs: tracedMs + pace * 0.02, tracedMs, kernels: 8, viewsMs: [], samples };
};

describe('fitRoofline', () => {
  it('finds the rates that made the times', () => {
    const samples = Array.from({ length: 60 }, () => kernel()).map((k) => ({ kernel: k, ms: rooflineMs(parts, k) }));
    const found = fitRoofline(samples);
    for (const { kernel: k, ms } of samples) expect(rooflineMs(found, k) / ms).toBeCloseTo(1, 2);
  });

  it('has no negative part, whatever the times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 3, maxLength: 20 }),
        (times) => {
          const found = fitRoofline(times.map((ms) => ({ kernel: kernel(), ms })));
          expect(found.every((p) => p >= 0)).toBe(true);
        },
      ),
      { seed: 1, numRuns: 40 },
    );
  });
});

describe('fitForm', () => {
  const timed = Array.from({ length: 120 }, () => kernel()).map((k) => ({ kernel: k, ms: truth(k) }));
  const { fit } = fitForm(timed);

  it('corrects the roofline where samples say so', () => {
    const unseen = Array.from({ length: 40 }, () => kernel());
    const off = (ms: (k: RuntimeKernel) => number): number =>
      unseen.map((k) => Math.abs(ms(k) / truth(k) - 1)).sort((a, b) => a - b)[20]!;
    const corrected = off((k) => estimateForm(fit, k).ms);
    expect(corrected).toBeLessThan(0.05);
    // The correction is what does it.
    expect(corrected).toBeLessThan(off((k) => rooflineMs(fit.parts, k)) / 2);
  });

  it('falls back to the roofline far from every sample, and never below zero', () => {
    const far = { ...kernel(), sizes: [90, 90, 90] };
    expect(estimateForm(fit, far).ms).toBeCloseTo(rooflineMs(fit.parts, far), 6);
    expect(estimateForm(fit, far).error).toBeCloseTo(fit.roughError, 6);
  });

  it('is not drawn by single disturbed samples', () => {
    const disturbed = timed.map((t, i) => (i % 20 === 0 ? { ...t, ms: t.ms * 4 } : t));
    const found = fitForm(disturbed).fit;
    const off = timed.map((t) => Math.abs(estimateForm(found, t.kernel).ms / t.ms - 1)).sort((a, b) => a - b);
    expect(off[60]).toBeLessThan(0.06);
  });
});

describe('fitMachine', () => {
  const chains = Array.from({ length: 20 }, (_, k) => chain(`chain ${k}`, truth));

  it('tells its own spread, writes a profile that reads back, and estimates no kind it never met', () => {
    const profile = fitMachine(chains, about);
    expect(machineProfileSchema.parse(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
    expect(profile.spread.most).toBeLessThan(0.1);
    expect(kernelEstimate(profile, kernel('never met'), 0)).toBeUndefined();
    expect(profile.call.run).toBeGreaterThanOrEqual(0);
  });

  const middle = (profile: ReturnType<typeof fitMachine>, of = truth): number => {
    const off = Array.from({ length: 40 }, () => kernel()).map((k) => (kernelEstimate(profile, k, 0)?.ms ?? 0) / of(k));
    return off.sort((a, b) => a - b)[20] ?? 0;
  };

  it('leaves out chains that were timed while the machine was three times slower', () => {
    const slowed = Array.from({ length: 20 }, (_, k) => chain(`chain ${k}`, truth, k % 3 > 0 ? 1 : 3));
    expect(middle(fitMachine(slowed, about))).toBeCloseTo(1, 1);
  });

  it('learns from composites what kernels take among others, and what a kernel takes beside the trace’s own time', () => {
    const among = (k: RuntimeKernel): number => 0.01 + 1.5 * (truth(k) - 0.01);
    const composites = Array.from({ length: 12 }, (_, k): TimedChain => {
      const made = chain(`composite ${k}`, k < 6 ? among : () => 0.012);
      return { ...made, wholeMs: 0.01 + made.tracedMs - 0.004 * made.kernels };
    });
    const profile = fitMachine([...chains, ...composites], about);
    expect(profile.call.kernel).toBeCloseTo(-0.004, 3);
    expect(middle(profile, among)).toBeGreaterThan(0.85);
    expect(middle(fitMachine(chains, about), among)).toBeLessThan(0.8);
  });

  it('learns from probes how much of the weights the cache keeps', () => {
    const rate = (mb: number): number => (mb <= 24 ? 1e-8 : mb >= 96 ? 3e-8 : 2e-8);
    const probes = [2, 8, 24, 48, 96].map((mb): TimedChain => {
      const weightBytes = mb * 1e6;
      const k = {
        form: 'gemm row',
        macs: weightBytes / 4,
        bytes: 1e4,
        weightBytes,
        sizes: [12, 12, 0],
        ms: weightBytes * rate(mb),
      };
      return { chain: `cache ${mb} MB`, pace: 1, wholeMs: k.ms, tracedMs: k.ms, kernels: 1, viewsMs: [], samples: [k] };
    });
    const { cold } = fitMachine([...chains, ...probes], about);
    expect(cold.byteMs).toBeCloseTo(2e-8, 10);
    expect(coldShare({ cold }, 5e6)).toBe(0);
    expect(coldShare({ cold }, 48e6)).toBeCloseTo(0.5, 5);
    expect(coldShare({ cold }, 500e6)).toBe(1);
    const shares = Array.from({ length: 50 }, (_, i) => coldShare({ cold }, 1e6 * 1.15 ** i));
    expect(shares.every((s, i) => i === 0 || s >= (shares[i - 1] ?? 0))).toBe(true);
  });
});
