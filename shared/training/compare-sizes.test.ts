/** compare never calls models identical whose outputs it could not compare. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { writeModel } from '../onnx/write.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusFolder, corpusPath } from '../testing/corpus.ts';
import { compare } from './compare.ts';

const subject = (nodes: readonly Node[], out: number, initializers: readonly Tensor[] = [], type = 'float') => {
  const m = model({
    nodes,
    inputs: [value('x', ['N', 4])],
    outputs: [value('y', ['N', out], type as 'float')],
    initializers,
  });
  return { model: m as Model, source: { bytes: writeModel(m) } };
};
const dense = (out: number) => subject([node('MatMul', ['x', 'w'], ['y'])], out, [randomTensor('w', [4, out])]);
const whole = subject([node('ArgMax', ['x'], ['y'])], 1, [], 'int64');

describe('compare', () => {
  const runtime = nodeRuntime(1);
  it('refuses outputs of different sizes', async () => {
    await expect(compare(runtime, dense(3), dense(5))).rejects.toMatchObject({ code: 'does-not-fit', where: 'y' });
    expect(await compare(runtime, dense(3), dense(3))).toMatchObject({ agreement: 1, sqnrDb: null });
  });
  it('refuses models without an output of floats', async () => {
    await expect(compare(runtime, whole, whole)).rejects.toMatchObject({ code: 'does-not-fit' });
  });
});

describe.skipIf(corpusFolder === undefined)('compare of files with external data', () => {
  it('reads layers of both', async () => {
    const path = corpusPath('2-classifier/mnist-dynamo/mnist.onnx');
    const one = { model: openModelFile(path), source: { path } };
    const got = await compare(nodeRuntime(1), one, one);
    expect(got.maxAbsError).toBe(0);
    expect(got.layers.length).toBeGreaterThan(0);
  });
});
