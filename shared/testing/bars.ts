/** Owns a small data set for tests of training: bright bars in noise, made by seed. */
import { rng } from '../base/random.ts';
import type { Dataset, Sample, Split } from '../ports/dataset.ts';

/** 6 x 6 pictures: a bright bar in one of three rows or three columns (6 classes), with noise. Says which splits were asked. */
export function bars(
  o: { readonly labelled?: boolean; readonly train?: number; readonly label?: (i: number) => number } = {},
): Dataset & { readonly asked: Set<Split> } {
  const asked = new Set<Split>();
  const { labelled = true, train = 240, label = (i: number) => i % 6 } = o;
  const sample = (split: Split, i: number): Sample => {
    const random = rng(3).fork(`${split} ${i}`);
    const bar = label(i);
    const values = Float32Array.from({ length: 36 }, (_, k) => {
      const line = bar < 3 ? Math.floor(k / 6) : k % 6;
      return (line === 2 * (bar % 3) ? 200 : 0) + random.next() * 50;
    });
    return { values, label: labelled ? bar : null };
  };
  return {
    asked,
    info: {
      id: 'bars',
      source: 'made by the test',
      labelled,
      classes: ['0', '1', '2', '3', '4', '5'],
      sample: { kind: 'image', height: 6, width: 6, channels: 1 },
      counts: { train, validation: 60, test: 60 },
      splitRule: 'none',
    },
    read: async (split, indices) => {
      asked.add(split);
      return indices.map((i) => sample(split, i));
    },
  };
}
