/** Checks on the runtime itself that constants which the caller may override stay as they are, as the estimate has it. */
import { describe, expect, it } from 'vitest';
import { randomFeeds } from '../../../electron/jobs/random-feeds.ts';
import { nodeRuntime } from '../../../electron/runtime/node-runtime.ts';
import type { Model } from '../../ir/model.ts';
import { writeModel } from '../../onnx/write.ts';
import { Written } from '../../zoo/calibration/written.ts';
import { runtimeKernels } from './runtime-kernels.ts';
import { layersOfTrace, markedModel } from './trace-layers.ts';
import { worksOf } from './works-of.ts';

function net(): Model {
  const w = new Written(1);
  const input = w.input(16, 8, 8);
  const y = w.norm(w.conv(input, 'conv', 16, 3, { pad: 'same', bias: false }), 'norm');
  return w.whole(input, w.conv(w.relu(y, 'relu'), 'depth', 16, 3, { pad: 'same', group: 16 }));
}

/** Every initializer an input too, as older exporters write them. */
function listed(model: Model, irVersion: number): Model {
  const more = model.graph.initializers.map((t) => ({
    name: t.name,
    type: { kind: 'tensor', elem: t.type, shape: t.dims } as const,
  }));
  return { ...model, irVersion, graph: { ...model.graph, inputs: [...model.graph.inputs, ...more] } };
}

async function kernelsRun(model: Model): Promise<readonly string[]> {
  const session = await nodeRuntime(1).open({ bytes: writeModel(markedModel(model)) }, { profile: true });
  const feeds = Object.fromEntries(Object.entries(randomFeeds(model, 1)).filter(([name]) => name === 'input'));
  await session.run(feeds);
  const { layers } = layersOfTrace(model, await session.endProfile(), 1, 1);
  await session.release();
  return layers.filter((l) => l.id !== null).map((l) => l.op);
}
const kernelsSaid = (model: Model, block: number): readonly string[] => {
  const { layers } = worksOf(model);
  return runtimeKernels(layers, block).flatMap((p) => (p.layer === null ? [] : (layers[p.layer]?.op ?? [])));
};
const forms = (model: Model): readonly string[] =>
  runtimeKernels(worksOf(model).layers, 8).flatMap((p) => (p.layer === null ? [] : (p.kernel?.form ?? [])));

describe('initializers that are inputs too', () => {
  it.each([
    ['not listed', net()],
    ['listed, version 8', listed(net(), 8)],
    ['listed, version 3, where every initializer had to be', listed(net(), 3)],
  ])('%s: the kernels are the runtime’s', async (_, model) => {
    expect(kernelsSaid(model, 8)).toEqual(await kernelsRun(model));
  });

  it('take a convolution out of the blocked layout, and leave a normalisation on its own', () => {
    expect(forms(net()).every((f) => f.startsWith('blocked'))).toBe(true);
    expect(forms(listed(net(), 8))).toEqual(['plain conv', 'BatchNormalization', 'Relu', 'plain depthwise']);
  });
});
