/** The kit: its models run and are of the class and type they say; synthetic results of a known profile give that profile back. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../../electron/runtime/node-runtime.ts';
import { worksOf } from '../../analysis/latency/works-of.ts';
import { rng } from '../../base/random.ts';
import { deviceOf } from '../../devices/catalogue.ts';
import { estimateOn } from '../../devices/estimate.ts';
import { type DeviceProfile, parseDeviceProfile, type Quantity } from '../../devices/profile.ts';
import { writeModel } from '../../onnx/write.ts';
import { buildFromZoo } from '../index.ts';
import { kitModels, kitVersion } from './kit-models.ts';
import { type KitResults, parseResults, profileFrom, readCsvRuns } from './kit-results.ts';

const a = (value: number): Quantity => ({ value, assumed: 'made up for a test' });

/** A CPU of known rates: 40 GMAC/s in float, 100 in int8, depthwise an eighth and a tenth, 8 GB/s, 4 us a kernel, 30 a run. */
const known: DeviceProfile = parseDeviceProfile({
  ...deviceOf('raspberry-pi-5'),
  memory: { kind: 'DRAM', bytes: null, bandwidth: a(8e9) },
  units: [
    {
      ...deviceOf('raspberry-pi-5').units[0],
      peak: { fp32: a(40e9), fp16: a(60e9), int8: a(100e9), int4: null, binary: null },
      computesAs: {},
      classes: {
        default: { utilisation: { any: a(1) } },
        'depthwise-conv': { utilisation: { fp32: a(0.125), fp16: a(0.125), int8: a(0.1) } },
        'grouped-conv': { utilisation: { any: a(0.4) } },
        pool: { bandwidthShare: a(0.25) },
      },
      launchUs: a(4),
      runUs: a(30),
    },
  ],
});

const msOn = (profile: DeviceProfile, layers: ReturnType<typeof worksOf>['layers']): number =>
  estimateOn(profile, layers)?.ms ?? Number.NaN;

/** What a device of that profile would measure, each time off by a share of `noise`. */
function resultsOf(profile: DeviceProfile, noise: number): KitResults {
  const random = rng(7);
  return {
    kit: kitVersion,
    device: { id: 'mine', name: 'Mine', kind: 'board', unit: 'cpu' },
    software: 'made up',
    date: '2026-01-02',
    runs: kitModels.map((m) => ({
      id: m.id,
      ms: msOn(profile, worksOf(m.build()).layers) * (1 + noise * random.normal()),
    })),
  };
}

describe('models of the kit', () => {
  it('have names of their own and known work of one class and type', () => {
    expect(new Set(kitModels.map((m) => m.id)).size).toBe(kitModels.length);
    for (const m of kitModels) {
      const { layers, notCounted } = worksOf(m.build());
      expect(notCounted, m.id).toEqual([]);
      for (const l of layers) expect(l.macs === null || l.bytesRead === null, `${m.id} ${l.id}`).toBe(false);
      const main = layers.filter((l) => (l.macs ?? 0) > 0);
      for (const l of main) expect(l.type, m.id).toBe(m.type);
      if (main.length > 0) expect(new Set(main.map((l) => l.kernel)).size, m.id).toBe(1);
    }
  });

  it('of 8 bits stay on units that compute in 8 bits alone, and float ones are refused there', () => {
    for (const id of ['edge-tpu', 'stm32n6']) {
      // Into and out of 8 bits may be the processor's: the microcontroller's unit does not do it.
      const on = (m: (typeof kitModels)[number]): number | undefined =>
        estimateOn(deviceOf(id), worksOf(m.build()).layers)?.layers.filter(
          (l) => l.refused !== undefined && l.kernel !== 'quantize',
        ).length;
      for (const m of kitModels.filter((k) => k.type === 'int8')) expect(on(m), `${id} ${m.id}`).toBe(0);
      for (const m of kitModels.filter((k) => k.id.startsWith('conv1x1') && k.type === 'fp32'))
        expect(on(m), `${id} ${m.id}`).toBe(4);
    }
  });

  it('run', async () => {
    const runtime = nodeRuntime(1);
    // One of each kind: all of them take minutes on a busy machine.
    for (const m of kitModels.filter((k) =>
      /^(idle|conv1x1-32|depthwise5|gemm-1-512|matmul-64|softmax-256|maxpool-256)/.test(k.id),
    )) {
      const session = await runtime.open({ bytes: writeModel(m.build()) });
      const count = m.dims.reduce((x, y) => x * y, 1);
      const input =
        m.type === 'fp16'
          ? { type: 'float16' as const, dims: m.dims, data: new Uint16Array(count) }
          : { type: 'float' as const, dims: m.dims, data: new Float32Array(count) };
      expect(Object.keys(await session.run({ input })).length, m.id).toBe(1);
      await session.release();
    }
  });
});

describe('a profile from results', () => {
  it('gets a known profile back from what it would measure', () => {
    const { profile, medianError, worst } = profileFrom(resultsOf(known, 0), 'results.json');
    const unit = profile.units[0]!;
    expect(medianError).toBeLessThan(0.01);
    expect(worst.error).toBeLessThan(0.1);
    expect(unit.peak.fp32?.value).toBeCloseTo(40e9, -9);
    expect(unit.peak.int8?.value).toBeCloseTo(100e9, -10);
    const depthwise = unit.classes['depthwise-conv']?.utilisation;
    expect((depthwise?.fp32?.value ?? 0) * (unit.peak.fp32?.value ?? 0)).toBeCloseTo(5e9, -9);
    expect(unit.launchUs?.value).toBeCloseTo(4, 0);
    expect(profile.notes[0]?.en).toContain('median error');
    // And so the networks, which nothing was fitted to.
    for (const net of ['mobilenet-v1', 'resnet-18', 'squeezenet-1.1']) {
      const { layers } = worksOf(buildFromZoo(net));
      expect(Math.abs(msOn(profile, layers) / msOn(known, layers) - 1), net).toBeLessThan(0.05);
    }
  });

  it('bears noise, and says how much it is off on runs that it had not seen', () => {
    const { profile, unseenError } = profileFrom(resultsOf(known, 0.05), 'results.json');
    expect(unseenError).toBeGreaterThan(0.005);
    expect(unseenError).toBeLessThan(0.15);
    const { layers } = worksOf(buildFromZoo('mobilenet-v1'));
    expect(Math.abs(msOn(profile, layers) / msOn(known, layers) - 1)).toBeLessThan(0.1);
  });
});

describe('bad results are refused where they are wrong', () => {
  const results = resultsOf(known, 0);
  it.each([
    ['another kit', { ...results, kit: 2 }, 'kit'],
    ['no date', { ...results, date: 'today' }, 'date'],
    ['a time of 0', { ...results, runs: [{ id: 'idle-fp32', ms: 0 }] }, 'runs.0.ms'],
    ['a bad id', { ...results, device: { ...results.device, id: 'My Pi' } }, 'device.id'],
  ])('%s', (_, value, where) => {
    expect(() => parseResults(value, 'r.json')).toThrow(
      expect.objectContaining({ code: 'bad-input', where: expect.stringContaining(where) }),
    );
  });

  it('a model that the kit does not have, and too few', () => {
    const other = { ...results, runs: [...results.runs, { id: 'resnet', ms: 1 }] };
    expect(() => profileFrom(other, 'r.json')).toThrow(
      expect.objectContaining({ where: `r.json, run ${other.runs.length}` }),
    );
    expect(() => profileFrom({ ...results, runs: results.runs.slice(0, 3) }, 'r.json')).toThrow('too few');
  });

  it('a CSV, by line', () => {
    expect(readCsvRuns('id,ms\n# mine\n\nidle-fp32,0.02\nadd-16-112-fp32;1.5\n', 'r.csv')).toEqual([
      { id: 'idle-fp32', ms: 0.02 },
      { id: 'add-16-112-fp32', ms: 1.5 },
    ]);
    const at = (text: string): string => {
      try {
        readCsvRuns(text, 'r.csv');
        return '';
      } catch (thrown) {
        return (thrown as { where: string }).where;
      }
    };
    expect(at('id,ms\nidle-fp32,fast')).toBe('r.csv, line 2');
    expect(at('idle-fp32,1\nidle-fp32,2')).toBe('r.csv, line 2');
    expect(at('idle-fp32,1,2')).toBe('r.csv, line 1');
    expect(at('idle-fp32,-1')).toBe('r.csv, line 1');
  });
});
