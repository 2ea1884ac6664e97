/** S24: a quantized file is counted as far as its operators are known; the rest is named, never zero. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { attr } from '../ir/attribute.ts';
import { numbersTensor } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusFolder, corpusPath } from '../testing/corpus.ts';

describe('S24: operators without a rule', () => {
  const strange = model({
    nodes: [
      node('MatMul', ['x', 'w'], ['a']),
      node('Mystery', ['a'], ['b'], [], { domain: 'com.example' }),
      node('Relu', ['a'], ['c']),
    ],
    inputs: [value('x', [2, 3])],
    outputs: [value('b', null), value('c', null)],
    initializers: [randomTensor('w', [3, 4])],
  });
  const figures = measureFigures(strange);
  it('are listed by name, once each', () => {
    expect(figures.notCounted).toEqual([{ op: 'com.example::Mystery', nodes: 1 }]);
  });
  it('do not keep the others from being counted', () => {
    expect(figures.macs).toBe(24);
    expect(figures.layers.map((l) => l.counted)).toEqual([true, false, true]);
  });
  it('take DynamicQuantizeLinear in their stride', () => {
    const dynamic = model({
      nodes: [
        node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
        node('MatMulInteger', ['q', 'w', 'z'], ['i']),
        node('Cast', ['i'], ['y'], [attr.int('to', 1)]),
      ],
      inputs: [value('x', [2, 3])],
      outputs: [value('y', null)],
      initializers: [
        numbersTensor(
          'w',
          'int8',
          [3, 4],
          Array.from({ length: 12 }, (_, i) => i - 6),
        ),
      ],
    });
    expect(measureFigures(dynamic)).toMatchObject({ notCounted: [], macs: 24, parameters: 12 });
  });
  it.skipIf(corpusFolder === undefined)('leave a dynamically quantized file countable', () => {
    const dynamic = measureFigures(openModelFile(corpusPath('4-quant/mnist-dynamic-convinteger.onnx')));
    expect(dynamic.notCounted).toEqual([]);
    const byOp = new Map(dynamic.layers.map((l) => [l.op, l]));
    for (const op of ['ConvInteger', 'MatMulInteger']) expect(byOp.get(op)?.counted, op).toBe(true);
    expect(byOp.get('ConvInteger')?.macs).toBeGreaterThan(0);
    expect(dynamic.macs).toBeGreaterThan(0);
  });
  it.skipIf(corpusFolder === undefined)('count what a quantized operator computes as its float original', () => {
    const int8 = measureFigures(openModelFile(corpusPath('4-quant/cifar10-tinymobilenet-int8-qoperator.onnx')));
    const float = measureFigures(openModelFile(corpusPath('2-classifier/cifar10-tinymobilenet-fp32.onnx')));
    expect(int8.macs).toBe(float.macs);
  });
});
