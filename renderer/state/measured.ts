/** Owns what was measured of the opened model layer by layer: times on this machine. */
import { create } from 'zustand';
import type { Job } from '#shared/contract/calls.ts';
import type { Profile } from '#shared/contract/profile.ts';

export interface Measured {
  /** The newest profile of the opened model; it stays while the recipe changes, and is of the model as it was opened. */
  readonly profile: Profile | null;
  /** A profile under way. */
  readonly measuring: Job | null;
}

const nothing: Measured = { profile: null, measuring: null };

/** `useLayerMeasures((m) => m.profile)`. */
export const useLayerMeasures = create<Measured>(() => nothing);

export const forgetMeasures = (): void => useLayerMeasures.setState(nothing);

/** The newest profile that a job made of this model, and one that is under way (jobs: newest first). */
export function profileOf(jobs: readonly Job[], modelId: string): Measured {
  const own = jobs.filter((j) => j.spec.kind === 'profile' && j.spec.modelId === modelId);
  return {
    profile: own.find((j) => j.state === 'done' && j.result?.profile !== undefined)?.result?.profile ?? null,
    measuring: own.find((j) => j.state === 'running' || j.state === 'waiting') ?? null,
  };
}

/** Milliseconds by node id; what the runtime computed inside another kernel, or took away, takes none. */
export function timesOf(profile: Profile): ReadonlyMap<string, { readonly ms: number; readonly tiny: boolean }> {
  const times = new Map<string, { ms: number; tiny: boolean }>();
  const none = { ms: 0, tiny: false };
  for (const id of profile.trace?.removed ?? []) times.set(id, none);
  for (const layer of profile.trace?.layers ?? []) for (const id of layer.fused) times.set(id, none);
  for (const { id, ms, belowResolution } of profile.trace?.layers ?? []) {
    if (id === null) continue;
    const had = times.get(id);
    times.set(id, { ms: ms + (had?.ms ?? 0), tiny: belowResolution && (had?.tiny ?? true) });
  }
  return times;
}
