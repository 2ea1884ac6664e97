/** The distillation run as a whole, one seed and two epochs; and the reading of scores that it rests on. */
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../host/datasets/open-dataset.ts';
import { bestBias, withBias, withoutClass, wrongOf } from './class-errors.ts';
import { distillation } from './distillation.ts';
import { distillationPage } from './distillation-page.ts';
import { pageText } from './page.ts';
import { quickStudy } from './testing/quick-study.ts';

describe('distillation', () => {
  it('trains students alone and taught, chooses the temperature on validation, and leaves a digit out', async () => {
    const plan = { students: ['mlp-2x30'], temperatures: [4], seeds: 1, epochs: 6, omitted: 3 };
    const result = await distillation(await quickStudy(), plan);
    const [student] = result.students;
    if (student === undefined) throw new Error('no student');
    expect(result.teacher.testErrors).toBeLessThan(40);
    expect(student.alone.meanTestErrors).toBeLessThan(400);
    expect(student.chosenTemperature).toBe(4);
    const [alone, taught] = result.omitted.runs;
    // Who learns from labels has never heard of a 3; who learns from a teacher has.
    expect(alone?.ofDigit).toBe(result.omitted.samples);
    expect(taught?.ofDigitWithBias).toBeLessThan(result.omitted.samples * 0.8);
    expect(pageText(distillationPage(result))).toContain('mlp-2x30 without any 3');
  });

  it('counts what is wrong by class, and finds the bias that mends most', () => {
    const s = { classes: 2, scores: Float32Array.of(3, 1, 2, 1, 0, 1, 2, 0), labels: [0, 1, 1, 0] };
    expect(wrongOf(s)).toMatchObject({
      errors: 1,
      byClass: [
        { errors: 0, samples: 2 },
        { errors: 1, samples: 2 },
      ],
    });
    const bias = bestBias(s, 1);
    expect(bias).toBeGreaterThan(1);
    expect(bias).toBeLessThan(2);
    expect(wrongOf(withBias(s, 1, bias)).errors).toBe(0);
  });

  it('leaves a class out of train and validation, not of test', async () => {
    const whole = await openDataset('digits');
    const less = await withoutClass(whole, 3);
    expect(less.info.counts.test).toBe(whole.info.counts.test);
    for (const split of ['train', 'validation'] as const) {
      const count = less.info.counts[split];
      const read = await less.read(
        split,
        Array.from({ length: count }, (_, i) => i),
      );
      expect(read.some((x) => x.label === 3)).toBe(false);
      expect(new Set(read.map((x) => x.label)).size).toBe(9);
    }
  });
});
