/** `device` and `estimate` as they print: on a written model, with a profile of one's own, and with what is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { deviceOf } from '#shared/devices/catalogue.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { lenet5 } from '#shared/zoo/lenet.ts';
import { deviceCheck, deviceList, deviceShow } from './device.ts';
import { estimate } from './estimate.ts';

let folder: string;
let printed = '';
const at = (name: string): string => join(folder, name);
const json = (): Record<string, unknown> => JSON.parse(printed) as Record<string, unknown>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bantam-device-'));
  writeFileSync(at('lenet.onnx'), writeModel(lenet5()));
  writeFileSync(at('own.json'), JSON.stringify({ ...deviceOf('kirin-970'), id: 'mine', name: 'Mine' }));
  writeFileSync(at('bad.json'), JSON.stringify({ ...deviceOf('kirin-970'), year: 'last' }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

describe('device', () => {
  it('list names every device and its units', () => {
    deviceList({});
    expect(printed).toContain('raspberry-pi-5');
    expect(printed.trimEnd().split('\n').length).toBe(21);
  });

  it('show tells where numbers come from, and what is unknown', () => {
    deviceShow('tensor-g4', {});
    expect(printed).toMatch(/units\.npu\.peak\.int8 +unknown/);
    expect(printed).toMatch(/memory\.bandwidth +68\.3 GB\/s +assumed: /);
    expect(printed).toContain('https://');
  });

  it('check prints errors, none for what was fitted', () => {
    deviceCheck({ json: true });
    const { rows, medianErrorPercent } = json() as {
      rows: { fitted?: true; error: number }[];
      medianErrorPercent: number;
    };
    expect(rows.length).toBeGreaterThan(50);
    expect(medianErrorPercent).toBeGreaterThan(1);
    printed = '';
    deviceCheck({});
    expect(printed).toMatch(/mobilenet-v1 +fp32 +124\.53 ms .* fitted/);
    expect(printed).toMatch(/kirin-970 +cpu-2018 +mobilenet-v1 +fp32 +152\.54 ms +\d+\.\d\d ms +[+-]\d+ %/);
  });
});

describe('estimate', () => {
  it('says that it is one, and what falls back', () => {
    estimate(at('lenet.onnx'), { device: 'edge-tpu' });
    expect(printed).toContain('ESTIMATED, not measured');
    expect(printed).toContain('Edge TPU does not compute in fp32');
  });

  it('gives one object with --json, unknown as null', () => {
    estimate(at('lenet.onnx'), { device: 'neural-compute-stick', json: true });
    expect(json()).toMatchObject({ kind: 'estimated', device: 'neural-compute-stick', unit: 'vpu', notTimed: 0 });
    printed = '';
    estimate(at('lenet.onnx'), { device: 'tensor-g4', unit: 'npu', json: true });
    expect(json()).toMatchObject({ fallenBack: 6, unit: 'npu' });
  });

  it("takes a profile of one's own, and refuses a bad one by field", () => {
    estimate(at('lenet.onnx'), { device: at('own.json') });
    expect(printed).toContain('Mine, Cortex-A73');
    expect(() => estimate(at('lenet.onnx'), { device: at('bad.json') })).toThrow(
      expect.objectContaining({ code: 'bad-input', where: expect.stringContaining('year') }),
    );
    expect(() => estimate(at('lenet.onnx'), { device: 'pi' })).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(() => estimate(at('lenet.onnx'), { device: 'edge-tpu', unit: 'gpu' })).toThrow(
      expect.objectContaining({ hint: 'It has: npu, cpu.' }),
    );
  });
});
