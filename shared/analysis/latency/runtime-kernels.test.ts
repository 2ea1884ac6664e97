/** Checks the runtime's layout rules against the runtime itself: as many kernels of each kind as its trace has. */
import { describe, expect, it } from 'vitest';
import { blockOf } from '../../../electron/jobs/calibrate-machine.ts';
import { randomFeeds } from '../../../electron/jobs/random-feeds.ts';
import { nodeRuntime } from '../../../electron/runtime/node-runtime.ts';
import type { Model } from '../../ir/model.ts';
import { readModel } from '../../onnx/read.ts';
import { writeModel } from '../../onnx/write.ts';
import { corpusBytes, corpusFolder } from '../../testing/corpus.ts';
import { calibrationChains } from '../../zoo/calibration/chains.ts';
import { buildFromZoo } from '../../zoo/index.ts';
import { runtimeKernels } from './runtime-kernels.ts';
import { layersOfTrace, markedModel } from './trace-layers.ts';
import { worksOf } from './works-of.ts';

const views = /^(?:Reshape|Flatten|Squeeze|Unsqueeze|Identity)$/;

async function traceOf(model: Model) {
  const session = await nodeRuntime(1).open({ bytes: writeModel(markedModel(model)) }, { profile: true });
  await session.run(randomFeeds(model, 1));
  const traced = layersOfTrace(model, await session.endProfile(), 1, 1);
  await session.release();
  return traced.layers.filter((l) => !views.test(l.kernel));
}

async function agrees(model: Model): Promise<void> {
  const real = await traceOf(model);
  const mine = runtimeKernels(worksOf(model).layers, 8);
  const count = (names: readonly string[]) => ({
    all: names.length,
    in: names.filter((n) => /^reorder-?input$/i.test(n)).length,
    out: names.filter((n) => /^reorder-?output$/i.test(n)).length,
  });
  expect(count(mine.map((k) => k.kernel?.form ?? ''))).toEqual(count(real.map((l) => l.kernel)));
}

// The rules hold for blocks of 8; a machine with wider registers takes 16 and pads other channels.
const block8 = (await blockOf(nodeRuntime(1))) === 8;

describe.runIf(block8)('runtimeKernels', () => {
  it.each(['lenet-5', 'resnet-18', 'googlenet', 'densenet-121', 'shufflenet-v1-g3', 'shufflenet-v2', 'squeezenet-1.1'])(
    '%s has the kernels that the runtime runs',
    async (id) =>
      agrees(
        buildFromZoo(
          id,
          id === 'lenet-5' ? {} : { input: [3, 96, 96], ...(id === 'resnet-18' ? { width: 0.25 } : {}) },
        ),
      ),
  );

  it.runIf(corpusFolder !== undefined).each(['1-light/light_shufflenet.onnx', '2-classifier/mnist-burn-bn.onnx'])(
    '%s has the kernels that the runtime runs',
    async (file) => agrees(readModel(corpusBytes(file))),
  );

  it('knows all kernels of the calibration chains of each kind', async () => {
    for (const { name, build } of calibrationChains(3, 0.01)) {
      if (name.startsWith('cache')) continue;
      const model = build();
      const placed = runtimeKernels(worksOf(model).layers, 8);
      expect(
        placed.filter((p) => p.kernel === undefined),
        name,
      ).toEqual([]);
      expect(placed.length, name).toBeGreaterThan(1);
    }
  });
});
