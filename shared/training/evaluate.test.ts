/** Evaluation, comparison and preprocessing, through the runtime, on models small enough to count by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { attr } from '../ir/attribute.ts';
import type { Dim, Model } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import type { Dataset, Sample } from '../ports/dataset.ts';
import { model, node, value } from '../testing/build.ts';
import { rankOf, wilson95 } from './class-scores.ts';
import { compare } from './compare.ts';
import { evaluate } from './evaluate.ts';
import { modelInput } from './model-input.ts';
import { preprocessBatch, presetOf } from './preprocess.ts';
import { proposePreprocess } from './propose-preprocess.ts';
import { resizeImage } from './resize-image.ts';

const runtime = nodeRuntime(1);
const clock = { now: () => performance.now() };

/** 2 x 2 grey pictures whose brightest pixel is the class; sample i is of class i % 4, every tenth mislabelled. */
function corners(labelled = true, count = 100): Dataset {
  const sample = (i: number): Sample => ({
    values: Float32Array.from({ length: 4 }, (_, k) => (k === i % 4 ? 255 : 10 * k)),
    label: labelled ? (i % 10 === 0 ? (i + 1) % 4 : i % 4) : null,
  });
  return {
    info: {
      id: 'corners',
      source: 'made by the test',
      labelled,
      classes: ['a', 'b', 'c', 'd'],
      sample: { kind: 'image', height: 2, width: 2, channels: 1 },
      counts: { train: count, validation: count, test: count },
      splitRule: 'none',
    },
    read: async (_split, indices) => indices.map(sample),
  };
}

const identity = (batch: Dim, target: readonly number[] = [-1, 4], weights?: readonly number[]): Model =>
  model({
    nodes: [
      node('Reshape', ['x', 's'], ['flat']),
      node('MatMul', ['flat', 'w'], ['scores']),
      node('Softmax', ['scores'], ['y'], [attr.int('axis', -1)]),
    ],
    inputs: [value('x', [batch, 1, 2, 2])],
    outputs: [value('y', [batch, 4])],
    initializers: [
      numbersTensor('s', 'int64', [2], target),
      numbersTensor('w', 'float', [4, 4], weights ?? Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0))),
    ],
  });

describe('evaluate', () => {
  it.each([
    ['free batch', identity('N')],
    ['fixed batch 1', identity(1)],
    ['fixed batch 3', identity(3)],
    ['batch written into a Reshape', identity('N', [1, 4])],
  ])('counts the same with a %s', async (_, m) => {
    const e = await evaluate(runtime, clock, { model: m }, corners());
    expect(e.top1).toBe(0.9);
    expect(e.top5).toBe(1);
    expect(e.samples).toBe(100);
    expect(e.interval95?.[0]).toBeCloseTo(0.8256, 4);
    expect(e.interval95?.[1]).toBeCloseTo(0.9448, 4);
    expect(e.latencyMs.p95).toBeGreaterThanOrEqual(e.latencyMs.median);
  });

  it('states no accuracy without labels', async () => {
    const e = await evaluate(runtime, clock, { model: identity('N') }, corners(false));
    expect([e.top1, e.top5, e.interval95]).toEqual([null, null, null]);
  });

  it('proposes the preprocessing under which the model works', async () => {
    // Dark pixel wins: only the inverted picture is right.
    const m = identity(
      'N',
      [-1, 4],
      Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? -1 : 0)),
    );
    const found = await proposePreprocess(runtime, { model: m }, corners());
    expect(found[0]?.name).toBe('inverted');
    expect(found[0]?.top1).toBe(0.9);
    expect(found.find((f) => f.name === 'unit')?.top1).toBeLessThan(0.5);
  });
});

describe('compare', () => {
  it('of a model with itself is identical, layer by layer', async () => {
    const c = await compare(runtime, { model: identity('N') }, { model: identity('N') }, { dataset: corners() });
    expect(c).toMatchObject({ agreement: 1, maxAbsError: 0, sqnrDb: null, samples: 100 });
    expect(c.layers.map((l) => l.name)).toEqual(['flat', 'scores']);
  });

  it('measures noise in dB, on data or on seeded random input', async () => {
    const noisy = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1.1 : 0));
    const c = await compare(runtime, { model: identity('N') }, { model: identity('N', [-1, 4], noisy) });
    const scores = c.layers.find((l) => l.name === 'scores');
    expect(scores?.sqnrDb).toBeCloseTo(20, 4);
    expect(c.layers.find((l) => l.name === 'flat')?.sqnrDb).toBeNull();
    expect(c.agreement).toBe(1);
    const swapped = [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const d = await compare(
      runtime,
      { model: identity(1) },
      { model: identity('N', [-1, 4], swapped) },
      { dataset: corners() },
    );
    expect(d.agreement).toBe(0.5);
  });
});

describe('preprocess', () => {
  const info = { kind: 'image', height: 1, width: 2, channels: 3 } as const;
  const sample: Sample = { values: Float32Array.from([255, 0, 51, 0, 102, 255]), label: 0 };
  const input = (shape: readonly Dim[]) => modelInput(model({ nodes: [], inputs: [value('x', shape)], outputs: [] }));
  const close = (a: RunData, b: readonly number[]) =>
    [...a].forEach((v, i) => {
      expect(v).toBeCloseTo(b[i] ?? Number.NaN, 5);
    });
  type RunData = Float32Array;

  it('lays out NCHW, NHWC and flat, colours and constants', () => {
    const at = (shape: readonly Dim[], p = presetOf('unit')) => preprocessBatch([sample], info, input(shape), p);
    close(at(['N', 3, 1, 2]).data as RunData, [1, 0, 0, 0.4, 0.2, 1]);
    close(at(['N', 1, 2, 3], { ...presetOf('unit'), layout: 'nhwc' }).data as RunData, [1, 0, 0.2, 0, 0.4, 1]);
    close(at(['N', 6]).data as RunData, [1, 0, 0, 0.4, 0.2, 1]);
    close(at(['N', 3, 1, 2], { ...presetOf('raw'), colour: 'bgr' }).data as RunData, [51, 255, 0, 102, 255, 0]);
    close(at(['N', 1, 1, 2]).data as RunData, [0.299 + 0.2 * 0.114, 0.4 * 0.587 + 0.114]);
    close(at(['N', 3, 1, 2], presetOf('signed')).data as RunData, [1, -1, -1, -0.2, -0.6, 1]);
    close(at(['N', 3, 1, 2], presetOf('inverted')).data as RunData, [0, 1, 1, 0.6, 0.8, 0]);
  });

  it('keeps the mean of a picture when it shrinks by whole factors, and a constant always', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 12 }),
        (h, w, to) => {
          const values = new Float32Array(h * w).fill(7);
          const out = resizeImage({ height: h, width: w, channels: 1, values }, to, to);
          expect(out.values.length).toBe(to * to);
          for (const v of out.values) expect(v).toBeCloseTo(7, 4);
        },
      ),
    );
    const ramp = Float32Array.from({ length: 8 }, (_, i) => i);
    const half = resizeImage({ height: 1, width: 8, channels: 1, values: ramp }, 1, 4);
    expect(half.values.reduce((a, b) => a + b, 0) / 4).toBeCloseTo(3.5, 5);
  });
});

describe('scores', () => {
  it('rank ties against the label', () => {
    expect(rankOf(1, Float32Array.from([3, 3, 1]), 0, 3)).toBe(1);
    expect(rankOf(0, Float32Array.from([3, 2, 1]), 0, 3)).toBe(0);
  });
  it('Wilson interval holds the share and lies in 0..1', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (hits, misses) => {
        const [lo, hi] = wilson95(hits, hits + misses);
        const p = hits + misses === 0 ? 0.5 : hits / (hits + misses);
        expect(lo).toBeGreaterThanOrEqual(0);
        expect(hi).toBeLessThanOrEqual(1);
        expect(lo - 1e-12 <= p && p <= hi + 1e-12).toBe(true);
      }),
    );
  });
});
