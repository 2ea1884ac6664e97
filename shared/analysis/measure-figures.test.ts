/** Figures against the reference counts of the corpus and against hand counts on small graphs. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import { measureFigures } from './measure-figures.ts';

/** Multiply-accumulates counted from the runtime's own output shapes, batch 1 (Conv, Gemm, MatMul). */
const macs: Readonly<Record<string, number>> = {
  '1-light/light_bvlc_alexnet.onnx': 654_560_384,
  '1-light/light_densenet121.onnx': 2_834_161_664,
  '1-light/light_inception_v1.onnx': 1_431_556_352,
  '1-light/light_resnet50.onnx': 4_089_184_256,
  '1-light/light_shufflenet.onnx': 124_664_528,
  '1-light/light_squeezenet.onnx': 349_151_936,
  '1-light/light_vgg19.onnx': 19_632_062_464,
  '2-classifier/cifar10-resnet4b.onnx': 2_866_152,
  '2-classifier/mnist-8-cntk.onnx': 786_560,
  '2-classifier/mnist-burn-bn.onnx': 2_756_960,
  '2-classifier/mnist-netkit-depthwise.onnx': 841_664,
  '2-classifier/cifar10-tinymobilenet-fp32.onnx': 2_405_632,
  '3-exporter/ultraface-rfb320-pytorch12.onnx': 100_418_560,
};

/** As published for these networks; DenseNet with its separate scale layers, AlexNet grouped. */
const parameters: Readonly<Record<string, number>> = {
  '1-light/light_resnet50.onnx': 25_557_032,
  '1-light/light_squeezenet.onnx': 1_235_496,
  '1-light/light_densenet121.onnx': 8_062_504,
  '1-light/light_bvlc_alexnet.onnx': 60_965_224,
  '1-light/light_inception_v1.onnx': 6_998_552,
  '1-light/light_vgg19.onnx': 143_667_240,
  '1-light/light_shufflenet.onnx': 1_393_320,
};

describe.skipIf(corpusEntries.length === 0)('the corpus', () => {
  it.each(Object.entries(macs))('%s has %d MACs', (file, count) => {
    expect(measureFigures(openModelFile(corpusPath(file))).macs).toBe(count);
  });
  it.each(Object.entries(parameters))('%s has %d parameters', (file, count) => {
    const figures = measureFigures(openModelFile(corpusPath(file)));
    expect(figures.parameters).toBe(count);
    expect(figures.layers.reduce((n, l) => n + l.parameters, 0)).toBe(count);
  });
  it('gives a dynamic int8 file fewer bytes and the same MACs: a smaller file promises no speed (S22)', () => {
    const dynamic = measureFigures(openModelFile(corpusPath('4-quant/mnist-dynamic-convinteger.onnx')));
    const float = measureFigures(openModelFile(corpusPath('2-classifier/mnist-8-cntk.onnx')));
    expect(dynamic.fileBytes).toBeLessThan(float.fileBytes);
    expect([dynamic.macs, dynamic.parameters]).toEqual([float.macs, float.parameters]);
    expect(dynamic.notCounted).toEqual([]);
  });
  it('counts time steps of the recurrent files (S23)', () => {
    const file = openModelFile(corpusPath('4-rnn/cntk-lstm-bidirectional.onnx'));
    const at = (steps: number) => measureFigures(file, { inputs: { Input3: [steps, 1, 2] } }).macs;
    expect(at(10)).toBe(10 * (at(1) ?? 0));
  });
  it('measures every file that opens', () => {
    const refused = new Set(['5-edge/external-path-traversal.onnx', '5-edge/external-missing-file.onnx']);
    for (const e of corpusEntries) {
      if (e.parse_error !== null || refused.has(e.file)) continue;
      expect(measureFigures(openModelFile(corpusPath(e.file))).nodes, e.file).toBeGreaterThan(0);
    }
  });
});

const w = (name: string, ...dims: readonly number[]) => randomTensor(name, dims);
const image = value('x', ['N', 3, 8, 8]);
const conv = node('Conv', ['x', 'w', 'b'], ['y'], [attr.ints('pads', [1, 1, 1, 1])]);
const convModel = (more: Partial<Parameters<typeof model>[0]> = {}): Model =>
  model({
    nodes: [conv],
    inputs: [image],
    outputs: [value('y', null)],
    initializers: [w('w', 4, 3, 3, 3), w('b', 4)],
    ...more,
  });

describe('parameters', () => {
  it('counts a weight once where two layers share it', () => {
    const tied = convModel({
      nodes: [node('MatMul', ['x', 'w'], ['a']), node('MatMul', ['a', 'w'], ['y'])],
      inputs: [value('x', [1, 5])],
      initializers: [w('w', 5, 5)],
    });
    expect(measureFigures(tied).parameters).toBe(25);
  });
  it('counts the decoded weight of a codebook, not codebook or indices, and each layer on its own', () => {
    const one = (k: number) => [
      node('Gather', ['book', `i${k}`], [`d${k}`]),
      node('MatMul', [k === 0 ? 'x' : 'h', `d${k}`], [k === 0 ? 'h' : 'y']),
    ];
    const shared = convModel({
      nodes: [...one(0), ...one(1)],
      inputs: [value('x', [1, 6])],
      initializers: [
        w('book', 16),
        int64Tensor(
          'i0',
          [6, 6],
          Array.from({ length: 36 }, () => 1),
        ),
        int64Tensor(
          'i1',
          [6, 6],
          Array.from({ length: 36 }, () => 2),
        ),
      ],
    });
    const figures = measureFigures(shared);
    expect(figures.parameters).toBe(72);
    expect(figures.layers.map((l) => l.op)).toEqual(['MatMul', 'MatMul']);
  });
  it('sees through masks, casts, transposes and reshapes', () => {
    const figures = measureFigures(
      convModel({
        nodes: [
          node('Cast', ['bits'], ['m'], [attr.int('to', 1)]),
          node('Mul', ['w', 'm'], ['wm']),
          node('Transpose', ['wm'], ['wt']),
          node('Reshape', ['wt', 'to'], ['wr']),
          node('MatMul', ['x', 'wr'], ['y']),
        ],
        inputs: [value('x', ['N', 6])],
        initializers: [
          w('w', 4, 6),
          numbersTensor(
            'bits',
            'bool',
            [4, 6],
            Array.from({ length: 24 }, () => 1),
          ),
          int64Tensor('to', [2], [6, 4]),
        ],
      }),
    );
    expect(figures.parameters).toBe(24);
    expect(figures.macs).toBe(24);
    expect(figures.layers.map((l) => [l.op, l.weightBytes])).toEqual([['MatMul', 24 * 4 + 24 + 16]]);
  });
  it('counts vectors of Add and Mul, not scalars, and no running statistics', () => {
    const figures = measureFigures(
      convModel({
        nodes: [
          node('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['n']),
          node('Mul', ['n', 'k'], ['a']),
          node('Add', ['a', 'c'], ['d']),
          node('Mul', ['d', 'half'], ['y']),
        ],
        initializers: [w('s', 3), w('b', 3), w('m', 3), w('v', 3), w('k', 3, 1, 1), w('c', 3, 1, 1), w('half', 1)],
      }),
    );
    expect(figures.parameters).toBe(12);
  });
});

describe('dimensions', () => {
  it('takes batch 1 where the batch is open', () => {
    expect(measureFigures(convModel()).macs).toBe(4 * 64 * 27);
    expect(measureFigures(convModel({ inputs: [value('x', [null, 3, 8, 8])] })).macs).toBe(4 * 64 * 27);
  });
  it('leaves figures null where another dimension is open, until it is set', () => {
    const open = convModel({ inputs: [value('x', ['N', 3, 'h', 'w'])] });
    expect(measureFigures(open)).toMatchObject({ macs: null, peakActivationBytes: null, parameters: 112 });
    const set = measureFigures(open, { inputs: { x: [2, 3, 4, 4] } });
    expect(set.macs).toBe(2 * 4 * 16 * 27);
    expect(set.layers[0]?.outputShape).toEqual([2, 4, 4, 4]);
  });
  it('refuses a shape for an input that is not there, or of another rank', () => {
    expect(() => measureFigures(convModel(), { inputs: { z: [1] } })).toThrow('no input named z');
    expect(() => measureFigures(convModel(), { inputs: { x: [1, 3] } })).toThrow('2 dimensions, not 4');
  });
});

describe('peak activations', () => {
  it('holds inputs and outputs of the widest moment', () => {
    // x 768 B -> y 1024 B -> Relu 1024 B -> Add(y, r): y, r and the sum alive together.
    const figures = measureFigures(
      convModel({
        nodes: [conv, node('Relu', ['y'], ['r']), node('Add', ['y', 'r'], ['z'])],
        outputs: [value('z', null)],
      }),
    );
    expect(figures.peakActivationBytes).toBe(3 * 1024);
  });
  it('takes a view as no memory of its own', () => {
    const figures = measureFigures(
      convModel({ nodes: [conv, node('Flatten', ['y'], ['z'])], outputs: [value('z', null)] }),
    );
    expect(figures.peakActivationBytes).toBe(768 + 1024);
  });
});

describe('what is not counted', () => {
  it('is named, and the rest is counted (S24)', () => {
    const figures = measureFigures(
      convModel({ nodes: [conv, node('Mystery', ['y'], ['z'], [], { domain: 'acme' })], outputs: [value('z', null)] }),
    );
    expect(figures.notCounted).toEqual([{ op: 'acme::Mystery', nodes: 1 }]);
    expect(figures.macs).toBe(4 * 64 * 27);
    expect(figures.layers[1]).toMatchObject({ counted: false, macs: null });
  });
});

describe('recurrent layers (S23)', () => {
  const lstm = (steps: number): Model =>
    model({
      nodes: [node('LSTM', ['x', 'w', 'r'], ['y'], [attr.int('hidden_size', 64)])],
      inputs: [value('x', [steps, 1, 32])],
      outputs: [value('y', null)],
      initializers: [w('w', 1, 256, 32), w('r', 1, 256, 64)],
    });
  it('counts every time step', () => {
    const one = measureFigures(lstm(1)).macs;
    expect(one).toBe(256 * 32 + 256 * 64);
    expect(measureFigures(lstm(100)).macs).toBe(100 * (one ?? 0));
  });
});
