/** `device` and `estimate` as they print: on a written model, with a profile of one's own, and with what is wrong. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { worksOf } from '#shared/analysis/latency/works-of.ts';
import { deviceOf } from '#shared/devices/catalogue.ts';
import { estimateOn } from '#shared/devices/estimate.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { kitModels } from '#shared/zoo/kit/kit-models.ts';
import { lenet5 } from '#shared/zoo/lenet.ts';
import { deviceCheck, deviceList, deviceShow } from './device.ts';
import { deviceImport, deviceKit, deviceRun } from './device-kit.ts';
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

describe("a device of one's own", () => {
  it('kit writes every model of its list, and a README with the format of results', () => {
    deviceKit({ output: at('kit'), json: true });
    const { models } = json() as { models: number };
    const { runs } = JSON.parse(readFileSync(at('kit/runs.json'), 'utf8')) as { runs: { file: string }[] };
    expect(runs.length).toBe(models);
    const there = readdirSync(at('kit'));
    for (const { file } of runs) expect(there).toContain(file);
    expect(readFileSync(at('kit/README.md'), 'utf8')).toContain('onnxruntime_perf_test');
  });

  it('import fits a profile that estimate takes, and says its error', () => {
    const pi = deviceOf('raspberry-pi-5');
    const lines = kitModels.map((m) => `${m.id},${estimateOn(pi, worksOf(m.build()).layers)?.ms}`);
    writeFileSync(at('pi.csv'), `id,ms\n${lines.join('\n')}\n`);
    deviceImport(at('pi.csv'), { output: at('pi.json'), name: 'My Pi 5', json: true });
    expect(json()).toMatchObject({ runs: kitModels.length, worst: { id: expect.any(String) } });
    expect((json() as { medianErrorPercent: number }).medianErrorPercent).toBeLessThan(3);
    printed = '';
    estimate(at('lenet.onnx'), { device: at('pi.json') });
    expect(printed).toContain('My Pi 5');
    expect(printed).toContain('of unknown');
  });

  it('import names the line that is wrong and writes nothing', () => {
    writeFileSync(at('bad.csv'), 'id,ms\nidle-fp32,fast\n');
    expect(() => deviceImport(at('bad.csv'), { output: at('never.json') })).toThrow(
      expect.objectContaining({ code: 'bad-file', where: expect.stringContaining('line 2') }),
    );
    expect(existsSync(at('never.json'))).toBe(false);
  });

  it('run and import refuse a bad place before they begin', async () => {
    const refused = expect.objectContaining({ code: 'bad-path', where: folder });
    await expect(deviceRun({ output: folder })).rejects.toThrow(refused);
    expect(() => deviceImport(at('not-there.csv'), { output: folder })).toThrow(refused);
    const own = at('own.json');
    expect(() => deviceImport(own, { output: own })).toThrow('would overwrite');
  });

  it('estimate takes a table of measured layers', () => {
    writeFileSync(at('table.csv'), 'op,ms\nConv,2\nGemm,1\n');
    estimate(at('lenet.onnx'), { table: at('table.csv'), json: true });
    expect(json()).toMatchObject({ kind: 'estimated', ms: 6, missing: 0 });
    const both = { table: at('table.csv'), device: 'edge-tpu' };
    expect(() => estimate(at('lenet.onnx'), both)).toThrow('--device and --table');
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
    expect(() => estimate(at('lenet.onnx'), { unit: 'npu' })).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('--unit') }),
    );
  });
});
