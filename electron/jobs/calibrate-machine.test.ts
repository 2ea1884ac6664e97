/** Checks a calibration on this very machine: short, broken off and gone on with; the profile stands only for what it was made on. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { estimateLatency } from '#shared/analysis/latency/estimate-latency.ts';
import { Cancelled, cancelSource } from '#shared/base/cancel.ts';
import { buildFromZoo } from '#shared/zoo/index.ts';
import { chainsIn, keepMachine, readMachine } from '../host/machine-file.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { calibrateMachine } from './calibrate-machine.ts';
import { silent } from './report.ts';

const folder = mkdtempSync(join(tmpdir(), 'bantam-machine-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const runtime = nodeRuntime();
const namesKept = (): readonly string[] =>
  (JSON.parse(readFileSync(chainsIn(folder), 'utf8')) as { chains: { chain: string }[] }).chains.map((c) => c.chain);

describe('calibrateMachine', () => {
  it('keeps what it timed when it is cancelled, goes on from there, and gives a profile that estimates a network', async () => {
    const { token, cancel } = cancelSource();
    let told = 0;
    const report = {
      ...silent,
      progress: () => {
        told++;
        cancel();
      },
    };
    const request = { seconds: 4, kept: chainsIn(folder) };
    await expect(calibrateMachine({ runtime, cancel: token, report }, request)).rejects.toThrow(Cancelled);
    const first = namesKept();
    expect(first.length).toBe(1);
    expect(told).toBe(1);

    const profile = await calibrateMachine({ runtime, cancel: { requested: false }, report: silent }, request);
    expect(namesKept().slice(0, 1)).toEqual(first);
    expect(profile.chains).toBeGreaterThan(0);
    expect([1, 8, 16]).toContain(profile.block);

    await keepMachine(folder, profile);
    expect(readMachine(folder, runtime.name, 0)).toEqual(profile);
    expect(readMachine(folder, 'another runtime 1.0', 0)).toBeUndefined();
    expect(readMachine(folder, runtime.name, 7)).toBeUndefined();
    expect(() => namesKept()).toThrow('ENOENT');

    const found = estimateLatency(buildFromZoo('lenet-5'), profile);
    expect(found.ms).toBeGreaterThan(0);
    expect(found.plusMinusPercent).toBeGreaterThan(0);
  });
});
