/** Owns the parameters that several techniques show alike: one label, range and unit each; a technique adds its default and when it shows. */
import type { Field } from '../base/fields.ts';
import { text } from '../base/text.ts';

export const shareRemoved = {
  kind: 'number',
  label: text('Share removed', '제거 비율'),
  min: 0,
  max: 1,
  step: 0.01,
  unit: 'share',
} as const;

export const epochs = {
  kind: 'number',
  label: text('Epochs', '에폭'),
  min: 1,
  max: 1000,
  step: 1,
  integer: true,
  unit: 'epochs',
} as const;

export const batch = {
  kind: 'number',
  label: text('Batch', '배치'),
  min: 1,
  max: 4096,
  step: 1,
  default: 64,
  integer: true,
  unit: 'count',
} as const satisfies Field;

export const learningRate = {
  kind: 'number',
  label: text('Learning rate', '학습률'),
  min: 0,
  max: 10,
  step: 0.001,
  unit: 'none',
} as const;

export const samplesSeen = {
  kind: 'number',
  label: text('Samples looked at', '살펴볼 샘플 수'),
  min: 1,
  max: 100_000,
  step: 1,
  default: 256,
  integer: true,
  unit: 'count',
} as const satisfies Field;
