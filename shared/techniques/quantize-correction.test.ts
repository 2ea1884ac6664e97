/** Equalisation and bias correction on nets made to need them: less noise, no shifted means, the law kept. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { randomFeeds, runModel, sqnrDb } from '../testing/feeds.ts';
import { quantized, quantizedModel } from '../testing/quantized.ts';

const runtime = nodeRuntime(1);
const channels = 16;

/** Element k of `t` times by(k). */
const times = (t: Tensor, by: (k: number) => number): Tensor =>
  numbersTensor(
    t.name,
    'float',
    t.dims,
    toNumbers(t).map((x, k) => x * by(k)),
  );

/**
 * Pointwise, depthwise, pointwise with Relu between, as in a MobileNet; the channels of the two inner values are stretched by up
 * to a hundredfold and taken back by the next weight, so that it computes the same as an even one.
 */
function stretched(): Model {
  const random = rng(5);
  const factors = [0, 1].map(() => Float64Array.from({ length: channels }, () => 10 ** (2 * random.next() - 1)));
  const [s = [], t = []] = factors;
  const at = (list: ArrayLike<number>, k: number): number => list[k] ?? 1;
  return model({
    opset: 13,
    inputs: [value('x', [1, 3, 16, 16])],
    outputs: [value('y', [1, 10])],
    initializers: [
      times(randomTensor('a', [channels, 3, 1, 1], 1), (k) => at(s, Math.floor(k / 3))),
      times(randomTensor('ab', [channels], 2), (k) => at(s, k)),
      times(randomTensor('d', [channels, 1, 3, 3], 3), (k) => at(t, Math.floor(k / 9)) / at(s, Math.floor(k / 9))),
      times(randomTensor('p', [10, channels, 1, 1], 4), (k) => 1 / at(t, k % channels)),
    ],
    nodes: [
      node('Conv', ['x', 'a', 'ab'], ['h1']),
      node('Relu', ['h1'], ['r1']),
      node('Conv', ['r1', 'd'], ['h2'], [attr.int('group', channels), attr.ints('pads', [1, 1, 1, 1])]),
      node('Relu', ['h2'], ['r2']),
      node('Conv', ['r2', 'p'], ['h3']),
      node('GlobalAveragePool', ['h3'], ['g']),
      node('Flatten', ['g'], ['y']),
    ],
  });
}

describe('equalisation', () => {
  it('lowers the error where channels of one scale differ a hundredfold', async () => {
    const m = stretched();
    const plain = await quantized(m, { perChannel: false });
    const equal = await quantized(m, { perChannel: false, equalize: true });
    expect(equal.db).toBeGreaterThan(plain.db + 6);
    expect(equal.notes.map((n) => n.en)).toContain(
      '2 layers share out their weight ranges with the layers that read them.',
    );
    // Scales per channel leave the activations' ranges as uneven as they are.
    const channelwise = await quantized(m, {});
    expect((await quantized(m, { equalize: true })).db).toBeGreaterThan(channelwise.db);
  });
  it('stays what it is where layers fall back to float: ranges were observed on the model equalised as a whole', async () => {
    const m = stretched();
    const equal = await quantized(m, { perChannel: false, equalize: true });
    const feeds = [1, 2, 3].map((seed) => randomFeeds(m, seed));
    const params = { perChannel: false, equalize: true, keep: 'sqnr', leastDb: 100 };
    const left = await quantizedModel(m, params, feeds);
    expect(left.notes.map((n) => n.en).join()).toContain('2 of the layers stay float');
    const [was, is] = await Promise.all([m, left.model].map((of) => runModel(runtime, of, feeds[0]!)));
    expect(sqnrDb(was!.y!, is!.y!)).toBeGreaterThan(equal.db + 3);
  });
  it('says where there is nothing to equalise, and what a Clip keeps from it', async () => {
    const m = stretched();
    const bounds = ['lo', 'hi'].map((n, k) => numbersTensor(n, 'float', [], [6 * k]));
    const nodes = m.graph.nodes.map((n) =>
      n.op === 'Relu' ? { ...n, op: 'Clip', inputs: [...n.inputs, 'lo', 'hi'] } : n,
    );
    const clipped = { ...m, graph: { ...m.graph, nodes, initializers: [...m.graph.initializers, ...bounds] } };
    const q = await quantized(clipped, { equalize: true });
    const said = q.notes.map((n) => n.en).join(' ');
    expect(said).toContain('Nothing to equalise');
    expect(said).toContain('bounds them from above: h1, h2.');
  });
});

/** A net whose weights are all of one sign and coarse, behind inputs of one sign: rounding shifts every mean. */
function shifted(bias: boolean): Model {
  const skewed = (name: string, dims: readonly number[], seed: number): Tensor => {
    const w = toNumbers(randomTensor(name, dims, seed));
    // One large weight makes the step so wide that the others lie within it.
    return numbersTensor(
      name,
      'float',
      dims,
      w.map((x, k) => (k === 0 ? 6 : 0.02 * Math.abs(x))),
    );
  };
  return model({
    opset: 13,
    inputs: [value('x', [1, 8, 8, 8])],
    outputs: [value('y', [1, 10])],
    initializers: [
      skewed('a', [16, 8, 3, 3], 1),
      ...(bias ? [randomTensor('ab', [16], 2)] : []),
      skewed('g', [16 * 36, 10], 3),
    ],
    nodes: [
      node('Relu', ['x'], ['r0']),
      node('Conv', ['r0', 'a', ...(bias ? ['ab'] : [])], ['h1']),
      node('Relu', ['h1'], ['r1']),
      node('Flatten', ['r1'], ['f']),
      node('MatMul', ['f', 'g'], ['y']),
    ],
  });
}

describe('bias correction', () => {
  it.each([true, false])('takes back shifted means (biases before: %s)', async (bias) => {
    const m = shifted(bias);
    const feeds = Array.from({ length: 16 }, (_, k) => randomFeeds(m, k + 1));
    const plain = await quantized(m, { perChannel: false }, { feeds });
    const corrected = await quantized(m, { perChannel: false, correctBias: true }, { feeds });
    expect(corrected.db).toBeGreaterThan(plain.db + 3);
    expect(corrected.kernels).toContain('QLinearConv');
    expect(corrected.kernels).toContain('QGemm');
  });
});
