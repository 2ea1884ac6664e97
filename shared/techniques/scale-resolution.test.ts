/** scale-resolution and scale-width: MobileNet's two multipliers, counted as the paper's tables count them; what is refused and why. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { channelsLast, leNetLike, Net, residual } from '../testing/nets.ts';
import { buildFromZoo } from '../zoo/index.ts';

const runtime = nodeRuntime(1);
const preview = (technique: string, model: Model, params: object) =>
  previewRecipe(model, parseRecipe({ bantam: 1, steps: [{ technique, select: { all: true }, params }] }));
const refusal = (model: Model, params: object): string => {
  try {
    preview('scale-resolution', model, params);
  } catch (thrown) {
    return String((thrown as { hint?: string }).hint);
  }
  return 'taken';
};

describe('scale-resolution', () => {
  it.each([192, 160, 128])('costs MobileNet v1 at %d what the net built at that size costs', (side) => {
    const built = measureFigures(buildFromZoo('mobilenet-v1', { input: [3, side, side] }));
    const net = buildFromZoo('mobilenet-v1');
    for (const keepInput of [true, false]) {
      const { figures } = preview('scale-resolution', net, { scale: side / 224, keepInput });
      expect([figures.macs, figures.parameters]).toEqual([built.macs, built.parameters]);
    }
  });

  it('keeps the input, or declares it smaller', async () => {
    const net = residual();
    const kept = preview('scale-resolution', net, { scale: 0.5 }).model;
    expect(kept.graph.inputs).toEqual(net.graph.inputs);
    expect(kept.graph.nodes[0]?.op).toBe('Resize');
    const declared = preview('scale-resolution', net, { scale: 0.5, keepInput: false }).model;
    expect(declared.graph.inputs[0]?.type).toMatchObject({ shape: [1, 3, 4, 4] });
    expect(declared.graph.nodes).toEqual(net.graph.nodes);
    // A picture of one colour is the same picture at any size.
    const flat = (side: number) => ({
      x: { type: 'float' as const, dims: [1, 3, side, side], data: new Float32Array(3 * side * side).fill(0.3) },
    });
    expect(maxError(await runModel(runtime, kept, flat(8)), await runModel(runtime, declared, flat(4)))).toBeLessThan(
      1e-5,
    );
  });

  it('refuses a net that has the size built in, naming the node', () => {
    expect(refusal(leNetLike(), { scale: 0.5 })).toMatch(/Gemm f1 takes 48 features, it would get 12/);
    expect(refusal(channelsLast(), { scale: 0.5 })).toMatch(/Reshape flat has the size of the picture built in/);
    expect(refusal(buildFromZoo('lenet-300-100'), { scale: 0.5 })).toMatch(/fc1/i);
    const n = new Net();
    const up = n.add('ConvTranspose', [n.conv('x', 'c', 3, 6), n.weight('up.w', 6, 4, 2, 2)], 'up', [
      attr.ints('strides', [2, 2]),
      attr.ints('output_shape', [16, 16]),
    ]);
    n.add('GlobalAveragePool', [up], 'y');
    expect(refusal(n.done([1, 4, 1, 1]), { scale: 0.5 })).toMatch(
      /ConvTranspose up has the size of its result built in/,
    );
    expect(refusal(buildFromZoo('alexnet'), { scale: 0.1 })).not.toBe('taken');
  });
});

describe('scale-width', () => {
  it.each([0.75, 0.5, 0.25])('narrows MobileNet v1 to the published net at %d', (width) => {
    const built = measureFigures(buildFromZoo('mobilenet-v1', { width }));
    const { figures } = preview('scale-width', buildFromZoo('mobilenet-v1'), { width });
    expect([figures.parameters, figures.macs]).toEqual([built.parameters, built.macs]);
  });

  it('keeps the answers when it widens', async () => {
    const net = residual();
    const feeds = randomFeeds(net);
    const wide = preview('scale-width', net, { width: 1.5 }).model;
    expect(maxError(await runModel(runtime, net, feeds), await runModel(runtime, wide, feeds))).toBeLessThan(1e-4);
  });
});
