/** Every storage form in both runtimes: it loads, its decoder is folded at load, and it gives what its float twin gives. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { webRuntime } from '../../electron/runtime/web-runtime.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { RunTensor, Runtime } from '../ports/runtime.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds } from '../testing/feeds.ts';
import { type StorageFormName, storable, storageForms, storageTarget, targetRuntimes } from './storage-target.ts';

const runtimes = async (): Promise<Readonly<Record<string, Runtime>>> => ({
  onnxruntime: nodeRuntime(1),
  'onnxruntime-web': await webRuntime(),
});

/** A convolution and a product, both behind the same form. */
const net = (opset: number, irVersion: number): Model =>
  model({
    opset,
    irVersion,
    inputs: [value('x', [1, 8, 4, 4])],
    outputs: [value('y', null)],
    initializers: [randomTensor('w1', [16, 8, 3, 3], 1), randomTensor('w2', [256, 32], 2)],
    nodes: [
      node('Conv', ['x', 'w1'], ['c'], [attr.ints('pads', [1, 1, 1, 1])]),
      node('Relu', ['c'], ['r']),
      node('Flatten', ['r'], ['f']),
      node('MatMul', ['f', 'w2'], ['y']),
    ],
  });

type Params = Readonly<Record<string, string | number | boolean>>;
/** How to come by each form, and how it shows in the file. */
const forms: Readonly<
  Record<StorageFormName, readonly [technique: string, params: Params, sign: (m: Model) => boolean]>
> = {
  'byte-index': ['share-weights', { bits: 8 }, (m) => stores(m, 'uint8') && has(m, 'Gather') && !has(m, 'BitShift')],
  'uint4-index': ['share-weights', { bits: 4 }, (m) => stores(m, 'uint4') && has(m, 'Gather')],
  'uint2-index': ['share-weights', { bits: 2 }, (m) => stores(m, 'uint2') && has(m, 'Gather')],
  'bit-planes': ['share-weights', { bits: 3 }, (m) => has(m, 'BitShift') && has(m, 'Mod') && has(m, 'Gather')],
  'bit-mask': ['prune-weights', { ratio: 0.7 }, (m) => has(m, 'CumSum')],
  sparse: ['prune-weights', { ratio: 0.995 }, (m) => m.graph.sparseInitializers.length > 0],
  int8: ['quantize', { mode: 'weight-only', bits: 8 }, (m) => stores(m, 'int8')],
  int4: ['quantize', { mode: 'weight-only', bits: 4 }, (m) => stores(m, 'int4')],
  float16: ['float16', { type: 'float16' }, (m) => stores(m, 'float16')],
  bfloat16: ['float16', { type: 'bfloat16' }, (m) => stores(m, 'bfloat16')],
  float8e4m3fn: ['float16', { type: 'float8e4m3fn' }, (m) => stores(m, 'float8e4m3fn')],
};
const stores = (m: Model, type: string): boolean => m.graph.initializers.some((t) => t.type === type);
const has = (m: Model, op: string): boolean => m.graph.nodes.some((n) => n.op === op);

const written = (m: Model, technique: string, params: Params, target?: object): Model =>
  previewRecipe(m, parseRecipe({ bantam: 1, ...(target && { target }), steps: [{ technique, params }] })).model;

async function ran(runtime: Runtime, m: Model, optimize: 'all' | 'none') {
  const session = await runtime.open({ bytes: writeModel(m) }, { threads: 1, optimize, profile: true });
  const outputs = await session.run(randomFeeds(m));
  const kernels = (await session.endProfile()).map((k) => k.op);
  await session.release();
  return { outputs: outputs as Readonly<Record<string, RunTensor>>, kernels };
}

const layers = ['Conv', 'FusedConv', 'Relu', 'Flatten', 'Reshape', 'MatMul', 'ReorderInput', 'ReorderOutput'];

describe.each(Object.entries(forms))('%s', (name, [technique, params, sign]) => {
  const { opset, irVersion } = storageForms[name as StorageFormName];
  const least = Math.max(opset, 13);
  it.each(targetRuntimes)('in %s', async (target) => {
    const runtime = (await runtimes())[target]!;
    const m = written(net(least, Math.max(irVersion, 8)), technique, params, { runtime: target });
    expect(sign(m)).toBe(true);
    const folded = await ran(runtime, m, 'all');
    const decoding = folded.kernels.filter((k) => !layers.includes(k));
    expect(decoding.length === 0).toBe(storageForms[name as StorageFormName].folds[target]);
    // Unoptimized, every decoder runs: what was folded is what stands in the file.
    const plain = await ran(runtime, m, 'none');
    expect(folded.kernels.length).toBeGreaterThan(0);
    expect(maxError(plain.outputs, folded.outputs)).toBeLessThan(1e-3);
    const native = await ran(nodeRuntime(1), m, 'none');
    expect(maxError(native.outputs, folded.outputs)).toBeLessThan(1e-3);
  });
});

it('a target is asked for its opset, its IR version and its runtime', () => {
  const at = (opset: number, irVersion: number) => storageTarget(net(opset, irVersion), 'onnxruntime-web');
  for (const [name, { opset, irVersion }] of Object.entries(storageForms)) {
    expect(storable(name as StorageFormName, at(opset, irVersion))).toBe(true);
    expect(storable(name as StorageFormName, at(opset - 1, irVersion))).toBe(false);
    expect(storable(name as StorageFormName, at(opset, irVersion - 1))).toBe(false);
  }
});

it('four bits are stored under any opset that unpacks them, in no more than an eighth over the half byte', () => {
  for (const opset of [13, 17, 21]) {
    const m = written(net(opset, opset < 21 ? 8 : 10), 'quantize', { mode: 'weight-only', bits: 4 }, { opset });
    expect(m.opsets[0]?.version).toBe(opset);
    const bytes = m.graph.initializers.reduce((n, t) => n + (t.dims.length > 0 ? t.bytes().length : 0), 0);
    const weights = 16 * 72 + 256 * 32;
    expect(bytes).toBeLessThan((weights / 2) * 1.125);
  }
});

it('a target that is no runtime is refused', () => {
  expect(() => parseRecipe({ bantam: 1, target: { runtime: 'tflite' }, steps: [] })).toThrow('runtime');
});
