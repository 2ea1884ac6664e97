/** quantize on real files: the law holds, at least 80 % of the MACs are taken, the output stays near the float model's. */
import { describe, expect, it } from 'vitest';
import { readModel } from '../onnx/read.ts';
import { corpusBytes, corpusEntries } from '../testing/corpus.ts';
import { quantized } from '../testing/quantized.ts';

/** File and the least SQNR in dB on normal noise, static 8 bit; Infinity where all weights are one value. */
const files = [
  ['1-light/light_squeezenet.onnx', 60],
  ['1-light/light_shufflenet.onnx', 60],
  ['1-light/light_resnet50.onnx', 60],
  ['1-light/light_densenet121.onnx', 60],
  ['2-classifier/cifar10-tinymobilenet-fp32.onnx', 25],
  ['2-classifier/cifar10-resnet4b.onnx', 35],
  ['2-classifier/cifar10-tf2onnx-large.onnx', 35],
  ['2-classifier/mnist-8-cntk.onnx', 28],
  ['2-classifier/mnist-burn-bn.onnx', 25],
  ['2-classifier/mnist-ort-java-cnn.onnx', 20],
  ['2-classifier/mnist-netkit-cnn.onnx', 20],
  ['3-exporter/ultraface-rfb320-pytorch12.onnx', 40],
  ['3-exporter/oww-layernorm-decomposed.onnx', 18],
  ['3-exporter/tf2onnx-speech-embedding.onnx', 25],
  ['3-exporter/openseeface-mnv3-detection-ortopt.onnx', 10],
  ['3-exporter/resnet-basic-block.onnx', 25],
  ['4-quant/conv-convtranspose-fp32.onnx', 30],
] as const;

describe.runIf(corpusEntries.length > 0)('static', () => {
  it.each(files)('%s', async (file, least) => {
    const q = await quantized(readModel(corpusBytes(file)));
    expect(q.db).toBeGreaterThan(least);
    if (q.share !== null) expect(q.share).toBeGreaterThanOrEqual(0.8);
  });
});

describe
  .runIf(corpusEntries.length > 0)
  .each([{ mode: 'weight-only' }, { mode: 'weight-only', bits: 4 }, { mode: 'dynamic' }])('%j', (params) => {
  const some = ['cifar10-resnet4b', 'cifar10-tinymobilenet-fp32', 'mnist-8-cntk', 'mnist-pytorch-222k'];
  it.each(some)('%s', async (name) => {
    const q = await quantized(readModel(corpusBytes(`2-classifier/${name}.onnx`)), params);
    expect(q.db).toBeGreaterThan('bits' in params ? 5 : 20);
    if (params.mode === 'weight-only') expect(q.kernels).not.toContain('Cast');
  });
});
