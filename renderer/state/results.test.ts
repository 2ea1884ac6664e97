import { describe, expect, it } from 'vitest';
import type { Evaluation, Job } from '#shared/contract/calls.ts';
import type { Recipe } from '#shared/recipes/recipe.ts';
import { measuredOf, resultOf, sameWithin } from './results.ts';

const evaluation = (top1: number, half = 0.01): Evaluation => ({
  top1,
  top5: null,
  interval95: [top1 - half, top1 + half],
  samples: 2000,
  split: 'test',
  data: 'digits',
  preprocess: { scale: 255, mean: [0], std: [1], colour: 'as-is', resize: 'fit', invert: false },
  latencyMs: { median: 1, p95: 2 },
});
const recipe = (ratio: number, off?: true): Recipe => ({
  bantam: 1,
  steps: [
    { technique: 'prune-channels', select: { all: true }, params: { ratio } },
    ...(off ? [{ technique: 'quantize', select: { all: true as const }, params: {}, off }] : []),
  ],
});
const job = (ratio: number, after: number): Job => ({
  id: `job-${ratio}`,
  spec: { kind: 'apply', modelId: 'm', recipe: recipe(ratio), evaluate: true },
  title: '',
  state: 'done',
  seq: 1,
  progress: { share: 1, what: 'done', secondsLeft: null },
  curve: [],
  log: [],
  createdAt: 0,
  result: { modelId: `r-${ratio}`, evaluation: { before: evaluation(0.98), after: evaluation(after) } },
});
const jobs = [job(0.5, 0.9), job(0.3, 0.975)];

describe('which job speaks for the screen', () => {
  it('takes the one with the same effect; a step that is off does nothing', () => {
    expect(resultOf(jobs, 'm', recipe(0.3, true))?.id).toBe('job-0.3');
    expect(resultOf(jobs, 'm', recipe(0.4))).toBeUndefined();
    expect(resultOf(jobs, 'other', recipe(0.3))).toBeUndefined();
  });

  it('marks an accuracy of another recipe stale, and never invents one', () => {
    expect(measuredOf(jobs, 'm', recipe(0.3))).toMatchObject({ stale: false, now: { top1: 0.975 } });
    expect(measuredOf(jobs, 'm', recipe(0.4))).toMatchObject({ stale: true, now: { top1: 0.9 } });
    expect(measuredOf([], 'm', recipe(0.4)).now).toBeNull();
    expect(measuredOf(jobs, 'm', { bantam: 1, steps: [] })).toMatchObject({ stale: false, now: { top1: 0.98 } });
  });

  it('knows what was measured of a model that a job made', () => {
    expect(measuredOf(jobs, 'r-0.5', { bantam: 1, steps: [] }).now?.top1).toBe(0.9);
  });

  it('claims no difference inside the interval', () => {
    expect(sameWithin(evaluation(0.98), evaluation(0.975))).toBe(true);
    expect(sameWithin(evaluation(0.98), evaluation(0.9))).toBe(false);
  });
});
