import { describe, expect, it } from 'vitest';
import type { Job } from '#shared/contract/calls.ts';
import type { Profile } from '#shared/contract/profile.ts';
import { profileOf, timesOf } from './measured.ts';

const timing = { runs: 3, median: 1, p95: 1, min: 1, max: 1, interval95: [1, 1] as [number, number], spread: 0 };
const layer = (id: string | null, ms: number, more: Partial<NonNullable<Profile['trace']>['layers'][number]> = {}) => ({
  id,
  name: id ?? '',
  op: 'Conv',
  kernel: 'Conv',
  fused: [],
  ms,
  rawMs: ms,
  belowResolution: false,
  ...more,
});
const profile: Profile = {
  runtime: 'r',
  provider: 'cpu',
  fellBack: null,
  threads: null,
  latencyMs: timing,
  startUpMs: { open: 1, firstRun: 1 },
  residentBytes: null,
  trace: {
    runs: 3,
    rawRatio: 1,
    layers: [
      layer('conv', 0.5, { fused: ['relu'] }),
      layer(null, 0.1),
      layer('pool', 0.01, { belowResolution: true }),
      layer('conv', 0.25),
    ],
    removed: ['dropout'],
  },
  memory: { fileOrder: null, runtimeOrder: null, bestOrder: null },
};

const job = (id: string, modelId: string, state: Job['state'], result?: Job['result']): Job => ({
  id,
  spec: { kind: 'profile', modelId, seconds: 1 },
  title: '',
  state,
  seq: 1,
  progress: { share: 0, what: '', secondsLeft: null },
  curve: [],
  log: [],
  createdAt: 0,
  ...(result === undefined ? {} : { result }),
});

describe('times of layers', () => {
  it('add up per node; what is fused or removed takes none, and is not unknown', () => {
    const times = timesOf(profile);
    expect(times.get('conv')).toEqual({ ms: 0.75, tiny: false });
    expect(times.get('pool')).toEqual({ ms: 0.01, tiny: true });
    expect([times.get('relu')?.ms, times.get('dropout')?.ms]).toEqual([0, 0]);
    expect(times.get('add')).toBeUndefined();
  });
  it('come from the newest finished profile of this model alone', () => {
    const jobs = [
      job('4', 'other', 'done', { profile: { ...profile, runtime: 'other' } }),
      job('3', 'mine', 'running'),
      job('2', 'mine', 'failed'),
      job('1', 'mine', 'done', { profile }),
    ];
    expect(profileOf(jobs, 'mine').profile).toBe(profile);
    expect(profileOf(jobs, 'mine').measuring?.id).toBe('3');
    expect(profileOf(jobs, 'none')).toEqual({ profile: null, measuring: null });
  });
});
