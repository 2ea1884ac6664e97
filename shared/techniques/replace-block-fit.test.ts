/** replace-block fitted on activations: nearer to the old outputs than the kernel's fit, on samples it never saw; and it says so. */
import { expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { neverCancelled } from '../base/cancel.ts';
import { relativeError } from '../base/low-rank.ts';
import type { Model } from '../ir/model.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import { randomFeeds, runModel } from '../testing/feeds.ts';
import { nets } from '../testing/nets.ts';
import { randomSource } from '../testing/run-technique.ts';
import { gatherEvidence } from '../training/gather-evidence.ts';

const runtime = nodeRuntime(1);
const net = (name: string): Model => {
  const make = nets[name];
  if (make === undefined) throw new Error(`no net ${name}`);
  return make();
};

async function replaced(m: Model, params: Readonly<Record<string, string | number>>) {
  const recipe = parseRecipe({ bantam: 1, steps: [{ technique: 'replace-block', select: { op: 'Conv' }, params }] });
  return runRecipe(m, recipe, {
    cancel: neverCancelled,
    progress: () => {},
    log: () => {},
    evidence: (model, request) =>
      gatherEvidence({ runtime, model, request, source: randomSource(), seed: 1, cancel: neverCancelled }),
  });
}

/** Relative distance of the outputs, over inputs that no fit has seen. */
async function distance(m: Model, other: Model): Promise<number> {
  let sum = 0;
  for (const seed of [11, 12, 13, 14]) {
    const feeds = randomFeeds(m, seed);
    const [want, got] = [await runModel(runtime, m, feeds), await runModel(runtime, other, feeds)];
    sum += relativeError(want.y?.data as Float32Array, got.y?.data as Float32Array);
  }
  return sum / 4;
}

it.each(['depthwise-separable', 'bottleneck'])('%s', async (block) => {
  const m = net('plain');
  const [byKernel, byOutputs] = [
    await replaced(m, { block }),
    await replaced(m, { block, fit: 'activations', samples: 64 }),
  ];
  expect(await distance(m, byOutputs.model)).toBeLessThan(0.9 * (await distance(m, byKernel.model)));
  expect(measureFigures(byOutputs.model).fileBytes).toBe(measureFigures(byKernel.model).fileBytes);
  const said = byOutputs.steps[0]?.notes.map((n) => n.en).filter((n) => n.includes('on samples')) ?? [];
  expect(said).toHaveLength(3);
  for (const line of said) {
    const [after = 0, before = 0] = [...line.matchAll(/([\d.]+) %/g)].map((found) => Number(found[1]));
    expect(after).toBeLessThanOrEqual(before);
  }
});

it("a block that ends in a sum keeps the kernel's fit and says so", async () => {
  const done = await replaced(net('plain'), { block: 'inverted-residual', fit: 'activations', samples: 8 });
  expect(done.steps[0]?.notes.some((n) => /ends in Add/.test(n.en))).toBe(true);
});
