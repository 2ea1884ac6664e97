/** Estimates by hand on a small made-up device, and laws that hold on every shipped one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { devices } from './catalogue.ts';
import { horowitz2014 } from './energy.ts';
import { estimateOn } from './estimate.ts';
import type { LayerWork } from './layer-work.ts';
import { type DeviceProfile, parseDeviceProfile, type Quantity } from './profile.ts';
import { layerTime, refusalOf } from './roofline.ts';

const a = (value: number): Quantity => ({ value, assumed: 'made up for a test' });
const noPeak = { fp32: null, fp16: null, int8: null, int4: null, binary: null };

/** An NPU for 8 bit only, 1 GMAC/s, that knows Conv and Relu; a CPU of 0.1 GMAC/s for the rest; 1 GB/s, 1 MB. */
const device: DeviceProfile = parseDeviceProfile({
  bantam: 1,
  id: 'made-up',
  name: 'Made up',
  kind: 'board',
  year: 2024,
  memory: { kind: 'DRAM', bytes: a(1e6), bandwidth: a(1e9) },
  units: [
    {
      id: 'npu',
      name: 'NPU',
      kind: 'npu',
      software: 'none',
      peak: { ...noPeak, int8: a(2e9) },
      classes: {
        default: { utilisation: { any: a(0.5) } },
        'depthwise-conv': { utilisation: { int8: a(0.1) }, launchUs: a(100) },
      },
      launchUs: a(10),
      runUs: a(1000),
      bandwidth: null,
      onChip: { bytes: a(1000), holds: 'weights' },
      operators: { only: ['Conv', 'Relu'], source: 'none' },
      fallback: 'cpu',
    },
    {
      id: 'cpu',
      name: 'CPU',
      kind: 'cpu',
      software: 'none',
      peak: { ...noPeak, fp32: a(1e8), int8: a(2e8) },
      computesAs: { fp16: 'fp32' },
      classes: { default: { utilisation: { any: a(1) } } },
      launchUs: null,
      bandwidth: null,
      onChip: null,
      operators: { except: ['NonZero'], source: 'none' },
      fallback: null,
    },
  ],
  energy: null,
  sources: {},
});

const layer = (more: Partial<LayerWork> = {}): LayerWork => ({
  id: 'c',
  op: 'Conv',
  kernel: 'conv',
  type: 'int8',
  dynamic: false,
  shape: null,
  macs: 1e6,
  otherOps: 0,
  bytesRead: 100_000,
  bytesWritten: 99_000,
  weightBytes: 2_000,
  decodedPerCall: 0,
  fused: [],
  fusedOps: [],
  reads: [],
  ...more,
});

describe('by hand', () => {
  it('the slower of arithmetic and memory, and the launch', () => {
    // 1e6 / (2e9 x 0.5) = 1 ms; 199,000 + 1,000 of the weights that do not fit = 200,000 bytes / 1e9 = 0.2 ms.
    const one = estimateOn(device, [layer()]);
    expect(one?.layers[0]).toMatchObject({ unit: 'npu', bound: 'compute', computedIn: 'int8' });
    expect(one?.layers[0]?.ms).toBeCloseTo(1.01, 9);
    expect(one?.ms).toBeCloseTo(2.01, 9);
    const wide = estimateOn(device, [layer({ macs: 1e5 })]);
    expect(wide?.layers[0]?.bound).toBe('memory');
    expect(wide?.layers[0]?.ms).toBeCloseTo(0.21, 9);
    const thin = estimateOn(device, [layer({ kernel: 'depthwise-conv', macs: 1e3, bytesRead: 1, bytesWritten: 1 })]);
    expect(thin?.layers[0]).toMatchObject({ bound: 'launch' });
  });

  it('weights stay on the chip while they fit, first come first kept', () => {
    const layers = [layer({ weightBytes: 800 }), layer({ id: 'd', weightBytes: 800 })];
    const [first, second] = estimateOn(device, layers)?.layers ?? [];
    // 800 and 200 bytes on the chip at 2.5 pJ, the rest from memory at 162.5 pJ; a multiply-accumulate of 8 bit 0.3 pJ.
    expect(first?.energyMj).toBeCloseTo((1e6 * 0.3 + 199_000 * 162.5 + 800 * 2.5) * 1e-9, 12);
    expect(second?.energyMj).toBeCloseTo((1e6 * 0.3 + 199_600 * 162.5 + 200 * 2.5) * 1e-9, 12);
  });

  it('what the unit refuses leaves its chip alone, and is moved in the type of the unit that runs it', () => {
    const conv = layer({ id: 'd', weightBytes: 800 });
    const alone = estimateOn(device, [conv])?.layers[0];
    const refused = layer({ op: 'Gather', weightBytes: 500_000, macs: 0 });
    expect(estimateOn(device, [refused, conv])?.layers[1]).toEqual(alone);
    // Taken, but nobody knows its time: it does not run there either.
    expect(estimateOn(device, [layer({ macs: null }), conv])?.layers[1]).toEqual(alone);
    // The CPU widens half floats: 199,000 and 2,000 bytes become 402,000, at 1 GB/s.
    const half = estimateOn(device, [layer({ type: 'fp16', macs: 0 })])?.layers[0];
    expect(half).toMatchObject({ unit: 'cpu', bound: 'memory' });
    expect(half?.ms).toBeCloseTo(0.402, 9);
  });

  it('what the unit refuses runs on its fallback, with the reason', () => {
    const estimate = estimateOn(device, [
      layer({ type: 'fp32' }),
      layer({ op: 'Softmax' }),
      layer({ fusedOps: ['HardSwish'] }),
      layer({ type: 'fp16', op: 'Gelu' }),
    ]);
    expect(estimate?.layers.map((l) => [l.unit, l.computedIn, l.refused])).toEqual([
      ['cpu', 'fp32', { kind: 'type', type: 'fp32' }],
      ['cpu', 'int8', { kind: 'operator', op: 'Softmax' }],
      ['cpu', 'int8', { kind: 'operator', op: 'HardSwish' }],
      ['cpu', 'fp32', { kind: 'operator', op: 'Gelu' }],
    ]);
    expect(estimate?.fallenBack).toBe(4);
  });

  it('what nobody takes, or whose work is unknown, has no time and is counted', () => {
    const estimate = estimateOn(device, [
      layer({ op: 'NonZero' }),
      layer({ macs: null }),
      layer({ type: 'binary' }),
      layer(),
    ]);
    expect(estimate?.layers.map((l) => l.ms === null)).toEqual([true, true, true, false]);
    expect(estimate?.notTimed).toBe(3);
    expect(estimate?.layers[1]?.refused).toEqual({ kind: 'unknown', what: 'work' });
    expect(estimateOn(device, [layer({ op: 'NonZero' })])?.ms).toBeNull();
  });

  it('a model that memory cannot hold has no time', () => {
    const estimate = estimateOn(device, [layer({ bytesWritten: 899_000 })]);
    expect(estimate?.memory).toMatchObject({ fits: false, deviceBytes: 1e6, weightBytes: 2_000 });
    expect(estimate?.memory.onChip).toEqual({ bytes: 1000, needed: 2000, fits: false });
    expect(estimate?.ms).toBeNull();
    expect(estimateOn(device, [layer({ bytesRead: null })])?.memory.fits).toBeNull();
  });

  it('the ends of an integer kernel and a folded normalisation are no operators of their own', () => {
    const group = layer({ fusedOps: ['DequantizeLinear', 'BatchNormalization', 'Relu', 'QuantizeLinear'] });
    const into = layer({ op: 'QuantizeLinear', kernel: 'quantize', type: 'fp32', macs: 0 });
    expect(estimateOn(device, [group])?.layers[0]).toMatchObject({ unit: 'npu' });
    expect(refusalOf({ ...device.units[0]!, operators: 'all' }, into)).toBeUndefined();
  });

  it('a float model on a unit of half floats moves and keeps half the bytes', () => {
    const unit = {
      ...device.units[1]!,
      peak: { ...device.units[1]!.peak, fp16: a(1e8) },
      computesAs: { fp32: 'fp16' as const },
    };
    const half = estimateOn({ ...device, units: [unit] }, [layer({ type: 'fp32' })]);
    expect(half?.layers[0]).toMatchObject({ type: 'fp32', computedIn: 'fp16' });
    expect(half?.memory).toMatchObject({ weightBytes: 1_000, activationBytes: 99_500 });
  });

  it('energy of 4 bit and of one bit is unknown, not nothing', () => {
    expect(horowitz2014.macPj.int4).toBeNull();
    const four = estimateOn(device, [layer({ type: 'int4' })]);
    expect([four?.energyMj, four?.energyNotKnown, four?.energyOf]).toEqual([null, 1, 'general']);
  });
});

describe('laws on every shipped device', () => {
  const works = fc.record({
    macs: fc.integer({ min: 0, max: 10 ** 9 }),
    bytesRead: fc.integer({ min: 0, max: 10 ** 7 }),
    bytesWritten: fc.integer({ min: 0, max: 10 ** 7 }),
    weightBytes: fc.integer({ min: 0, max: 10 ** 7 }),
    kernel: fc.constantFrom('conv', 'depthwise-conv', 'gemm', 'elementwise', 'pool') as fc.Arbitrary<
      LayerWork['kernel']
    >,
    type: fc.constantFrom('fp32', 'fp16', 'int8', 'other') as fc.Arbitrary<LayerWork['type']>,
  });

  it.each(devices().map((d) => [d.id, d] as const))(
    '%s: more work never takes less time, and no time is negative',
    (_, d) => {
      fc.assert(
        fc.property(works, works, (one, more) => {
          const large = { ...one };
          for (const k of ['macs', 'bytesRead', 'bytesWritten', 'weightBytes'] as const) large[k] = one[k] + more[k];
          for (const unit of d.units) {
            const time = (w: typeof one): number | undefined => {
              const t = layerTime(
                unit,
                layer(w),
                { memory: w.bytesRead + w.bytesWritten + w.weightBytes, chip: 0 },
                d.memory.bandwidth?.value ?? null,
              );
              return 'ms' in t ? t.ms : undefined;
            };
            const [small, big] = [time(one), time(large)];
            if (small === undefined || big === undefined) continue;
            expect(small).toBeGreaterThanOrEqual(0);
            expect(big).toBeGreaterThanOrEqual(small);
          }
        }),
        { numRuns: 50 },
      );
    },
  );

  it.each(devices().map((d) => [d.id, d] as const))(
    '%s: the whole is the sum of its layers and the cost of a run',
    (_, d) => {
      fc.assert(
        fc.property(fc.array(works, { minLength: 1, maxLength: 6 }), (list) => {
          for (const unit of d.units) {
            const e = estimateOn(
              d,
              list.map((w) => layer(w)),
              unit.id,
            );
            if (e === null || e.ms === null) continue;
            const sum = e.layers.reduce((ms, l) => ms + (l.ms ?? 0), 0);
            expect(e.ms).toBeGreaterThanOrEqual(sum);
            expect(e.byBound.compute + e.byBound.memory + e.byBound.launch).toBeCloseTo(e.ms, 6);
            expect(e.notTimed).toBe(e.layers.filter((l) => l.ms === null).length);
          }
        }),
        { numRuns: 30 },
      );
    },
  );
});
