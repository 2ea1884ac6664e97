/** Owns where the profile of this machine is kept, and whether it still holds for the runtime and the processor that are there. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { type MachineProfile, machineProfileSchema } from '#shared/devices/machine/machine-profile.ts';

/** Name of the processor and how many of it: what a profile holds for. */
export function machineName(): string {
  const all = cpus();
  const model = all[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown processor';
  return `${model}, ${all.length} ${all.length === 1 ? 'core' : 'cores'}`;
}

const profileIn = (folder: string): string => join(folder, 'profile.json');
/** Timed chains of a calibration that has not ended. */
export const chainsIn = (folder: string): string => join(folder, 'chains.json');

/** The profile kept in a folder; undefined where there is none, or it is of another machine, runtime or version. */
export function readMachine(folder: string, runtime: string, threads: number): MachineProfile | undefined {
  const path = profileIn(folder);
  if (!existsSync(path)) return undefined;
  try {
    const profile = machineProfileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const fits = profile.machine === machineName() && profile.runtime === runtime && profile.threads === threads;
    return fits ? profile : undefined;
  } catch {
    return undefined; // of another version, or not whole: as if it were not there
  }
}

/** Keeps a profile; the chains that it was fitted to are not needed any more. */
export async function keepMachine(folder: string, profile: MachineProfile): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await writeFileAtomic(profileIn(folder), JSON.stringify(profile));
  rmSync(chainsIn(folder), { force: true });
}
