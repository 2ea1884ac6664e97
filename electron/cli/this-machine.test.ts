/** The estimate for this computer: by the profile that the studio keeps, and why there is none. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { machineProfileSchema } from '#shared/devices/machine/machine-profile.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { lenet5 } from '#shared/zoo/lenet.ts';
import { machineFolder } from '../host/data-folder.ts';
import { keepMachine, machineName } from '../host/machine-file.ts';
import { runtimeName } from '../host/runtime-name.ts';
import { root } from './places.ts';
import { latencyHere, latencyJson, latencyText } from './this-machine.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bantam-machine-'));
  vi.stubEnv('BANTAM_HOME', folder);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const open = model({
  nodes: [node('Conv', ['x', 'w'], ['y'])],
  inputs: [value('x', [1, 3, 'height', 'width'])],
  outputs: [value('y', [1, 4, 'height', 'width'])],
  initializers: [randomTensor('w', [4, 3, 1, 1])],
});

it('says what is missing: calibration, or a size', async () => {
  expect(latencyHere(lenet5())).toBe('uncalibrated');
  expect(latencyText('uncalibrated')).toContain('bantam device calibrate');
  const kept = join(import.meta.dirname, '../../shared/testing/machines/two-cores-avx2.json');
  const profile = machineProfileSchema.parse(JSON.parse(readFileSync(kept, 'utf8')));
  const threads = availableParallelism(); // as `serve` and the app have it
  await keepMachine(machineFolder(), { ...profile, machine: machineName(), runtime: runtimeName(root), threads });
  const found = latencyHere(lenet5());
  expect(found).toMatchObject({ kind: 'estimated', value: expect.any(Number) });
  expect(latencyJson(found)).toBe(found);
  expect(latencyHere(open)).toBe('size');
  expect(latencyText('size')).toContain('--shape');
  expect(latencyText('size')).not.toContain('calibrate');
  expect(latencyJson('size')).toBeNull();
  expect(latencyHere(open, { inputs: { x: [1, 3, 8, 8] } })).toMatchObject({ kind: 'estimated' });
});
