import { expect, it } from 'vitest';
import { wilson95 } from '../training/class-scores.ts';
import { preprocessSchema } from '../training/preprocess-schema.ts';
import { accuracyDifference } from './accuracy-difference.ts';
import type { Evaluation } from './calls.ts';

const evaluation = (hits: number, samples: number, more: Partial<Evaluation> = {}): Evaluation => ({
  top1: hits / samples,
  top5: null,
  interval95: wilson95(hits, samples),
  samples,
  split: 'test',
  data: 'digits',
  preprocess: preprocessSchema.parse({}),
  latencyMs: { median: 1, p95: 1 },
  ...more,
});

it('calls a difference inside the interval none, and one outside by its points', () => {
  expect(accuracyDifference(evaluation(1961, 2000), evaluation(1959, 2000))).toEqual({ kind: 'none' });
  expect(accuracyDifference(evaluation(1961, 2000), evaluation(1900, 2000))).toEqual({
    kind: 'worse',
    points: expect.closeTo(-3.05),
  });
  expect(accuracyDifference(evaluation(1900, 2000), evaluation(1961, 2000)).kind).toBe('better');
});

it('compares nothing that was not measured alike', () => {
  expect(accuracyDifference(evaluation(9, 10), evaluation(9, 10, { data: 'other' })).kind).toBe('unknown');
  expect(accuracyDifference(evaluation(9, 10), evaluation(9, 10, { top1: null, interval95: null })).kind).toBe(
    'unknown',
  );
  expect(accuracyDifference(evaluation(9, 10), evaluation(90, 100)).kind).toBe('unknown');
});
