/** The technique train: which layers it says it trains, before any data; what a quantized model leaves to train. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { int64Tensor, toFloat32 } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset } from '../ports/dataset.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { trainModel } from '../training/train-model.ts';
import type { StepHost } from './run-step.ts';

const runtime = nodeRuntime(1);

/** x [N,1,6,6] -> conv 4 -> relu -> flat -> fc [8] -> relu -> out [3]. */
const net = (): Model =>
  model({
    nodes: [
      node('Conv', ['x', 'k', 'kb'], ['c'], [attr.ints('kernel_shape', [3, 3])], { name: 'conv' }),
      node('Relu', ['c'], ['r']),
      node('Reshape', ['r', 'to'], ['f']),
      node('Gemm', ['f', 'w', 'b'], ['h'], [attr.int('transB', 1)], { name: 'fc' }),
      node('Relu', ['h'], ['g']),
      node('MatMul', ['g', 'v'], ['y'], [], { name: 'out' }),
    ],
    inputs: [value('x', ['N', 1, 6, 6])],
    outputs: [value('y', ['N', 3])],
    initializers: [
      randomTensor('k', [4, 1, 3, 3]),
      randomTensor('kb', [4]),
      int64Tensor('to', [2], [0, -1]),
      randomTensor('w', [8, 64]),
      randomTensor('b', [8]),
      randomTensor('v', [8, 3]),
    ],
  });

/** Three classes by the brightest third of the picture. */
const data: Dataset = {
  info: {
    id: 'thirds',
    source: 'made by the test',
    labelled: true,
    classes: ['0', '1', '2'],
    sample: { kind: 'image', height: 6, width: 6, channels: 1 },
    counts: { train: 60, validation: 30, test: 0 },
    splitRule: 'none',
  },
  read: async (split, indices) =>
    indices.map((i) => {
      const random = rng(5).fork(`${split} ${i}`);
      const light = (k: number): number => (Math.floor(k / 12) === i % 3 ? 200 : 0) + random.next() * 40;
      return { values: Float32Array.from({ length: 36 }, (_, k) => light(k)), label: i % 3 };
    }),
};
const host: StepHost = {
  cancel: { requested: false },
  progress: () => {},
  log: () => {},
  train: (m, settings, c) =>
    trainModel({ runtime, clock: { now: () => 0 }, model: m, dataset: data, settings, seed: c.seed }),
};

const training = { technique: 'train', params: { epochs: 2, batch: 10, learningRate: 0.05, augment: false } };
const recipe = (...steps: readonly object[]) => parseRecipe({ bantam: 1, seed: 1, steps });
const changed = (a: Model, b: Model): readonly string[] =>
  a.graph.initializers.flatMap((t) => {
    const now = b.graph.initializers.find((o) => o.name === t.name);
    const same = now !== undefined && String(toFloat32(t)) === String(toFloat32(now));
    return t.type !== 'float' || same ? [] : [t.name];
  });

describe('train', () => {
  it('lists what it trains, and trains that', async () => {
    const m = readModel(writeModel(net()));
    const all = recipe(training);
    const [step] = previewRecipe(m, all).steps;
    expect(step?.layers.map((l) => [l.id, l.taken && l.what])).toEqual([
      ['conv', 'trained'],
      ['fc', 'trained'],
      ['out', 'trained'],
    ]);
    expect(step?.notes).toEqual([]);
    expect(changed(m, (await runRecipe(m, all, host)).model)).toEqual(['k', 'kb', 'w', 'b', 'v']);
  });

  it('leaves what is not selected as it stands', async () => {
    const m = readModel(writeModel(net()));
    const some = recipe({ ...training, select: { names: ['fc'] } });
    expect(previewRecipe(m, some).steps[0]?.layers.map((l) => l.id)).toEqual(['fc']);
    expect(changed(m, (await runRecipe(m, some, host)).model)).toEqual(['w', 'b']);
  });

  it('after quantize trains integer weights on their grids, scales as they are', async () => {
    const m = readModel(writeModel(net()));
    const quantize = { technique: 'quantize', select: { names: ['conv', 'fc'] }, params: { mode: 'weight-only' } };
    const both = recipe(quantize, training);
    const [, step] = previewRecipe(m, both).steps;
    expect(step?.layers.map((l) => [l.id, l.taken ? l.what : l.reason])).toEqual([
      ['conv', 'trained on its grid of 255 levels'],
      ['fc', 'trained on its grid of 255 levels'],
      ['out', 'trained'],
    ]);
    const ran = await runRecipe(m, both, host);
    const stored = (await runRecipe(m, recipe(quantize), host)).model;
    expect(changed(stored, ran.model)).toEqual(['kb', 'b', 'v']);
    const bytes = (x: Model) => x.graph.initializers.filter((t) => t.type === 'int8').map((t) => [...toFloat32(t)]);
    for (const [i, was] of bytes(stored).entries()) {
      const is = bytes(ran.model)[i]!;
      expect(is).not.toEqual(was);
      expect(Math.max(...is.map(Math.abs))).toBeLessThanOrEqual(127);
    }
    expect(ran.model.graph.nodes).toEqual(stored.graph.nodes);
  });

  it('takes one factor a class, as many as there are: all alike change nothing, others do', async () => {
    const m = readModel(writeModel(net()));
    const classes = data.info.classes.length;
    const by = (classWeights: string) => recipe({ ...training, params: { ...training.params, classWeights } });
    const plain = await runRecipe(m, by(''), host);
    const alike = await runRecipe(m, by(Array.from({ length: classes }, () => '1').join(', ')), host);
    expect(changed(plain.model, alike.model)).toEqual([]);
    const first = await runRecipe(
      m,
      by(Array.from({ length: classes }, (_, i) => (i === 0 ? '1' : '0')).join(',')),
      host,
    );
    expect(changed(plain.model, first.model)).not.toEqual([]);
    await expect(runRecipe(m, by('1, 2'), host)).rejects.toThrow(`2 class weights for ${classes} classes`);
    for (const bad of ['1, x', '0, 0', '1,,2', '-1, 1'])
      expect(() => previewRecipe(m, by(bad))).toThrow('class weights');
  });

  it('with nothing to train says why', () => {
    const quantize = { technique: 'quantize', select: { names: ['out'] }, params: { mode: 'weight-only' } };
    // Below opset 11 there is no Round to train integers by.
    const old = { ...net(), opsets: [{ domain: '', version: 10 }] };
    const none = recipe(quantize, { ...training, select: { names: ['out'] } });
    expect(() => previewRecipe(readModel(writeModel(old)), none)).toThrow(/step 2 \(train\) fits nothing/);
  });
});
