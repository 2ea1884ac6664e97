/** Augmentation: nothing asked changes nothing, values stay in range, each part does what its paper says, seeds repeat. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldDefaults, fieldsSchema } from '../base/fields.ts';
import { rng } from '../base/random.ts';
import type { Sample } from '../ports/dataset.ts';
import { type Augment, augmented, augmentFields, augmentOf, sampleStream, standardAugment } from './augment.ts';

const none: Augment = { shift: 0, rotate: 0, zoom: 0, shear: 0, flip: false, crop: 0, erase: 0 };
const picture = (height: number, width: number, channels: number, seed: number) => {
  const random = rng(seed);
  const values = Float32Array.from({ length: height * width * channels }, () => random.below(256));
  return { info: { kind: 'image', height, width, channels } as const, sample: { values, label: 3 } satisfies Sample };
};
const sizes = fc.record({
  h: fc.integer({ min: 1, max: 12 }),
  w: fc.integer({ min: 1, max: 12 }),
  c: fc.constantFrom(1, 3),
  seed: fc.nat(1e6),
});
const reaches = fc.record({
  shift: fc.double({ min: 0, max: 0.5, noNaN: true }),
  rotate: fc.double({ min: 0, max: 45, noNaN: true }),
  zoom: fc.double({ min: 0, max: 0.5, noNaN: true }),
  shear: fc.double({ min: 0, max: 0.5, noNaN: true }),
  flip: fc.boolean(),
  crop: fc.nat(20),
  erase: fc.constantFrom(0, 0.5, 1),
});

describe('augmentation', () => {
  it('keeps size, label and range, leaves the original alone, and repeats by seed', () => {
    fc.assert(
      fc.property(sizes, reaches, ({ h, w, c, seed }, augment) => {
        const { info, sample } = picture(h, w, c, seed);
        const before = sample.values.slice();
        const out = augmented(sample, info, sampleStream(seed, 1, 2), augment);
        expect(out.label).toBe(3);
        expect(out.values.length).toBe(sample.values.length);
        expect(out.values.every((v) => v >= -1e-3 && v <= 255.001)).toBe(true);
        expect(sample.values).toEqual(before);
        expect(augmented(sample, info, sampleStream(seed, 1, 2), augment)).toEqual(out);
      }),
    );
  });

  it('changes nothing where nothing is asked, nor a vector', () => {
    const { info, sample } = picture(5, 7, 3, 1);
    expect(augmented(sample, info, rng(1), none).values).toEqual(sample.values);
    const flat = { kind: 'vector', length: 105 } as const;
    expect(augmented(sample, flat, rng(1), { ...standardAugment, erase: 1, crop: 3 })).toBe(sample);
  });

  it('flips every second picture, and twice is the picture again', () => {
    const { info, sample } = picture(3, 4, 3, 2);
    let flips = 0;
    for (let i = 0; i < 400; i++) {
      const once = augmented(sample, info, sampleStream(1, 1, i), { ...none, flip: true });
      if (once.values.every((v, k) => v === sample.values[k])) continue;
      flips++;
      expect(augmented(once, info, sampleStream(1, 1, i), { ...none, flip: true }).values).toEqual(sample.values);
    }
    expect(flips).toBeGreaterThan(150);
    expect(flips).toBeLessThan(250);
  });

  it('crops by whole pixels: every place within the padding, black where nothing was', () => {
    const { info, sample } = picture(4, 5, 1, 3);
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const { values } = augmented(sample, info, sampleStream(1, 1, i), { ...none, crop: 1 });
      const shifts = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dy, dx] as const));
      const found = shifts.find(([dy, dx]) =>
        values.every((v, at) => {
          const [y, x] = [Math.floor(at / 5) + dy, (at % 5) + dx];
          return v === (y >= 0 && y < 4 && x >= 0 && x < 5 ? sample.values[y * 5 + x] : 0);
        }),
      );
      // A picture that is no shift of the sample would stand here as undefined.
      seen.add(String(found));
    }
    const all = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => `${dy},${dx}`));
    expect([...seen].sort()).toEqual(all.sort());
  });

  it('erases one rectangle of 2 to 33 % of the picture', () => {
    const info = { kind: 'image', height: 32, width: 32, channels: 3 } as const;
    const sample: Sample = { values: new Float32Array(3072).fill(-1), label: 0 };
    for (let i = 0; i < 50; i++) {
      const { values } = augmented(sample, info, sampleStream(2, 1, i), { ...none, erase: 1 });
      const hit = [...values.keys()].filter((k) => values[k] !== -1);
      const rows = new Set(hit.map((k) => Math.floor(k / 96)));
      const columns = new Set(hit.map((k) => Math.floor(k / 3) % 32));
      expect(hit.length).toBe(rows.size * columns.size * 3);
      expect(hit.length / 3072).toBeGreaterThan(0.01);
      expect(hit.length / 3072).toBeLessThan(0.37);
    }
  });

  it('its fields read back as the standard settings, and off as none', () => {
    expect(augmentOf(fieldDefaults(augmentFields))).toEqual(standardAugment);
    expect(augmentOf({ augment: false, shift: 0.2 })).toBeNull();
    expect(() => fieldsSchema(augmentFields).parse({ shift: 0.6 })).toThrow();
  });
});
