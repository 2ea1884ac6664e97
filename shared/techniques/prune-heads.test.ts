/** prune-heads: a head removed is a head masked; what is left, what it costs, and what is refused. */
import { expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import type { Model } from '../ir/model.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { attention, leNetLike } from '../testing/nets.ts';
import { headGroups } from './head-groups.ts';
import { sliceChannels } from './slice-channels.ts';

const runtime = nodeRuntime(1);
const pruned = (model: Model, params: object) =>
  previewRecipe(model, parseRecipe({ bantam: 1, steps: [{ technique: 'prune-heads', params }] }));

/** The model with the rows of the output projection that read this head at zero. */
const masked = (model: Model, head: number): Model => ({
  ...model,
  graph: {
    ...model.graph,
    initializers: model.graph.initializers.map((t) => {
      if (t.name !== 'project.w') return t;
      const numbers = toNumbers(t);
      return numbersTensor(
        t.name,
        'float',
        t.dims,
        Array.from(numbers, (w, i) => (Math.floor(i / 64) === head ? 0 : w)),
      );
    }),
  },
});

it('a unit is a head: queries, keys, values and what the projection reads of them', () => {
  const model = attention();
  const { heads } = headGroups(model, inferFacts(model));
  expect(heads.map((g) => [g.units, g.channelsPerUnit, g.makers.length, g.frozen])).toEqual([[4, 4, 3, undefined]]);
});

it.each([0, 1, 2, 3])('head %i removed is head %i masked', async (head) => {
  const model = attention();
  const facts = inferFacts(model);
  const groups = headGroups(model, facts);
  const [group] = groups.heads;
  if (group === undefined) return expect.unreachable();
  const sliced = sliceChannels(model, facts, groups, [{ group, count: 1, units: () => [head] }]);
  const feeds = randomFeeds(model);
  const error = maxError(
    await runModel(runtime, masked(model, head), feeds),
    await runModel(runtime, readModel(writeModel(sliced)), feeds),
  );
  expect(error).toBeLessThan(1e-5);
});

it('half the heads cost half the projections, scores and mixing', () => {
  const model = attention();
  const before = measureFigures(model);
  const { figures, steps } = pruned(model, { ratio: 0.5 });
  // q, k, v, projection: 64 x 16 x 16 each; scores and mixing: 64 x 64 x 16 each.
  expect((before.macs ?? 0) - (figures.macs ?? 0)).toBe((4 * 64 * 16 * 16 + 2 * 64 * 64 * 16) / 2);
  expect(before.parameters - figures.parameters).toBe((4 * 16 * 16 + 3 * 16) / 2);
  expect(steps[0]?.layers.filter((l) => l.taken).map((l) => l.taken && l.what)).toEqual(Array(3).fill('4 -> 2 heads'));
});

it('one head stays, and says so', () => {
  const { steps } = pruned(attention(), { count: 9 });
  expect(steps[0]?.notes[0]?.en).toMatch(/^At least one head stays/);
});

it('a net without attention is refused with the reason', () => {
  expect(() => pruned(leNetLike(), {})).toThrow(
    expect.objectContaining({ code: 'bad-recipe', hint: expect.stringContaining('no attention') }),
  );
});
