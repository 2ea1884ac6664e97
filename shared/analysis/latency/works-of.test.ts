/** Checks worksOf: nothing is lost on the way from nodes to kernels, and fusions are the runtime's. */
import { describe, expect, it } from 'vitest';
import { randomFeeds } from '../../../electron/jobs/random-feeds.ts';
import { nodeRuntime } from '../../../electron/runtime/node-runtime.ts';
import { writeModel } from '../../onnx/write.ts';
import { buildFromZoo } from '../../zoo/index.ts';
import { measureFigures } from '../measure-figures.ts';
import { layersOfTrace, markedModel } from './trace-layers.ts';
import { worksOf } from './works-of.ts';

describe('worksOf', () => {
  it.each(['lenet-5', 'resnet-50', 'inception-v3', 'densenet-121', 'mobilenet-v2', 'shufflenet-v2', 'squeezenet-1.1'])(
    '%s: MACs are those of the figures, every node stands in at most one kernel',
    (id) => {
      const model = buildFromZoo(id);
      const { layers } = worksOf(model);
      expect(layers.reduce((sum, l) => sum + (l.macs ?? Number.NaN), 0)).toBe(measureFigures(model).macs);
      const nodes = layers.flatMap((l) => [l.id, ...l.fused]);
      expect(new Set(nodes).size).toBe(nodes.length);
      // Reads point backwards, so that a layout can be followed in one walk.
      expect(layers.every((l, k) => l.reads.every((r) => r < k))).toBe(true);
    },
  );

  it('knows the kernels that the runtime makes of a residual net', async () => {
    const model = buildFromZoo('resnet-18', { width: 0.25, input: [3, 32, 32], classes: 10 });
    const runtime = nodeRuntime(1);
    const session = await runtime.open({ bytes: writeModel(markedModel(model)) }, { profile: true });
    await session.run(randomFeeds(model, 1));
    const traced = layersOfTrace(model, await session.endProfile(), 1, 1);
    await session.release();
    const named = traced.layers.filter((l) => l.id !== null && l.op !== 'Flatten').map((l) => l.id);
    const { layers } = worksOf(model);
    // A sum belongs to one of the two convolutions that feed it; which one is the runtime's choice.
    expect(layers.map((l) => l.id).sort()).toEqual([...named].sort());
  });
});
