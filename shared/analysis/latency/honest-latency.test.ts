/**
 * Checks on a real machine's profile (kept as data: shared/testing/machines) that an estimate shows no speed-up where a
 * machine gives none: channels that leave the fast layout, zeros that dense kernels multiply, 8 bits that are only stored.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machineProfileSchema } from '../../devices/machine/machine-profile.ts';
import type { Model } from '../../ir/model.ts';
import { previewRecipe } from '../../recipes/preview.ts';
import { parseRecipe } from '../../recipes/recipe.ts';
import { Written } from '../../zoo/calibration/written.ts';
import { buildFromZoo } from '../../zoo/index.ts';
import { estimateLatency } from './estimate-latency.ts';
import { whyNotFaster, whyNotFasterWords } from './why-not-faster.ts';
import { worksOf } from './works-of.ts';

const profile = machineProfileSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../testing/machines/two-cores-avx2.json'), 'utf8')),
);
const msOf = (model: Model): number => estimateLatency(model, profile).ms ?? Number.NaN;

/** Six 3x3 convolutions of so many channels on 28 x 28. */
function stack(channels: number): Model {
  const net = new Written(1);
  const input = net.input(64, 28, 28);
  let x = input;
  for (let k = 0; k < 6; k++) x = net.relu(net.conv(x, `conv${k}`, channels, 3, { pad: 'same' }), `relu${k}`);
  return net.whole(input, x);
}

describe('estimates on a calibrated machine', () => {
  it('pruning 64 channels to 37 leaves the blocked layout: far less is gained than the multiply-accumulates say', () => {
    const macs = (m: Model): number => worksOf(m).layers.reduce((sum, l) => sum + (l.macs ?? 0), 0);
    const [full, odd, even] = [stack(64), stack(37), stack(40)];
    expect(macs(odd) / macs(full)).toBeLessThan(0.4);
    expect(msOf(odd) / msOf(full)).toBeGreaterThan(0.5);
    // Three channels more run faster: the reason is in the kernels that the estimate names.
    expect(msOf(even)).toBeLessThan(msOf(odd));
    expect(estimateLatency(odd, profile).layers.some((l) => l.form?.startsWith('plain'))).toBe(true);
    expect(estimateLatency(even, profile).layers.every((l) => l.form === null || l.form.startsWith('blocked'))).toBe(
      true,
    );
  });

  it('90 % zeros without structure take exactly as long', () => {
    const model = buildFromZoo('resnet-20');
    const recipe = parseRecipe({ bantam: 1, steps: [{ technique: 'prune-weights', params: { ratio: 0.9 } }] });
    const preview = previewRecipe(model, recipe);
    expect(msOf(preview.model)).toBeCloseTo(msOf(model), 6);
  });

  it('16-bit storage that is folded at load takes as long as floats', () => {
    const model = buildFromZoo('resnet-20');
    const preview = previewRecipe(model, parseRecipe({ bantam: 1, steps: [{ technique: 'float16', params: {} }] }));
    expect(msOf(preview.model) / msOf(model)).toBeGreaterThan(0.97);
  });

  it('half the channels of every layer, kept in blocks, is a speed-up', () => {
    expect(msOf(stack(32)) / msOf(stack(64))).toBeLessThan(0.5);
  });

  describe('say why a smaller model is no faster', () => {
    const why = (before: Model, after: Model, on = profile): readonly string[] =>
      whyNotFaster(estimateLatency(before, on), estimateLatency(after, on));
    const stepped = (model: Model, technique: string, params: Record<string, unknown>): Model =>
      previewRecipe(model, parseRecipe({ bantam: 1, steps: [{ technique, params }] })).model;
    const net = buildFromZoo('resnet-20');
    /** The same machine with integer kernels so many times slower: processors without 8-bit dot products. */
    const withInt8 = (times: number): typeof profile => ({
      ...profile,
      forms: Object.fromEntries(
        Object.entries(profile.forms).map(([form, fit]) => [
          form,
          form.startsWith('int8')
            ? { ...fit, parts: fit.parts.map((p) => p * times) as [number, number, number, number] }
            : fit,
        ]),
      ),
    });

    it('8 bits on a machine without fast 8-bit kernels: slower, because of them; with fast ones: faster', () => {
      const int8 = stepped(net, 'quantize', { mode: 'static' });
      const [slow, fast] = [withInt8(6), withInt8(0.2)];
      expect(estimateLatency(int8, slow).ms).toBeGreaterThan(estimateLatency(net, slow).ms ?? 0);
      expect(why(net, int8, slow)).toContain('int8');
      expect(estimateLatency(int8, fast).ms).toBeLessThan(estimateLatency(net, fast).ms ?? 0);
      expect(why(net, int8, fast)).toEqual([]);
    });

    it('90 % zeros, and 16-bit storage: the kernels are the same', () => {
      expect(why(net, stepped(net, 'prune-weights', { ratio: 0.9 }))).toEqual(['same kernels']);
      expect(why(net, stepped(net, 'float16', {}))).toEqual(['same kernels']);
    });

    it('channels that leave the blocks: the layout', () => {
      expect(why(stack(40), stack(37))).toContain('layout');
      expect(why(stack(64), stack(32))).toEqual([]);
    });

    it('in both languages', () => {
      for (const { en, ko } of Object.values(whyNotFasterWords)) expect(en === ko || ko === '').toBe(false);
    });
  });

  it('a size that is not known gives no figure', () => {
    const model = stack(16);
    const open = {
      ...model,
      graph: {
        ...model.graph,
        inputs: model.graph.inputs.map((i) => ({
          ...i,
          type: { kind: 'tensor', elem: 'float', shape: ['N', 64, 'H', 'W'] } as const,
        })),
      },
    };
    expect(estimateLatency(open, profile)).toMatchObject({ ms: null, plusMinusPercent: null });
  });
});
