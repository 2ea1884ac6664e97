/** The zoo's nets have the parameters that the papers state, and run. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { writeModel } from '../onnx/write.ts';
import { lenet5, lenet300 } from './lenet.ts';
import { resnet8 } from './resnet.ts';

describe('zoo', () => {
  it.each([
    ['LeNet-300-100', lenet300(), 266_610, 784 * 300 + 300 * 100 + 100 * 10],
    ['LeNet-5', lenet5(), 431_080, 20 * 24 * 24 * 25 + 50 * 8 * 8 * 20 * 25 + 800 * 500 + 500 * 10],
    ['ResNet-8', resnet8(), 45_000, null],
  ])('%s', async (_, model, parameters, macs) => {
    const figures = measureFigures(model);
    if (macs === null) expect(figures.parameters).toBeLessThan(60_000);
    else expect([figures.parameters, figures.macs]).toEqual([parameters, macs]);
    const session = await nodeRuntime(1).open({ bytes: writeModel(model) });
    const data = new Float32Array(2 * 784).fill(0.5);
    const out = await session.run({ input: { type: 'float', dims: [2, 1, 28, 28], data } });
    expect(Object.values(out)[0]?.dims).toEqual([2, 10]);
    await session.release();
  });
});
