/** The proposal: classifiers that other people trained find their own preprocessing again, on data of other samples. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../electron/host/datasets/open-dataset.ts';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { attr } from '../ir/attribute.ts';
import { numbersTensor } from '../ir/values.ts';
import type { Dataset, Sample, Split } from '../ports/dataset.ts';
import { model, node, value } from '../testing/build.ts';
import { corpusFolder, corpusPath } from '../testing/corpus.ts';
import { evaluate } from './evaluate.ts';
import { calibratedLoss, proposePreprocess } from './propose-preprocess.ts';

const runtime = nodeRuntime(1);
const clock = { now: () => performance.now() };
const data = (name: string): string => join(corpusFolder ?? '', 'data', name);

/** File, data, the right preset where one is clearly best, least accuracy on the test split. */
const classifiers = [
  ['mnist-8-cntk', 'mnist', undefined, 0.98],
  ['mnist-burn-bn', 'mnist', 'mnist', 0.985],
  ['mnist-netkit-cnn', 'mnist', undefined, 0.98],
  ['mnist-fc-256x4', 'mnist', 'unit', 0.96],
  ['mnist-verivital-maxpool', 'mnist', 'unit', 0.96],
  ['cifar10-resnet4b', 'cifar10-csv/cifar10_test.csv', 'cifar', 0.7],
  ['cifar10-tinymobilenet-fp32', 'cifar10-csv/cifar10_test.csv', 'cifar', 0.7],
  ['cifar10-tf2onnx-large', 'cifar10-csv/cifar10_test.csv', 'unit', 0.6],
] as const;

describe.skipIf(corpusFolder === undefined)('classifiers of the corpus', () => {
  it.each(classifiers)('%s on %s', async (file, where, preset, least) => {
    const path = corpusPath(`2-classifier/${file}.onnx`);
    const subject = { model: openModelFile(path), source: { path } };
    const dataset = await openDataset(data(where));
    const [best] = await proposePreprocess(runtime, subject, dataset, { samples: 100 });
    if (preset !== undefined) expect(best?.name).toBe(preset);
    const e = await evaluate(runtime, clock, subject, dataset, {
      samples: 1000,
      ...(best === undefined ? {} : { preprocess: best.preprocess }),
    });
    expect(e.top1).toBeGreaterThanOrEqual(least);
  });
});

/** RGB pictures of four columns, one colour bright: 0 red, 1 green, 2 blue. */
function colours(height = 4): Dataset {
  const sample = (i: number): Sample => ({
    values: Float32Array.from({ length: height * 12 }, (_, k) => (k % 3 === i % 3 ? 255 : (7 * i + k) % 60)),
    label: i % 3,
  });
  const asked: Split[] = [];
  return {
    info: {
      id: 'colours',
      source: 'made by the test',
      labelled: true,
      classes: ['red', 'green', 'blue'],
      sample: { kind: 'image', height, width: 4, channels: 3 },
      counts: { train: 60, validation: 60, test: 60 },
      splitRule: 'none',
    },
    read: async (split, indices) => {
      asked.push(split);
      if (split !== 'train') throw new Error(`read ${split}`);
      return indices.map(sample);
    },
  };
}

/** Mean of each channel as the class scores, from an input of this shape; `order` says which channel is which class. */
const meanNet = (shape: readonly (number | string)[], axes: readonly number[], order: readonly number[]) =>
  model({
    nodes: [
      node('ReduceMean', ['x'], ['m'], [attr.ints('axes', axes), attr.int('keepdims', 0)]),
      node('MatMul', ['m', 'w'], ['y']),
    ],
    inputs: [value('x', shape)],
    outputs: [value('y', ['N', 3])],
    initializers: [
      numbersTensor(
        'w',
        'float',
        [3, 3],
        order.flatMap((to) => [0, 1, 2].map((c) => (c === to ? 1 : 0))),
      ),
    ],
    opset: 13,
  });

describe('what it turns', () => {
  it('finds BGR', async () => {
    const [best] = await proposePreprocess(runtime, { model: meanNet(['N', 3, 4, 4], [2, 3], [2, 1, 0]) }, colours());
    expect(best).toMatchObject({ top1: 1, preprocess: { colour: 'bgr' } });
  });

  it('finds NHWC where the shape says nothing', async () => {
    const [best] = await proposePreprocess(
      runtime,
      { model: meanNet(['N', 'a', 'b', 'c'], [1, 2], [0, 1, 2]) },
      colours(),
    );
    expect(best).toMatchObject({ top1: 1, preprocess: { layout: 'nhwc' } });
  });

  it('finds pixel by pixel in a flat input', async () => {
    const net = model({
      nodes: [
        node('Reshape', ['x', 's'], ['p']),
        node('ReduceMean', ['p'], ['y'], [attr.ints('axes', [1]), attr.int('keepdims', 0)]),
      ],
      inputs: [value('x', ['N', 36])],
      outputs: [value('y', ['N', 3])],
      initializers: [numbersTensor('s', 'int64', [3], [-1, 12, 3])],
      opset: 13,
    });
    const [best] = await proposePreprocess(runtime, { model: net }, colours(3));
    expect(best).toMatchObject({ top1: 1, preprocess: { layout: 'flat-hwc' } });
  });
});

it('the calibrated loss does not care how large scores are, nor whether they are logarithms', () => {
  const rows = [
    [2, 0, -1],
    [0.5, 1, 0],
    [0, -1, 0.5],
  ].map((r) => Float32Array.from(r));
  const labels = [0, 1, 0];
  const loss = calibratedLoss(rows, labels);
  expect(
    calibratedLoss(
      rows.map((r) => r.map((v) => 4 * v)),
      labels,
    ),
  ).toBeCloseTo(loss, 6);
  const soft = rows.map((r) => {
    const sum = r.reduce((a, v) => a + Math.exp(v), 0);
    return r.map((v) => Math.exp(v) / sum);
  });
  expect(calibratedLoss(soft, labels)).toBeCloseTo(loss, 4);
});
