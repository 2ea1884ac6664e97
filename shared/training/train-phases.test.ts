/** Trainings in several phases, and what comes back of one whose loss runs away. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { rng } from '../base/random.ts';
import type { Model } from '../ir/model.ts';
import { toFloat32 } from '../ir/values.ts';
import type { Dataset } from '../ports/dataset.ts';
import { bars } from '../testing/bars.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { lenet5 } from '../zoo/lenet.ts';
import { type TrainParts, type TrainSettings, type TrainState, trainModel } from './train-model.ts';

const runtime = nodeRuntime(1);
const clock = { now: () => 0 };
const settings: TrainSettings = {
  epochs: 4,
  batch: 16,
  optimizer: 'adam',
  learningRate: 0.01,
  momentum: 0.9,
  weightDecay: 0,
  schedule: 'cosine',
  augment: true,
};
const phases = [
  { epochs: 2, learningRate: 0.02, layers: ['fc2'] },
  { epochs: 3, learningRate: 0.005, layers: ['fc1', 'fc2'] },
];
const train = (m: Model, more: Partial<TrainParts> = {}) =>
  trainModel({ runtime, clock, model: m, dataset: bars(), settings: { ...settings, phases }, seed: 1, ...more });

/** flat - fc 12 - Relu - fc 6. */
const net = (): Model =>
  model({
    nodes: [
      node('Flatten', ['x'], ['f']),
      node('Gemm', ['f', 'v', 'c'], ['h'], [], { name: 'fc1' }),
      node('Relu', ['h'], ['r']),
      node('Gemm', ['r', 'w', 'b'], ['y'], [], { name: 'fc2' }),
    ],
    inputs: [value('x', ['N', 1, 6, 6])],
    outputs: [value('y', ['N', 6])],
    initializers: [
      randomTensor('v', [36, 12], 1, 0.2),
      randomTensor('c', [12], 1, 0.1),
      randomTensor('w', [12, 6], 1, 0.2),
      randomTensor('b', [6], 1, 0.1),
    ],
  });
const weight = (m: Model, name: string): Float32Array =>
  toFloat32(m.graph.initializers.find((t) => t.name === name)!).slice();
const all = (m: Model) => ['v', 'c', 'w', 'b'].map((n) => weight(m, n));

describe('phases', () => {
  it('learn what is theirs, one after the other, each from the best of the one before', async () => {
    const live: string[] = [];
    const onProgress: TrainParts['onProgress'] = (_, l) => live.push(`${l.epoch} of ${l.epochs}`);
    const first = await train(net(), { settings: { ...settings, phases: phases.slice(0, 1) } });
    for (const name of ['v', 'c']) expect(weight(first.model, name)).toEqual(weight(net(), name));
    expect(weight(first.model, 'w')).not.toEqual(weight(net(), 'w'));
    const both = await train(net(), { onProgress });
    expect(both.curve.map((p) => p.epoch)).toEqual([1, 2, 3, 4, 5]);
    // Each by a schedule of its own, from its own height.
    expect(both.curve.slice(0, 2).map((p) => p.loss)).toEqual(first.curve.map((p) => p.loss));
    expect(both.curve[2]?.rate).toBeLessThanOrEqual(0.005);
    expect(weight(both.model, 'v')).not.toEqual(weight(net(), 'v'));
    expect(both.bestValidation ?? 0).toBeGreaterThanOrEqual(first.bestValidation ?? 1);
    expect([live[0], live.at(-1)]).toEqual(['1 of 5', '5 of 5']);
    expect(first.bestEpoch).toBeGreaterThan(0);
    expect(both.bestEpoch).toBeGreaterThanOrEqual(first.bestEpoch);
  });

  it('go on from any epoch of any of them to the same end, to the bit', async () => {
    const states: TrainState[] = [];
    const onState: TrainParts['onState'] = async (s) => {
      states.push(s);
    };
    const whole = await train(net(), { onState });
    expect(states.map((s) => [s.earlier?.phases ?? 0, s.epoch])).toEqual([
      [0, 1],
      [0, 2],
      [1, 1],
      [1, 2],
      [1, 3],
    ]);
    for (const state of states) {
      const rest = await train(net(), { state });
      expect(all(rest.model)).toEqual(all(whole.model));
      expect(rest.curve.map((p) => [p.epoch, p.loss])).toEqual(whole.curve.map((p) => [p.epoch, p.loss]));
      expect(rest.bestEpoch).toBe(whole.bestEpoch);
    }
  });
});

describe('two threads', () => {
  // Measured with onnxruntime 1.30: LeNet-5, ResNet-8 and MobileNetV2 trained four times each, alike to the bit.
  it('go on to the same end as well, to the bit, in kernels large enough to be shared', async () => {
    const dataset: Dataset = {
      info: {
        ...bars().info,
        sample: { kind: 'image', height: 28, width: 28, channels: 1 },
        counts: { train: 128, validation: 32, test: 0 },
      },
      read: async (split, indices) =>
        indices.map((i) => {
          const random = rng(3).fork(`${split} ${i}`);
          return { values: Float32Array.from({ length: 784 }, () => random.next() * 255), label: i % 6 };
        }),
    };
    const states: TrainState[] = [];
    const onState: TrainParts['onState'] = async (s) => {
      states.push(s);
    };
    const parts = {
      runtime: nodeRuntime(2),
      dataset,
      settings: { ...settings, epochs: 3, batch: 64, keep: 'last' as const },
    };
    const whole = await train(lenet5(), { ...parts, onState });
    const rest = await train(lenet5(), { ...parts, state: states[0]! });
    expect(rest.curve.map((p) => p.loss)).toEqual(whole.curve.map((p) => p.loss));
    const floats = (m: Model) => m.graph.initializers.flatMap((t) => (t.type === 'float' ? [toFloat32(t)] : []));
    expect(floats(rest.model)).toEqual(floats(whole.model));
  });
});

/** Bars whose training samples are no numbers any more from the n-th batch on. */
function spoilt(n: number): Dataset {
  const good = bars();
  let batches = 0;
  return {
    info: good.info,
    read: async (split, indices) => {
      const some = await good.read(split, indices);
      if (split !== 'train' || ++batches < n) return some;
      return some.map((s) => ({ ...s, values: s.values.map(() => Number.NaN) }));
    },
  };
}

describe('a loss that runs away', () => {
  const one: TrainSettings = { ...settings, augment: false };
  const steps = Math.floor(bars().info.counts.train / one.batch);

  it('gives back the best epoch before, and why it stopped', async () => {
    const states: TrainState[] = [];
    const dataset = spoilt(2 * steps + 2);
    const onState: TrainParts['onState'] = async (s) => {
      states.push(s);
    };
    const t = await train(net(), { settings: one, dataset, onState });
    expect(t.diverged).toMatchObject({ code: 'diverged', where: 'epoch 3', hint: expect.stringContaining('a tenth') });
    expect(t.curve).toHaveLength(2);
    expect(t.bestEpoch).toBeGreaterThan(0);
    const kept = states.at(-1)!.best.values;
    for (const name of ['v', 'c', 'w', 'b']) expect(weight(t.model, name)).toEqual(kept[name]?.data);
    expect(all(t.model).every((w) => w.every(Number.isFinite))).toBe(true);
  });

  it('in the very last step is seen too: weights that are no numbers are no result', async () => {
    // One step beyond all numbers: the loss, taken before it, still is one.
    const last = { ...one, epochs: 1, optimizer: 'sgd', batch: bars().info.counts.train, learningRate: 1e38 } as const;
    await expect(train(net(), { settings: { ...last, momentum: 0, weightDecay: 1e3 } })).rejects.toMatchObject({
      code: 'diverged',
    });
  });

  it('before any epoch worth keeping is a fault', async () => {
    await expect(train(net(), { settings: one, dataset: spoilt(2) })).rejects.toMatchObject({ code: 'diverged' });
  });
});
