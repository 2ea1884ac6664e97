/** The training loop on data and nets small enough for seconds: it learns, keeps masks, stops on NaN, never reads test. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { cancelSource } from '../base/cancel.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import type { Dim, Model, Node } from '../ir/model.ts';
import { int64Tensor, numbersTensor, toFloat32 } from '../ir/values.ts';
import { bars } from '../testing/bars.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { type TrainParts, type TrainSettings, trainModel } from './train-model.ts';

const runtime = nodeRuntime(1);
const clock = { now: () => performance.now() };

const settings: TrainSettings = {
  epochs: 4,
  batch: 16,
  optimizer: 'sgd',
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 1e-4,
  schedule: 'cosine',
  augment: false,
};
const train = (m: Model, more: Partial<TrainParts> = {}) =>
  trainModel({ runtime, clock, model: m, dataset: bars(), settings, seed: 1, ...more });

/** conv 4 of 3 x 3 - [more] - flatten - 6 scores. */
function net(
  o: {
    batch?: Dim;
    tail?: readonly Node[];
    target?: readonly number[];
    norm?: boolean;
    dense?: Parameters<typeof model>[0]['initializers'];
  } = {},
): Model {
  const norm = o.norm
    ? [node('BatchNormalization', ['c', 'g', 'h', 'm', 'v'], ['n'])]
    : [node('Identity', ['c'], ['n'])];
  const filled = (name: string, v: number) => numbersTensor(name, 'float', [4], new Float32Array(4).fill(v));
  return model({
    nodes: [
      node('Conv', ['x', 'k', 'kb'], ['c'], [attr.ints('kernel_shape', [3, 3])]),
      ...norm,
      node('Relu', ['n'], ['r']),
      node('Reshape', ['r', 'shape'], ['f']),
      node('Gemm', ['f', 'w', 'b'], ['s'], [attr.int('transB', 1)]),
      ...(o.tail ?? [node('Identity', ['s'], ['y'])]),
    ],
    inputs: [value('x', [o.batch ?? 'N', 1, 6, 6])],
    outputs: [value('y', [o.batch ?? 'N', 6])],
    initializers: [
      randomTensor('k', [4, 1, 3, 3]),
      filled('kb', 0),
      ...(o.norm ? [filled('g', 1), filled('h', 0), filled('m', 0), filled('v', 1)] : []),
      int64Tensor('shape', [2], o.target ?? [0, -1]),
      ...(o.dense ?? [randomTensor('w', [6, 64], 1, 0.1)]),
      numbersTensor('b', 'float', [6], new Float32Array(6)),
    ],
  });
}
const weight = (m: Model, name: string): Float32Array => {
  const found = m.graph.initializers.find((t) => t.name === name);
  return found === undefined ? new Float32Array() : toFloat32(found);
};

describe('training', () => {
  it.each([
    ['scores', net()],
    ['a Softmax at the end', net({ tail: [node('Softmax', ['s'], ['y'], [attr.int('axis', -1)])] })],
    ['a LogSoftmax at the end', net({ tail: [node('LogSoftmax', ['s'], ['y'], [attr.int('axis', -1)])] })],
    ['batch 1 fixed and written into the Reshape', net({ batch: 1, target: [1, 64] })],
    ['BatchNormalization by the batch', net({ norm: true })],
  ])('learns with %s, and only values change', async (_, m) => {
    const t = await train(m);
    expect(t.bestValidation).toBeGreaterThan(0.95);
    const names = (x: Model) => x.graph.initializers.map((i) => [i.name, i.type, ...i.dims]);
    expect(names(t.model)).toEqual(names(m));
    expect(t.model.graph.nodes).toEqual(m.graph.nodes);
    if (m.graph.nodes.some((n) => n.op === 'BatchNormalization'))
      expect(weight(t.model, 'm')).not.toEqual(weight(m, 'm'));
  });

  it('learns with Adam, and with a model of opset 9', async () => {
    const adam = { ...settings, optimizer: 'adam', epochs: 10, learningRate: 0.01 } as const;
    expect((await train(net(), { settings: adam })).bestValidation).toBeGreaterThan(0.95);
    const old = { ...net(), opsets: [{ domain: '', version: 9 }] };
    const t = await train(old);
    expect(t.bestValidation).toBeGreaterThan(0.95);
    expect(t.model.opsets).toEqual(old.opsets);
  });

  it('keeps exact zeros of weights to the last epoch, dense or sparse', async () => {
    const random = rng(2);
    const values = Float32Array.from({ length: 384 }, () => (random.next() < 0.7 ? 0 : random.normal() * 0.1));
    const dense = net({ dense: [numbersTensor('w', 'float', [6, 64], values)] });
    const zeros = (v: Float32Array) => [...v].map((x) => x === 0);
    for (const optimizer of ['sgd', 'adam'] as const) {
      const t = await train(dense, {
        settings: { ...settings, optimizer, learningRate: optimizer === 'sgd' ? 0.1 : 0.01 },
      });
      expect(zeros(weight(t.model, 'w'))).toEqual(zeros(values));
      expect(weight(t.model, 'w')).not.toEqual(values);
    }
    const kept = [...values.keys()].filter((i) => values[i] !== 0);
    const plain = net({ dense: [] });
    const sparse: Model = {
      ...plain,
      graph: {
        ...plain.graph,
        sparseInitializers: [
          {
            dims: [6, 64],
            values: numbersTensor(
              'w',
              'float',
              [kept.length],
              kept.map((i) => values[i] ?? 0),
            ),
            indices: int64Tensor('', [kept.length], kept),
          },
        ],
      },
    };
    const t = await train(sparse);
    const s = t.model.graph.sparseInitializers[0];
    expect(s?.values.dims).toEqual([kept.length]);
    const d = await train(dense);
    expect([...toFloat32(s!.values)]).toEqual(kept.map((i) => weight(d.model, 'w')[i]));
  });

  it('is the same for the same seed, and another for another', async () => {
    const [a, b, c] = [await train(net()), await train(net()), await train(net(), { seed: 2 })];
    expect(weight(a.model, 'w')).toEqual(weight(b.model, 'w'));
    expect(weight(a.model, 'w')).not.toEqual(weight(c.model, 'w'));
  });

  it('never reads test samples, and keeps the start where nothing was better', async () => {
    const data = bars();
    const good = (await train(net(), { dataset: data })).model;
    expect([...data.asked].sort()).toEqual(['train', 'validation']);
    const broken = await train(good, { settings: { ...settings, epochs: 1, learningRate: 30, schedule: 'constant' } });
    expect(broken.bestEpoch).toBe(0);
    expect(weight(broken.model, 'w')).toEqual(weight(good, 'w'));
  });

  it('stops on NaN with advice', async () => {
    await expect(train(net(), { settings: { ...settings, learningRate: 1e30 } })).rejects.toMatchObject({
      code: 'diverged',
      hint: expect.stringContaining('learning rate a tenth'),
    });
  });

  it('cancelled, gives the best so far', async () => {
    const source = cancelSource();
    const t = await train(net(), { cancel: source.token, onEpoch: (r) => r.epoch === 2 && source.cancel() });
    expect(t.cancelled).toBe(true);
    expect(t.bestEpoch).toBeGreaterThan(0);
  });

  it('without labels learns from a teacher, and without either says so', async () => {
    await expect(train(net(), { dataset: bars({ labelled: false }) })).rejects.toMatchObject({ code: 'no-data' });
    const teacher = (await train(net())).model;
    const t = await train(net(), { dataset: bars({ labelled: false }), teacher });
    expect(t.bestValidation).toBeGreaterThan(0.95);
  });

  it('names the operator that has no gradient', async () => {
    const m = net({ tail: [node('Hardmax', ['s'], ['y'], [attr.int('axis', -1)])] });
    await expect(train(m)).rejects.toMatchObject({ code: 'no-rule', where: 'y' });
  });
});
