/** A new head learns new classes: the trunk waits bit for bit, every kind of head is found, what cannot follow is refused. */
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../electron/host/datasets/open-dataset.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { attr } from '../ir/attribute.ts';
import type { Model, Node } from '../ir/model.ts';
import { int64Tensor, toFloat32 } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset, Split } from '../ports/dataset.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { type EpochReport, trainModel } from '../training/train-model.ts';
import type { StepHost } from './run-step.ts';

const runtime = nodeRuntime(1);

/** Some digits alone, their labels counted from 0. */
async function digitsOf(wanted: readonly number[], train: number): Promise<Dataset> {
  const all = await openDataset('digits');
  const find = async (split: Split, count: number): Promise<readonly number[]> => {
    const indices = Array.from({ length: Math.min(all.info.counts[split], count) }, (_, i) => i);
    const samples = await all.read(split, indices);
    return indices.filter((i) => wanted.includes(samples[i]?.label ?? -1));
  };
  const held = { train: await find('train', train), validation: await find('validation', 800), test: [] };
  const counts = { train: held.train.length, validation: held.validation.length, test: 0 };
  return {
    info: { ...all.info, classes: wanted.map(String), counts },
    read: async (split, indices) => {
      const samples = await all.read(
        split,
        indices.map((i) => held[split][i] ?? 0),
      );
      return samples.map((s) => ({ ...s, label: wanted.indexOf(s.label ?? -1) }));
    },
  };
}

const hostOn = (dataset: Dataset, curve: EpochReport[] = []): StepHost => ({
  cancel: { requested: false },
  progress: () => {},
  log: () => {},
  classes: dataset.info.classes,
  train: async (m, settings, c) => {
    const clock = { now: () => 0 };
    const onEpoch = (e: EpochReport): void => void curve.push(e);
    const trained = await trainModel({ runtime, clock, model: m, dataset, settings, seed: c.seed, onEpoch });
    const { bestEpoch, bestValidation: validation, samplesPerSecond } = trained;
    return { ...trained, training: { epochs: trained.curve.length, bestEpoch, validation, samplesPerSecond } };
  },
});
const recipe = (params: object, technique = 'transfer', select: object = { all: true }) =>
  parseRecipe({ bantam: 1, seed: 1, steps: [{ technique, select, params }] });

/** conv 8 - Relu - pool - fc 32 - Relu - fc 5. */
const net = (): Model =>
  model({
    nodes: [
      node('Conv', ['x', 'k', 'kb'], ['c'], [attr.ints('strides', [2, 2])], { name: 'conv' }),
      node('Relu', ['c'], ['r']),
      node('MaxPool', ['r'], ['p'], [attr.ints('kernel_shape', [2, 2]), attr.ints('strides', [2, 2])]),
      node('Flatten', ['p'], ['f']),
      node('Gemm', ['f', 'v', 'vb'], ['h'], [attr.int('transB', 1)], { name: 'fc1' }),
      node('Relu', ['h'], ['hr']),
      node('Gemm', ['hr', 'w', 'b'], ['s'], [attr.int('transB', 1)], { name: 'fc2' }),
      node('LogSoftmax', ['s'], ['y'], [attr.int('axis', 1)]),
    ],
    inputs: [value('x', ['N', 1, 28, 28])],
    outputs: [value('y', ['N', 5])],
    initializers: [
      randomTensor('k', [8, 1, 5, 5], 1, 0.2),
      randomTensor('kb', [8], 1, 0.01),
      randomTensor('v', [32, 288], 1, 0.06),
      randomTensor('vb', [32], 1, 0.01),
      randomTensor('w', [5, 32], 1, 0.2),
      randomTensor('b', [5], 1, 0.01),
    ],
  });
const held = (m: Model, name: string): Float32Array =>
  toFloat32(m.graph.initializers.find((t) => t.name === name)!).slice();
const trunk = ['k', 'kb', 'v', 'vb'];

describe('transfer', () => {
  it('learns digits that the net never saw, as many as the data has; the trunk waits, then learns at a lower rate', async () => {
    const first = hostOn(await digitsOf([0, 1, 2, 3, 4], 3000));
    const params = { epochs: 2, learningRate: 0.05, batch: 32, augment: false };
    const learnt = (await runRecipe(net(), recipe(params, 'train'), first)).model;
    const others = await digitsOf([5, 6, 7, 8], 1500);

    const head = await runRecipe(learnt, recipe({ ...params, epochs: 3, freedEpochs: 0 }), hostOn(others));
    for (const name of trunk) expect(held(head.model, name)).toEqual(held(learnt, name));
    expect(held(head.model, 'w')).toHaveLength(4 * 32);
    expect(head.model.graph.outputs).toEqual([value('y', ['N', 4])]);
    const alone = head.steps[0]?.training?.validation ?? 0;
    expect(alone).toBeGreaterThan(0.6); // a quarter by chance

    const curve: EpochReport[] = [];
    const both = await runRecipe(learnt, recipe({ ...params, epochs: 3, freedEpochs: 3 }), hostOn(others, curve));
    for (const name of trunk) expect(held(both.model, name)).not.toEqual(held(learnt, name));
    expect(curve.map((e) => e.epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(Math.max(...curve.slice(3).map((e) => e.rate))).toBeLessThanOrEqual(0.005);
    expect(both.steps[0]?.training?.validation).toBeGreaterThan(alone);
    expect(both.model.metadata).toEqual([{ key: 'classes', value: '["5","6","7","8"]' }]);

    // The head learns whatever is selected; of the trunk only what is.
    const some = recipe({ ...params, epochs: 1, freedEpochs: 1 }, 'transfer', { names: ['fc1'] });
    const part = (await runRecipe(learnt, some, hostOn(others))).model;
    expect(trunk.filter((n) => String(held(part, n)) !== String(held(learnt, n)))).toEqual(['v', 'vb']);
    expect(String(held(part, 'w'))).not.toEqual(String(held(head.model, 'w')));
  });

  it('without labels, or without data, says so', async () => {
    const others = await digitsOf([5, 6, 7, 8], 100);
    const bare = { ...others, info: { ...others.info, labelled: false } };
    const { classes: _, ...host } = hostOn(bare);
    await expect(runRecipe(net(), recipe({ classes: 4 }), host)).rejects.toMatchObject({ code: 'no-data' });
    await expect(runRecipe(net(), recipe({}), host)).rejects.toMatchObject({ code: 'no-data' });
    const { train: __, ...none } = host;
    await expect(runRecipe(net(), recipe({ classes: 4 }), none)).rejects.toMatchObject({ code: 'no-data' });
    const open = previewRecipe(net(), recipe({})).steps[0];
    expect([open?.exactness, open?.needsData(), open?.layers.at(-1)]).toEqual([
      'training',
      'train',
      { id: 'fc2', taken: true, what: 'new head for the classes of the data' },
    ]);
  });

  it('names and number must agree', () => {
    expect(() => previewRecipe(net(), recipe({ classes: 3, names: 'a, b' }))).toThrow(/3 classes, but 2 names/);
    expect(() => previewRecipe(net(), recipe({ classes: 1 }))).toThrow(/one class/);
  });
});

/** features [2, 6, 4, 4] - Relu - `tail`, from which 5 scores come. */
const headed = (
  tail: readonly Node[],
  initializers: Parameters<typeof model>[0]['initializers'],
  y: (number | string)[],
) =>
  model({
    nodes: [
      node('Conv', ['x', 'k'], ['c'], [attr.ints('pads', [1, 1, 1, 1])], { name: 'conv' }),
      node('Relu', ['c'], ['r']),
      ...tail,
    ],
    inputs: [value('x', ['N', 3, 4, 4])],
    outputs: [value('y', y)],
    initializers: [randomTensor('k', [6, 3, 3, 3]), ...(initializers ?? [])],
  });

const flat = node('Flatten', ['r'], ['f']);
const [matrix, bias] = [randomTensor('w', [96, 5]), randomTensor('b', [5])];
const conv = [randomTensor('w', [5, 6, 1, 1]), randomTensor('b', [5])];
const heads: Readonly<Record<string, Model>> = {
  Gemm: headed([flat, node('Gemm', ['f', 'w', 'b'], ['y'])], [matrix, bias], ['N', 5]),
  'MatMul + Add, the bias first and of rank 2': headed(
    [flat, node('MatMul', ['f', 'w'], ['s']), node('Add', ['b', 's'], ['y'])],
    [matrix, randomTensor('b', [1, 5])],
    ['N', 5],
  ),
  'a 1x1 convolution, Relu, global pool, Flatten, Softmax': headed(
    [
      node('Conv', ['r', 'w', 'b'], ['s']),
      node('Relu', ['s'], ['sr']),
      node('GlobalAveragePool', ['sr'], ['g']),
      node('Flatten', ['g'], ['gf']),
      node('Softmax', ['gf'], ['y'], [attr.int('axis', -1)]),
    ],
    conv,
    ['N', 5],
  ),
  'a 1x1 convolution, a mean, a Reshape with the classes built in, Log of Softmax': headed(
    [
      node('Conv', ['r', 'w', 'b'], ['s']),
      node('ReduceMean', ['s'], ['g'], [attr.ints('axes', [2, 3]), attr.int('keepdims', 1)]),
      node('Reshape', ['g', 'to'], ['gf']),
      node('Softmax', ['gf'], ['p'], [attr.int('axis', -1)]),
      node('Log', ['p'], ['y']),
    ],
    [...conv, int64Tensor('to', [2], [-1, 5])],
    ['N', 5],
  ),
  'a Gemm whose weight a Constant and a Transpose make, scores scaled, normalised and answered': headed(
    [
      flat,
      node('Constant', [], ['w0'], [{ name: 'value', kind: 'tensor', value: randomTensor('', [5, 96]) }]),
      node('Transpose', ['w0'], ['w']),
      node('Gemm', ['f', 'w'], ['s']),
      node('Div', ['s', 't'], ['d']),
      node('BatchNormalization', ['d', 'one', 'b', 'b', 'one'], ['y']),
      node('ArgMax', ['y'], ['label'], [attr.int('axis', 1)]),
    ],
    [bias, randomTensor('t', []), randomTensor('one', [5])],
    ['N', 5],
  ),
};

describe('a head', () => {
  it.each(Object.entries(heads))('%s', async (_, m) => {
    for (const classes of [2, 9]) {
      const preview = previewRecipe(m, recipe({ classes }));
      const bytes = writeModel(preview.model);
      expect(preview.figures.fileBytes).toBe(bytes.length);
      expect(preview.steps[0]?.layers.at(-1)).toMatchObject({ taken: true, what: `new head: 5 -> ${classes} classes` });
      const back = readModel(bytes);
      expect(back.graph.outputs).toMatchObject([value('y', ['N', classes])]);
      const session = await runtime.open({ bytes });
      const data = randomTensor('', [2, 3, 4, 4]);
      const out = await session.run({ x: { type: 'float', dims: [2, 3, 4, 4], data: toFloat32(data) } });
      expect(out.y?.dims).toEqual([2, classes]);
      await session.release();
    }
  });

  const refused: Readonly<Record<string, readonly [Model, RegExp]>> = {
    'joined of two': [
      headed(
        [
          flat,
          node('Gemm', ['f', 'w', 'b'], ['s']),
          node('Gemm', ['f', 'w', 'b'], ['z']),
          node('Concat', ['s', 'z'], ['y'], [attr.int('axis', 1)]),
        ],
        [matrix, bias],
        ['N', 10],
      ),
      /Concat y stands between/,
    ],
    'a map of scores': [
      headed([node('Conv', ['r', 'w', 'b'], ['y'])], conv, ['N', 5, 4, 4]),
      /no row of one score a class/,
    ],
    'a grouped convolution': [
      headed(
        [node('Conv', ['r', 'w'], ['s'], [attr.int('group', 2)]), node('GlobalAveragePool', ['s'], ['y'])],
        [randomTensor('w', [4, 3, 1, 1])],
        ['N', 4, 1, 1],
      ),
      /grouped/,
    ],
    'scores that another output reads by number': [
      headed(
        [flat, node('Gemm', ['f', 'w', 'b'], ['y']), node('Slice', ['y', 'from', 'to', 'axis'], ['z'])],
        [matrix, bias, int64Tensor('from', [1], [0]), int64Tensor('to', [1], [3]), int64Tensor('axis', [1], [1])],
        ['N', 5],
      ),
      /Slice/,
    ],
  };
  it.each(Object.entries(refused))('that cannot be replaced: %s', (_, [m, why]) => {
    const refusal = (): unknown => {
      try {
        return previewRecipe(m, recipe({ classes: 7 })).steps[0]?.layers;
      } catch (thrown) {
        return thrown;
      }
    };
    expect(refusal()).toMatchObject({ code: 'bad-recipe', hint: expect.stringMatching(why) });
  });
});
