import { describe, expect, it } from 'vitest';
import { placeFor, withStep } from './place-step.ts';
import type { Step } from './recipe.ts';

const step = (technique: string, off?: true): Step => ({
  technique,
  select: { all: true },
  params: {},
  ...(off === undefined ? {} : { off }),
});

describe('placeFor', () => {
  it('puts what changes or learns floats before what rounds them', () => {
    const steps = [step('prune-channels'), step('quantize')];
    expect(placeFor(steps, 'train')).toBe(1);
    expect(withStep(steps, step('prune-weights')).map((s) => s.technique)).toEqual([
      'prune-channels',
      'prune-weights',
      'quantize',
    ]);
  });
  it('puts at the end what rounds, what follows codebooks, and where the rounding is off', () => {
    expect(placeFor([step('prune-channels')], 'quantize')).toBe(1);
    expect(placeFor([step('share-weights')], 'train')).toBe(1);
    expect(placeFor([step('quantize', true)], 'train')).toBe(1);
    expect(placeFor([step('quantize')], 'change-opset')).toBe(1);
  });
});
