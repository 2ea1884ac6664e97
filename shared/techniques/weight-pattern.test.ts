/** Where zeros stand under each pattern, what each criterion removes, and how gradual pruning tightens. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { withValues } from '../autodiff/parameters.ts';
import { fieldDefaults } from '../base/fields.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { numbersTensor, toFloat32 } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { node } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { depthwise, leNetLike } from '../testing/nets.ts';
import { runTechnique } from '../testing/run-technique.ts';
import type { StepContext } from './declare.ts';
import { cubicShare, pruneWeights } from './prune-weights.ts';
import { type Pattern, type Sparsity, sparsityOf } from './weight-pattern.ts';

const runtime = nodeRuntime(1);

const scoresOf = (count: number, seed: number): Float32Array => {
  const random = rng(seed);
  return Float32Array.from({ length: count }, () => random.next());
};

const readers: Readonly<Record<string, (dims: readonly number[]) => Node>> = {
  conv: () => node('Conv', ['x', 'w'], ['y']),
  transposed: () => node('ConvTranspose', ['x', 'w'], ['y']),
  gemm: () => node('Gemm', ['x', 'w'], ['y'], [attr.int('transB', 1)]),
  matmul: () => node('MatMul', ['x', 'w'], ['y']),
};
const inputAxis: Readonly<Record<string, number>> = { conv: 1, transposed: 0, gemm: 1, matmul: 0 };

function planFor(kind: string, dims: readonly number[], pattern: Pattern): Sparsity | string {
  const reader = readers[kind]?.(dims);
  const tensor = numbersTensor('w', 'float', dims, new Float64Array(dims.reduce((a, b) => a * b, 1)));
  return sparsityOf(reader === undefined ? { tensor } : { tensor, reader }, pattern);
}

const anyLayer = fc
  .constantFrom('conv', 'transposed', 'gemm', 'matmul')
  .chain((kind) =>
    fc
      .tuple(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 3 }))
      .map(([a, b, k]) => ({ kind, dims: kind === 'conv' || kind === 'transposed' ? [a, b, k, k] : [a, b] })),
  );

describe('patterns', () => {
  it('N of every 4 inputs stay, the strongest; what is left over stays whole', () => {
    fc.assert(
      fc.property(
        anyLayer,
        fc.constantFrom('2:4' as const, '1:4' as const),
        fc.integer({ min: 1, max: 99 }),
        ({ kind, dims }, pattern, seed) => {
          const axis = inputAxis[kind] ?? 0;
          const n = dims[axis] ?? 1;
          const plan = planFor(kind, dims, pattern);
          if (n < 4) {
            expect(plan).toContain('fewer than 4');
            return;
          }
          if (typeof plan === 'string') throw new Error(plan);
          const count = dims.reduce((a, b) => a * b, 1);
          const scores = scoresOf(count, seed);
          const mask = plan.mask(scores, plan.removed(0));
          expect(mask.filter((m) => m === 0).length).toBe(plan.removed(0));
          const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
          const keep = pattern === '2:4' ? 2 : 1;
          for (let at = 0; at < count; at++) {
            const c = Math.floor(at / inner) % n;
            if (c >= n - (n % 4)) expect(mask[at]).toBe(1);
            if (c % 4 !== 0 || c >= n - (n % 4)) continue;
            const four = [0, 1, 2, 3].map((j) => at + j * inner);
            expect(four.filter((i) => mask[i] === 1).length).toBe(keep);
            const weakestKept = Math.min(...four.filter((i) => mask[i] === 1).map((i) => scores[i] ?? 0));
            const strongestGone = Math.max(...four.filter((i) => mask[i] === 0).map((i) => scores[i] ?? 0));
            expect(weakestKept).toBeGreaterThanOrEqual(strongestGone);
          }
        },
      ),
      { seed: 1, numRuns: 150 },
    );
  });

  it('blocks go whole: as many as the share says, in rows of one output each', () => {
    fc.assert(
      fc.property(
        anyLayer,
        fc.constantFrom('1x4' as const, '4x4' as const),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ kind, dims }, pattern, ratio) => {
          const plan = planFor(kind, dims, pattern);
          if (typeof plan === 'string') throw new Error(plan);
          const count = dims.reduce((a, b) => a * b, 1);
          const mask = plan.mask(scoresOf(count, 3), plan.removed(ratio));
          const area = pattern === '4x4' ? 16 : 4;
          expect(plan.removed(ratio) % area).toBe(0);
          expect(mask.filter((m) => m === 0).length).toBe(plan.removed(ratio));
          if (kind !== 'gemm') return;
          const [rows = 0, columns = 0] = dims;
          for (let r = 0; r < rows; r++)
            for (let c = 0; c + 3 < columns; c += 4) {
              const four = Array.from(mask.subarray(r * columns + c, r * columns + c + 4));
              expect(new Set(four).size).toBe(1);
            }
        },
      ),
      { seed: 1, numRuns: 150 },
    );
  });

  it('refuses a pattern where no matrix reads the weight, and combinations without meaning', () => {
    expect(planFor('none', [3, 4], '2:4')).toContain('a pattern needs');
    const preview = (params: object) => () =>
      previewRecipe(leNetLike(), parseRecipe({ bantam: 1, steps: [{ technique: 'prune-weights', params }] }));
    expect(preview({ pattern: '4x4', scope: 'global' })).toThrow('within each layer');
    expect(preview({ pattern: '2:4', timing: 'gradual' })).toThrow('gradual pruning goes with');
    expect(preview({ criterion: 'taylor', timing: 'gradual' })).toThrow('by magnitude');
  });
});

const valuesOf = (model: Model, name: string): Float32Array => {
  const tensor = graphIndex(model.graph).initializer.get(name);
  if (tensor === undefined) throw new Error(`no ${name}`);
  return toFloat32(tensor);
};

describe('criteria', () => {
  /** f1 has large weights from a channel that never speaks, and small ones elsewhere. */
  function muted(): Model {
    const model = leNetLike();
    const b = valuesOf(model, 'c2.b').slice();
    b[3] = -1000;
    const w = valuesOf(model, 'f1.w').map((v, i) => (Math.floor((i % 48) / 4) === 3 ? 5 + Math.abs(v) : v));
    // Small scores: a softmax that is sure of itself has no gradient.
    const y = valuesOf(model, 'y.w').map((v) => v * 0.02);
    return withValues(
      model,
      new Map([
        ['c2.b', b],
        ['f1.w', w],
        ['y.w', y],
      ]),
    );
  }

  it('Taylor removes large weights that the answer does not depend on; magnitude removes others', async () => {
    const model = muted();
    const feeds = randomFeeds(model, 5);
    const errorOf = async (criterion: string): Promise<number> => {
      const done = await runTechnique(
        runtime,
        'prune-weights',
        model,
        { ratio: 1 / 12, criterion, samples: 32 },
        { select: { names: ['f1'] } },
      );
      return maxError(await runModel(runtime, model, feeds), await runModel(runtime, done.model, feeds));
    };
    expect(await errorOf('taylor')).toBeLessThan((await errorOf('magnitude')) / 3);
  });

  it('by sensitivity, a layer whose weights do not matter gives up more', async () => {
    const done = await runTechnique(runtime, 'prune-weights', depthwise(), {
      ratio: 0.6,
      scope: 'sensitivity',
      samples: 8,
    });
    const removed = (done.steps[0]?.layers ?? []).map((l) => (l.taken ? Number(l.what.split(' ')[0]) : 0));
    const total = 81 + 243 + 216;
    const sum = removed.reduce((a, b) => a + b, 0);
    expect(sum).toBeGreaterThanOrEqual(Math.round(total * 0.6));
    expect(sum).toBeLessThan(total * 0.7);
    const shares = removed.map((r, i) => r / ([81, 243, 216][i] ?? 1));
    expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.02);
  });
});

describe('gradual', () => {
  const model = leNetLike();
  const context = (params: StepContext['params']): StepContext => ({
    model,
    facts: inferFacts(model),
    selected: graphIndex(model.graph).order,
    params: { ...fieldDefaults(pruneWeights.params), timing: 'gradual', ...params },
    seed: 1,
    ranges: () => ({ min: 0, max: 0 }),
  });

  it('rises along the cubic curve and stays there', () => {
    expect([0, 0.3, 0.6, 1].map((t) => cubicShare(t, 0.6))).toEqual([0, 0.875, 1, 1]);
  });

  it('asks for the original as teacher where it is to teach, and only there', () => {
    expect(pruneWeights.train?.(context({ ratio: 0.8 }))?.distill).toBeUndefined();
    const taught = pruneWeights.train?.(context({ ratio: 0.8, taught: true }))?.distill;
    expect(taught).toEqual({ teachers: [{ kind: 'original' }], temperature: 3, softShare: 0.9 });
  });

  it.each(['free', '4x4'])('masks (%s) only tighten, follow the curve and end at the share', (pattern) => {
    const c = context({ ratio: 0.8, pattern });
    const remask = pruneWeights.train?.(c)?.remask;
    if (remask === undefined) throw new Error('nothing to train');
    expect(remask.parameters).toContain('f1.w');
    let values = new Map([['f1.w', valuesOf(model, 'f1.w')]]);
    let zeros = 0;
    for (const share of [0, 0.1, 0.3, 0.5, 0.6, 0.8, 1]) {
      const mask = remask.masks(share, values).get('f1.w');
      if (mask === undefined) throw new Error('no mask');
      const before = values.get('f1.w') ?? new Float32Array();
      const now = before.map((v, i) => v * (mask[i] ?? 0));
      // What was zero stays zero.
      expect(before.every((v, i) => v !== 0 || mask[i] === 0)).toBe(true);
      const count = now.filter((v) => v === 0).length;
      expect(count).toBeGreaterThanOrEqual(zeros);
      expect(Math.abs(count - 960 * 0.8 * cubicShare(share, 0.6))).toBeLessThanOrEqual(16);
      zeros = count;
      values = new Map([['f1.w', now]]);
    }
    // What comes of it is what the preview foretold.
    const baked = pruneWeights.bake?.(withValues(model, values), c, []);
    if (baked === undefined) throw new Error('nothing baked');
    const predicted = pruneWeights.rewrite(c).model;
    expect(measureFigures(baked).fileBytes).toBe(measureFigures(predicted).fileBytes);
    expect(writeModel(baked).length).toBe(measureFigures(predicted).fileBytes);
  });
});
