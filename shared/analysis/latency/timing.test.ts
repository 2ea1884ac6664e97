/** What is told of times: order statistics by hand, and verdicts that hold on times whose truth is known. */
import { describe, expect, it } from 'vitest';
import { rng } from '../../base/random.ts';
import { ratioOf, timingOf } from './timing.ts';

/** Times of `rounds` rounds about `ms`: noise to one side, as a shared machine has it, and a slow drift. */
function noisy(ms: number, rounds: number, seed: number): readonly number[] {
  const random = rng(seed);
  return Array.from({ length: rounds }, (_, k) => ms * (1 + 0.1 * Math.abs(random.normal()) + 0.1 * Math.sin(k / 20)));
}

it('orders times and gives the interval of their median', () => {
  const t = timingOf([5, 1, 4, 2, 3, 6, 9, 8, 7]);
  expect(t).toMatchObject({ runs: 9, median: 5, min: 1, max: 9 });
  // 9 / 2 -+ 1.96 * 1.5: ranks 1.56 and 7.44 (from 0).
  expect(t.interval95).toEqual([2, 8]);
  expect(timingOf([3])).toMatchObject({ runs: 1, median: 3, p95: 3, interval95: [3, 3], spread: 0 });
});

describe('two models in turn', () => {
  it('says no difference where there is none, in at least 48 of 50', () => {
    const verdicts = Array.from({ length: 50 }, (_, k) => ratioOf(noisy(2, 90, k), noisy(2, 90, k + 1000)).verdict);
    expect(verdicts.filter((v) => v === 'no difference').length).toBeGreaterThanOrEqual(48);
  });

  it('sees a difference of a fifth, either way', () => {
    for (let k = 0; k < 10; k++) {
      const [a, b] = [noisy(2, 90, k), noisy(1.6, 90, k + 1000)];
      expect(ratioOf(a, b).verdict).toBe('faster');
      expect(ratioOf(b, a).verdict).toBe('slower');
      const { ratio, interval95 } = ratioOf(a, b);
      expect(interval95[0]).toBeLessThanOrEqual(ratio);
      expect(interval95[1]).toBeGreaterThanOrEqual(ratio);
    }
  });

  it('does not tell what lies below its resolution, however certain', () => {
    const flat = (ms: number): readonly number[] => new Array<number>(200).fill(ms);
    expect(ratioOf(flat(1), flat(0.98)).verdict).toBe('no difference');
    expect(ratioOf(flat(1), flat(0.96)).verdict).toBe('faster');
  });
});
