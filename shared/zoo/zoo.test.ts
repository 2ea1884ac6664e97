/** The zoo's nets have the parameters and multiply-accumulates that are published, run, and build at once. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { writeModel } from '../onnx/write.ts';
import { buildFromZoo, zoo } from './index.ts';
import { lenet5, lenet300 } from './lenet.ts';
import { mobilenetV1 } from './nets/mobilenet.ts';
import { resnet8 } from './resnet.ts';
import { NetWriter } from './write-net.ts';

/**
 * Parameters (biases, BatchNorm scale and shift counted) and multiply-accumulates of conv and fully connected layers, batch 1, at
 * the published size. torchvision's own table unless noted; MACs in full where a layer-by-layer count is at hand.
 */
const published: readonly (readonly [id: string, width: number, parameters: number, macs: number | string])[] = [
  ['alexnet', 1, 61_100_840, 714_188_480],
  ['vgg-16', 1, 138_357_544, 15_470_264_320],
  ['vgg-11', 1, 132_863_336, '7.61'],
  ['vgg-19', 1, 143_667_240, 19_632_062_464],
  ['resnet-18', 1, 11_689_512, 1_814_073_344],
  ['resnet-34', 1, 21_797_672, '3.66'],
  ['resnet-50', 1, 25_557_032, 4_089_184_256],
  ['resnet-101', 1, 44_549_160, '7.80'],
  ['resnet-152', 1, 60_192_808, '11.51'],
  ['densenet-121', 1, 7_978_856, 2_834_161_664],
  ['densenet-169', 1, 14_149_480, '3.36'],
  ['densenet-201', 1, 20_013_928, '4.29'],
  ['squeezenet-1.0', 1, 1_248_424, 818_924_576],
  ['squeezenet-1.1', 1, 1_235_496, 349_151_936],
  ['mobilenet-v1', 1, 4_231_976, 568_740_352], // TF-slim
  ['mobilenet-v1', 0.75, 2_585_560, 325_400_448],
  ['mobilenet-v1', 0.5, 1_331_592, 149_497_088],
  ['mobilenet-v2', 1, 3_504_872, 300_774_272],
  ['shufflenet-v1-g3', 1, 1_865_728, 137_460_672], // the authors' code, classifier with bias, classifier with bias
  ['shufflenet-v1-g8', 1, 2_434_768, 138_365_952],
  ['shufflenet-v2', 1, 2_278_604, 144_907_992],
  ['shufflenet-v2', 0.5, 1_366_792, '0.04'],
  ['shufflenet-v2', 1.5, 3_503_624, '0.30'],
  ['shufflenet-v2', 2, 7_393_996, '0.58'],
  ['mnasnet-1.0', 1, 4_383_312, 314_415_872],
  ['googlenet', 1, 6_998_552, '1.58'], // BVLC's, whose poolings round up
  ['inception-v3', 1, 23_834_568, '5.71'], // without the auxiliary head
  ['lenet-300-100', 1, 266_610, 784 * 300 + 300 * 100 + 100 * 10],
  ['mlp-2x800', 1, 1_276_810, 784 * 800 + 800 * 800 + 8000],
  ['mlp-2x30', 1, 24_790, 784 * 30 + 30 * 30 + 300],
  ['lenet-5', 1, 431_080, 20 * 24 * 24 * 25 + 50 * 8 * 8 * 20 * 25 + 800 * 500 + 500 * 10],
];

describe('zoo', () => {
  it.each(published)('%s x %d as published', (id, width, parameters, macs) => {
    const figures = measureFigures(buildFromZoo(id, { width }));
    expect(figures.parameters).toBe(parameters);
    if (typeof macs === 'number') expect(figures.macs).toBe(macs);
    else expect(((figures.macs ?? 0) / 1e9).toFixed(2)).toBe(macs);
  });

  it("MnasNet-A1 has the paper's 3.9M parameters and 312M multiply-accumulates", () => {
    const figures = measureFigures(buildFromZoo('mnasnet-a1'));
    expect((figures.parameters / 1e6).toFixed(1)).toBe('3.9');
    expect(Math.round((figures.macs ?? 0) / 1e6)).toBe(312);
  });

  it("AMC's published channels for MobileNet v1 at half the MACs", () => {
    const net = new NetWriter(1);
    const channels = [24, 48, 96, 80, 192, 200, 328, 352, 368, 360, 328, 400, 736, 752];
    const x = net.input(3, 224, 224);
    const figures = measureFigures(net.model('amc', x, mobilenetV1(net, x, channels, 1000)));
    expect(figures.parameters).toBe(2_408_232);
    expect(Math.round((figures.macs ?? 0) / 1e4)).toBe(29_387);
  });

  it('names every node once', () => {
    for (const entry of zoo) {
      const { nodes, initializers } = buildFromZoo(entry.id).graph;
      expect(new Set(nodes.map((n) => n.id)).size, entry.id).toBe(nodes.length);
      expect(new Set(initializers.map((t) => t.name)).size, entry.id).toBe(initializers.length);
    }
  });
  it('builds VGG-16 without computing a weight', () => {
    const started = performance.now();
    buildFromZoo('vgg-16');
    expect(performance.now() - started).toBeLessThan(200);
  });

  it('refuses a picture that its windows do not fit, naming the layer', () => {
    expect(() => buildFromZoo('alexnet', { input: [3, 16, 16] })).toThrow(/too small/);
    expect(() => buildFromZoo('resnet50')).toThrow(/Did you mean|no network/);
  });

  it('keeps its seed', () => {
    const bytes = (seed: number) => writeModel(lenet300(seed));
    expect(Buffer.compare(bytes(3), bytes(3))).toBe(0);
    expect(Buffer.compare(bytes(3), bytes(4))).not.toBe(0);
    expect(measureFigures(lenet5()).parameters).toBe(431_080);
    expect(measureFigures(resnet8()).parameters).toBe(47_050);
  });
});

describe('every net at a quarter of its width', () => {
  const runtime = nodeRuntime(1);
  const side = (id: string, full: number): number =>
    full <= 32 ? full : id === 'inception-v3' ? 75 : id === 'alexnet' ? 63 : 64;
  /** Deeper brothers of nets that run anyway. */
  const skipped = /^(vgg-1[39]|resnet-(101|152|56|110)|preresnet-56|densenet-(169|201)|shufflenet-v1-g[124])$/;
  it.each(zoo.filter((e) => !skipped.test(e.id)).map((e) => [e.id, e] as const))('%s runs', async (id, entry) => {
    const size = side(id, entry.input[1]);
    const model = buildFromZoo(id, { width: 0.25, classes: 7, input: [entry.input[0], size, size] });
    const session = await runtime.open({ bytes: writeModel(model) });
    const dims = [2, entry.input[0], size, size];
    const data = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => Math.sin(i));
    const out = await session.run({ input: { type: 'float', dims, data } });
    await session.release();
    const [scores] = Object.values(out);
    if (scores === undefined) throw new Error('no output');
    expect(scores.dims).toEqual([2, 7]);
    expect((scores.data as Float32Array).every(Number.isFinite)).toBe(true);
    if (id.endsWith('-digits')) expect(writeModel(buildFromZoo(id)).length).toBeLessThan(500_000);
  });
});
