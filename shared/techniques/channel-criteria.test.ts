/** Which channels each criterion of prune-channels chooses, on nets made so that the answer is known. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { withValues } from '../autodiff/parameters.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { toFloat32 } from '../ir/values.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { depthwise, leNetLike, residual, shuffle } from '../testing/nets.ts';
import { randomSource, runTechnique } from '../testing/run-technique.ts';
import { lassoScores } from './channel-lasso.ts';

const runtime = nodeRuntime(1);
type Params = Readonly<Record<string, string | number | boolean>>;

const valuesOf = (model: Model, name: string): Float32Array => {
  const tensor = graphIndex(model.graph).initializer.get(name);
  if (tensor === undefined) throw new Error(`no ${name}`);
  return toFloat32(tensor);
};
const dimsOf = (model: Model, name: string): readonly number[] =>
  graphIndex(model.graph).initializer.get(name)?.dims ?? [];
const pruned = async (model: Model, params: Params, names: readonly string[]): Promise<Model> =>
  (await runTechnique(runtime, 'prune-channels', model, { samples: 24, ...params }, { select: { names: [...names] } }))
    .model;

/** leNetLike whose c2 has weak twins: filter 5 + k is half of filter k, k < 5; the others (10, 11) stand alone. */
function twins(): Model {
  const model = leNetLike();
  const w = valuesOf(model, 'c2.w').slice();
  const b = valuesOf(model, 'c2.b').slice();
  for (let k = 0; k < 5; k++) {
    for (let i = 0; i < 72; i++) w[(5 + k) * 72 + i] = (w[k * 72 + i] ?? 0) / 2;
    b[5 + k] = (b[k] ?? 0) / 2;
  }
  // Strong enough to stay.
  for (let i = 10 * 72; i < 12 * 72; i++) w[i] = 2 * (w[i] ?? 0);
  return withValues(
    model,
    new Map([
      ['c2.w', w],
      ['c2.b', b],
    ]),
  );
}

/** Bias values name the filters that stayed. */
const stayed = (before: Model, after: Model, bias: string): readonly number[] => {
  const was = Array.from(valuesOf(before, bias));
  return Array.from(valuesOf(after, bias), (b) => was.indexOf(b));
};

describe('criteria', () => {
  it('a refit makes good what others can stand for: the function stays', async () => {
    const model = twins();
    const done = await pruned(model, { count: 5, reconstruct: true, samples: 60 }, ['c2']);
    expect(dimsOf(done, 'c2.w')).toEqual([7, 8, 3, 3]);
    expect(stayed(model, done, 'c2.b')).toEqual([0, 1, 2, 3, 4, 10, 11]);
    const feeds = randomFeeds(model, 99);
    const error = maxError(await runModel(runtime, model, feeds), await runModel(runtime, done, feeds));
    const plain = await pruned(model, { count: 5 }, ['c2']);
    const plainError = maxError(await runModel(runtime, model, feeds), await runModel(runtime, plain, feeds));
    expect(error).toBeLessThan(plainError / 50);
  });

  it('LASSO and refit of every group at once leave less error than the norm alone', async () => {
    const model = residual();
    const feeds = randomFeeds(model, 99);
    const was = await runModel(runtime, model, feeds);
    const errorOf = async (params: Params): Promise<number> => {
      const done = await runTechnique(runtime, 'prune-channels', model, { ratio: 0.3, samples: 40, ...params });
      return maxError(was, await runModel(runtime, done.model, feeds));
    };
    expect(await errorOf({ criterion: 'lasso', reconstruct: true })).toBeLessThan((await errorOf({})) / 2);
  });

  it('the geometric median finds the filter in the middle of the others', async () => {
    const model = leNetLike();
    const w = valuesOf(model, 'c1.w').slice();
    const mean = (i: number): number => {
      let sum = 0;
      for (let f = 0; f < 8; f++) sum += w[f * 27 + i] ?? 0;
      return sum / 8;
    };
    const centre = Float32Array.from({ length: 27 }, (_, i) => mean(i));
    w.set(centre, 3 * 27);
    const done = await pruned(withValues(model, new Map([['c1.w', w]])), { count: 1, criterion: 'geometric-median' }, [
      'c1',
    ]);
    expect(stayed(model, done, 'c1.b')).toEqual([0, 1, 2, 4, 5, 6, 7]);
  });

  it('BatchNorm scales decide where a normalisation follows, with a note where none does', async () => {
    const model = residual();
    const scale = Float32Array.from({ length: 8 }, (_, i) => (i === 6 || i === 1 ? 0.001 : 1 + i));
    const marked = withValues(model, new Map([['bna1.scale', scale]]));
    const done = await runTechnique(
      runtime,
      'prune-channels',
      marked,
      { count: 2, criterion: 'batchnorm' },
      { select: { names: ['a1', 'b1'] } },
    );
    expect(Array.from(valuesOf(done.model, 'bna1.scale'))).toEqual([1, 3, 4, 5, 6, 8]);
    expect(done.steps[0]?.notes.map((n) => n.en).join()).toContain('the L1 norm decides: b1');
  });

  it.each(['taylor', 'activation'])('%s takes the channel that the answer does not depend on', async (criterion) => {
    const model = leNetLike();
    const [w, b] = [valuesOf(model, 'c1.w').slice(), valuesOf(model, 'c1.b').slice()];
    // Large weights, but behind a Relu that never opens.
    w.fill(0.5, 2 * 27, 3 * 27);
    b[2] = -1000;
    const dead = withValues(
      model,
      new Map([
        ['c1.w', w],
        ['c1.b', b],
      ]),
    );
    const done = await pruned(dead, { count: 1, criterion }, ['c1']);
    expect(stayed(dead, done, 'c1.b')).toEqual([0, 1, 3, 4, 5, 6, 7]);
    const feeds = randomFeeds(model, 7);
    expect(maxError(await runModel(runtime, dead, feeds), await runModel(runtime, done, feeds))).toBeLessThan(1e-5);
  });

  it('chance depends on the seed alone', async () => {
    const one = await pruned(leNetLike(), { criterion: 'random' }, ['c1', 'c2']);
    const two = await pruned(leNetLike(), { criterion: 'random' }, ['c1', 'c2']);
    expect(valuesOf(one, 'c2.w')).toEqual(valuesOf(two, 'c2.w'));
  });

  it('LASSO on problems with one answer', () => {
    const order = (scores: Float64Array): readonly number[] =>
      Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
    // y = z0 + z1 + z2 + z3 with z3 = 0 always, z2 tiny.
    const gram = Float64Array.from([4, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0.01, 0, 0, 0, 0, 0]);
    expect(order(lassoScores({ n: 4, gram, target: Float64Array.from([4, 2, 0.01, 0]) }, 2))).toEqual([0, 1, 2, 3]);
    // z1 says what z0 says: one of them is enough, though each is stronger than z2.
    const twin = Float64Array.from([4, 4, 0, 4, 4, 0, 0, 0, 1]);
    expect(order(lassoScores({ n: 3, gram: twin, target: Float64Array.from([8, 8, 1]) }, 2))).toEqual([0, 2, 1]);
  });
});

describe('goals', () => {
  const nets = { leNetLike, residual, depthwise, shuffle };
  it.each(
    Object.entries(nets).flatMap(([name, make]) =>
      (['macs', 'parameters'] as const).map((of) => [name, of, make] as const),
    ),
  )('%s: a share of %s is met, and not by more than one step of one group', (_name, of, make) => {
    const model = make();
    const whole = measureFigures(model)[of] ?? 0;
    const at = (ratio: number): number =>
      previewRecipe(model, parseRecipe({ bantam: 1, steps: [{ technique: 'prune-channels', params: { of, ratio } }] }))
        .figures[of] ?? 0;
    let before = whole;
    for (const ratio of [0.1, 0.3, 0.5]) {
      const now = at(ratio);
      expect(now).toBeLessThanOrEqual(whole * (1 - ratio));
      expect(now).toBeLessThanOrEqual(before);
      // The coarsest step of these nets: one unit of the widest group.
      expect(now).toBeGreaterThan(whole * (1 - ratio) - whole * 0.2);
      before = now;
    }
  });

  it('out of reach says so', () => {
    const recipe = parseRecipe({
      bantam: 1,
      steps: [{ technique: 'prune-channels', select: { names: ['c1'] }, params: { of: 'parameters', ratio: 0.9 } }],
    });
    const preview = previewRecipe(leNetLike(), recipe);
    expect(preview.steps[0]?.notes.map((n) => n.en).join()).toContain('out of reach');
    expect(() =>
      previewRecipe(
        leNetLike(),
        parseRecipe({ bantam: 1, steps: [{ technique: 'prune-channels', params: { of: 'macs', count: 3 } }] }),
      ),
    ).toThrow('count goes with');
  });

  it('by sensitivity the group that matters less loses more, and the goal still holds', async () => {
    const model = leNetLike();
    // Of c2's twelve channels the next layer reads hardly anything; c1 feeds all of them.
    const w = valuesOf(model, 'f1.w').map((v, i) => (Math.floor((i % 48) / 4) < 10 ? v * 1e-4 : v));
    const marked = withValues(model, new Map([['f1.w', w]]));
    const done = await runTechnique(
      runtime,
      'prune-channels',
      marked,
      { ratio: 0.4, spread: 'sensitivity', criterion: 'activation', samples: 12 },
      { select: { names: ['c1', 'c2', 'f1'] }, source: randomSource() },
    );
    const [c1 = 0, c2 = 0, f1 = 0] = ['c1.w', 'c2.w', 'f1.w'].map((n) => dimsOf(done.model, n)[0]);
    expect(c1 + c2 + f1).toBe(24);
    expect(c2 / 12).toBeLessThan(c1 / 8);
  });
});
