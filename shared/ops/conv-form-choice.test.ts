/** The measures behind the rule, and that it follows them: the form it chooses is the fastest, or nearly. */
import { expect, it } from 'vitest';
import { chooseWeightForm, formFits, type WeightForm } from './conv-form-choice.ts';

type Measure = readonly [
  n: number,
  channels: number,
  outputs: number,
  size: number,
  kernel: number,
  stride: number,
  group: number,
  ms: Partial<Record<WeightForm, number>>,
];

/**
 * CPU milliseconds of one run, the least of some, one thread: `npm run bench gradient-forms`, onnxruntime-node 1.30.0, x86-64 with
 * AVX2 (EPYC), 25 November 2026. Pads keep the size at stride 1, but kernels of 5 have none.
 */
const measures: readonly Measure[] = [
  [64, 1, 20, 28, 5, 1, 1, { exchange: 3.02, taps: 3.12, columns: 3.36, joint: 3.42, split: 8.6, groups: 3.26 }],
  [64, 20, 50, 12, 5, 1, 1, { exchange: 7.02, taps: 9.78, columns: 8.95, joint: 13.1, split: 11.4 }],
  [32, 3, 16, 32, 3, 1, 1, { exchange: 4.2, taps: 3.03, columns: 1.75, joint: 3.03, split: 2.19 }],
  [32, 16, 16, 32, 3, 1, 1, { exchange: 12, taps: 4.82, columns: 6.51, joint: 18.1, split: 5.04 }],
  [128, 16, 16, 32, 3, 1, 1, { exchange: 52.3, taps: 28.7, columns: 26.4, joint: 65.1, split: 20.5 }],
  [32, 16, 32, 32, 3, 2, 1, { exchange: 4.17, taps: 4.74, columns: 2.38, joint: 4.07 }],
  [32, 32, 32, 16, 3, 1, 1, { exchange: 8.02, taps: 3.59, columns: 5.41, joint: 8.15, split: 3.99 }],
  [128, 32, 32, 16, 3, 1, 1, { exchange: 31.3, taps: 21.7, columns: 22.7, joint: 37.6, split: 19.1 }],
  [32, 32, 64, 16, 3, 2, 1, { exchange: 2.87, taps: 3.18, columns: 2.06, joint: 2.08 }],
  [32, 64, 64, 8, 3, 1, 1, { exchange: 5.62, taps: 3.75, columns: 4.12, joint: 5.46, split: 3.75 }],
  [128, 64, 64, 8, 3, 1, 1, { exchange: 22, taps: 16, columns: 17.2, joint: 23.7, split: 15.6 }],
  [32, 16, 96, 32, 1, 1, 1, { exchange: 15.2, taps: 3.6, columns: 1.84, joint: 3.66 }],
  [128, 16, 96, 32, 1, 1, 1, { exchange: 65.3, taps: 15.3, columns: 9.49, joint: 17.9 }],
  [32, 144, 24, 16, 1, 1, 1, { exchange: 16.6, taps: 1.45, columns: 1.05, joint: 2.79 }],
  [32, 384, 64, 4, 1, 1, 1, { exchange: 3.75, taps: 0.786, columns: 0.605, joint: 0.584 }],
  [32, 96, 96, 32, 3, 2, 96, { columns: 18.8, groups: 27.1 }],
  [32, 144, 144, 16, 3, 1, 144, { columns: 24, groups: 21.7 }],
  [128, 144, 144, 16, 3, 1, 144, { columns: 67, groups: 86.4 }],
  [32, 144, 144, 16, 3, 2, 144, { columns: 4.67, groups: 5.87 }],
  [32, 192, 192, 8, 3, 1, 192, { columns: 6.16, groups: 7.51 }],
  [32, 384, 384, 4, 3, 1, 384, { columns: 6.35, groups: 3.89 }],
  [64, 24, 24, 14, 3, 1, 24, { columns: 4.98, groups: 5.48 }],
  [8, 32, 32, 112, 3, 1, 32, { columns: 26.8, groups: 54.7 }],
  [8, 96, 96, 56, 5, 2, 96, { columns: 26.1, groups: 16.6 }],
  [64, 24, 24, 14, 3, 1, 1, { exchange: 8.12, taps: 3.99, columns: 7.08, joint: 10.9, split: 4.87 }],
  [64, 48, 48, 7, 3, 1, 1, { exchange: 5.36, taps: 3.94, columns: 4.37, joint: 6.28, split: 4.08 }],
  [16, 64, 64, 28, 3, 1, 1, { exchange: 32.7, taps: 19.1, columns: 26.2, joint: 39.4, split: 22.8 }],
  [16, 128, 128, 14, 3, 1, 1, { exchange: 35.9, taps: 30.3, columns: 27.3, joint: 27.5, split: 25.4 }],
  [8, 256, 256, 7, 3, 1, 1, { exchange: 17.9, taps: 23.2, columns: 18.8, joint: 11.3, split: 21.5 }],
  [8, 256, 512, 7, 1, 1, 1, { exchange: 5.53, taps: 4.35, columns: 3.42, joint: 1.7 }],
];

const chosen = ([n, channels, outputs, size, kernel, stride, group, ms]: Measure) => {
  const pad = kernel === 5 ? 0 : (kernel - 1) / 2;
  const small = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const splits = group === 1 && kernel > 1 && stride === 1;
  const taps = kernel * kernel;
  const shape = { n, channels, outputs, group, positions: small * small, taps, strided: stride > 1, splits };
  const form = chooseWeightForm(shape);
  expect(formFits(form, shape)).toBe(true);
  const least = Math.min(...Object.values(ms));
  return { form, loss: (ms[form] ?? Number.NaN) / least };
};

it('follows the measures: never a fifth slower than the fastest form, three hundredths in the mean', () => {
  const losses = measures.map((m) => [String(m.slice(0, 7)), chosen(m)] as const);
  expect(losses.filter(([, { loss }]) => !(loss <= 1.2))).toEqual([]);
  const mean = Math.exp(losses.reduce((sum, [, { loss }]) => sum + Math.log(loss), 0) / losses.length);
  expect(mean).toBeLessThan(1.03);
});

it('needs every one of its forms: each is the fastest somewhere', () => {
  const fastest = new Set(measures.map((m) => Object.entries(m[7]).sort((a, b) => a[1] - b[1])[0]?.[0]));
  expect([...fastest].sort()).toEqual(['columns', 'exchange', 'groups', 'joint', 'split', 'taps']);
});
