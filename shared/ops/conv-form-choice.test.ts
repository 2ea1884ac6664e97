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
 * AVX-512, 25 November 2026. Pads keep the size at stride 1, but kernels of 5 have none.
 */
const measures: readonly Measure[] = [
  [64, 1, 20, 28, 5, 1, 1, { exchange: 2.01, taps: 3.11, columns: 2.79, joint: 3.1 }],
  [64, 20, 50, 12, 5, 1, 1, { exchange: 7.92, taps: 6.68, columns: 9.06, joint: 8.81 }],
  [32, 3, 16, 32, 3, 1, 1, { exchange: 2.34, taps: 1.91, columns: 1.13, joint: 2.18 }],
  [32, 16, 16, 32, 3, 1, 1, { exchange: 12.0, taps: 6.57, columns: 7.24, joint: 17.9 }],
  [128, 16, 16, 32, 3, 1, 1, { exchange: 82.4, taps: 33.7, columns: 25.2, joint: 80.5 }],
  [32, 16, 32, 32, 3, 2, 1, { exchange: 5.9, taps: 6.19, columns: 2.57, joint: 3.94 }],
  [32, 32, 32, 16, 3, 1, 1, { exchange: 8.13, taps: 3.83, columns: 5.49, joint: 10.2 }],
  [128, 32, 32, 16, 3, 1, 1, { exchange: 49.4, taps: 30.1, columns: 22.9, joint: 34.5 }],
  [32, 32, 64, 16, 3, 2, 1, { exchange: 2.79, taps: 3.22, columns: 1.83, joint: 2.05 }],
  [32, 64, 64, 8, 3, 1, 1, { exchange: 5.5, taps: 6.02, columns: 5.6, joint: 6.08 }],
  [128, 64, 64, 8, 3, 1, 1, { exchange: 21.9, taps: 21.2, columns: 15.7, joint: 21.5 }],
  [32, 16, 96, 32, 1, 1, 1, { exchange: 10.7, taps: 3.67, columns: 2.66, joint: 5.39 }],
  [128, 16, 96, 32, 1, 1, 1, { exchange: 77.0, taps: 13.6, columns: 8.63, joint: 21.0 }],
  [32, 144, 24, 16, 1, 1, 1, { exchange: 17.8, taps: 2.0, columns: 1.54, joint: 2.74 }],
  [32, 384, 64, 4, 1, 1, 1, { exchange: 2.54, taps: 0.78, columns: 0.94, joint: 0.59 }],
  [64, 24, 24, 14, 3, 1, 1, { exchange: 8.8, taps: 5.83, columns: 7.58, joint: 11.8 }],
  [64, 48, 48, 7, 3, 1, 1, { exchange: 5.76, taps: 5.03, columns: 4.39, joint: 7.45 }],
  [16, 64, 64, 28, 3, 1, 1, { exchange: 42.7, taps: 24.4, columns: 28.0, joint: 34.7 }],
  [16, 128, 128, 14, 3, 1, 1, { exchange: 27.4, taps: 25.7, columns: 30.5, joint: 26.3 }],
  [8, 256, 256, 7, 3, 1, 1, { exchange: 16.0, taps: 27.1, columns: 21.0, joint: 14.6 }],
  [8, 256, 512, 7, 1, 1, 1, { exchange: 6.72, taps: 4.03, columns: 2.66, joint: 1.66 }],
  [32, 96, 96, 32, 3, 2, 96, { columns: 14.2, groups: 15.4 }],
  [32, 144, 144, 16, 3, 1, 144, { columns: 16.0, groups: 21.4 }],
  [128, 144, 144, 16, 3, 1, 144, { columns: 70.5, groups: 143.0 }],
  [32, 144, 144, 16, 3, 2, 144, { columns: 7.32, groups: 6.25 }],
  [32, 192, 192, 8, 3, 1, 192, { columns: 6.58, groups: 7.69 }],
  [32, 384, 384, 4, 3, 1, 384, { columns: 6.32, groups: 4.08 }],
  [64, 24, 24, 14, 3, 1, 24, { columns: 5.38, groups: 5.71 }],
  [8, 32, 32, 112, 3, 1, 32, { columns: 31.4, groups: 57.4 }],
  [8, 96, 96, 56, 5, 2, 96, { columns: 28.2, groups: 17.8 }],
];

const chosen = ([n, channels, outputs, size, kernel, stride, group, ms]: Measure) => {
  const pad = kernel === 5 ? 0 : (kernel - 1) / 2;
  const small = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const shape = { n, channels, outputs, group, positions: small * small, taps: kernel * kernel, strided: stride > 1 };
  const form = chooseWeightForm(shape);
  expect(formFits(form, shape)).toBe(true);
  const least = Math.min(...Object.values(ms));
  return { form, loss: (ms[form] ?? Number.NaN) / least };
};

it('follows the measures: never a fifth slower than the fastest form, two hundredths in the mean', () => {
  const losses = measures.map((m) => [String(m.slice(0, 7)), chosen(m)] as const);
  expect(losses.filter(([, { loss }]) => !(loss <= 1.2))).toEqual([]);
  const mean = Math.exp(losses.reduce((sum, [, { loss }]) => sum + Math.log(loss), 0) / losses.length);
  expect(mean).toBeLessThan(1.02);
});

it('needs every one of its forms: each is the fastest somewhere', () => {
  const fastest = new Set(measures.map((m) => Object.entries(m[7]).sort((a, b) => a[1] - b[1])[0]?.[0]));
  expect([...fastest].sort()).toEqual(['columns', 'exchange', 'groups', 'joint', 'taps']);
});
