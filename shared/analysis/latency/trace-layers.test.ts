/** Traces of real runs: every node that runs is in exactly one layer, and the layers add up to the median. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../../electron/runtime/node-runtime.ts';
import type { Model } from '../../ir/model.ts';
import { embedded } from '../../onnx/embedded.ts';
import { writeModel } from '../../onnx/write.ts';
import { previewRecipe } from '../../recipes/preview.ts';
import { parseRecipe } from '../../recipes/recipe.ts';
import { randomFeeds } from '../../testing/feeds.ts';
import { nets } from '../../testing/nets.ts';
import { inferFacts } from '../infer-facts.ts';
import { layersOfTrace, markedModel, type Traced } from './trace-layers.ts';

async function traceOf(model: Model, runs: number, medianMs: number): Promise<Traced> {
  const session = await nodeRuntime(1).open({ bytes: writeModel(markedModel(embedded(model))) }, { profile: true });
  for (let k = 0; k <= runs; k++) await session.run(randomFeeds(model));
  const traced = layersOfTrace(model, await session.endProfile(), runs + 1, medianMs, { skip: 1 });
  await session.release();
  return traced;
}

function checkWhole(model: Model, traced: Traced): void {
  const facts = inferFacts(model);
  const running = model.graph.nodes.filter((n) => n.outputs.some((o) => facts.get(o)?.constant !== true));
  const told = [...traced.layers.flatMap((l) => [...(l.id === null ? [] : [l.id]), ...l.fused]), ...traced.removed];
  expect(new Set(told).size).toBe(told.length);
  expect([...told].sort()).toEqual(running.map((n) => n.id).sort());
}

describe.each(Object.entries(nets))('a trace of %s', (_, make) => {
  it('tells of every node once, and adds up', async () => {
    const model = make();
    const traced = await traceOf(model, 5, 3);
    checkWhole(model, traced);
    expect(traced.layers.reduce((sum, l) => sum + l.ms, 0)).toBeCloseTo(3, 9);
    for (const l of traced.layers) {
      expect(l.belowResolution).toBe(l.rawMs < 0.02);
      // A convolution is told by its own name, whatever the runtime fused behind it.
      if (/Conv/.test(l.kernel)) expect(l.op).toBe('Conv');
    }
  });
});

it('gives the quantizing nodes to the kernels that took them in', async () => {
  const recipe = parseRecipe({ bantam: 1, steps: [{ technique: 'quantize', params: { mode: 'dynamic' } }] });
  const make = nets.leNetLike;
  if (make === undefined) throw new Error('no such net');
  const { model } = previewRecipe(make(), recipe);
  checkWhole(model, await traceOf(model, 3, 1));
});

it('counts a run of a kernel that runs several times as one, and leaves out inner nodes', () => {
  const make = nets.leNetLike;
  if (make === undefined) throw new Error('no such net');
  const entries = [1, 2, 3, 4].flatMap((us) => [
    { node: 'bantam#0#', op: 'Conv', microseconds: us * 10 },
    { node: 'bantam#0#', op: 'Conv', microseconds: us * 10 },
    { node: 'bantam-inner', op: 'Add', microseconds: 1000 },
  ]);
  const { layers, rawSum } = layersOfTrace(make(), entries, 4, 1, { skip: 1 });
  expect(layers).toHaveLength(1);
  expect(rawSum).toBeCloseTo(0.06, 9);
});

it('leaves the warm-up out of a kernel that not every run calls equally often', () => {
  const make = nets.leNetLike;
  if (make === undefined) throw new Error('no such net');
  // Three runs, the first slow; the last calls it twice.
  const entries = [9_000, 10, 20, 30].map((microseconds) => ({ node: 'bantam#0#', op: 'Conv', microseconds }));
  expect(layersOfTrace(make(), entries, 3, 1, { skip: 1 }).rawSum).toBeCloseTo((10 + 20 + 30) / 2 / 1_000, 9);
});
