/** What a training may be asked for beside labels: teachers, hints, masks that move, penalties, patience; and how it goes on. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import type { Penalty } from '../autodiff/penalty.ts';
import { attr } from '../ir/attribute.ts';
import type { Model, Node } from '../ir/model.ts';
import { toFloat32 } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset, Split } from '../ports/dataset.ts';
import type { RunTensor, Runtime } from '../ports/runtime.ts';
import { bars } from '../testing/bars.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { argmax } from './class-scores.ts';
import { convBlock } from './conv-block.ts';
import { rateAt, type TrainSettings } from './settings.ts';
import { type TrainParts, type TrainState, trainModel } from './train-model.ts';

const runtime = nodeRuntime(1);
const clock = { now: () => performance.now() };
const settings: TrainSettings = {
  epochs: 4,
  batch: 16,
  optimizer: 'sgd',
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0,
  schedule: 'constant',
  augment: false,
};
const train = (m: Model, more: Partial<TrainParts> = {}) =>
  trainModel({ runtime, clock, model: m, dataset: bars(), settings, seed: 1, ...more });

/** flat - fc `width` - Relu - fc 6, with a second output: the hidden values. */
const net = (o: { width?: number; seed?: number; classes?: number; tail?: readonly Node[] } = {}): Model => {
  const { width = 12, seed = 1, classes = 6 } = o;
  return model({
    nodes: [
      node('Flatten', ['x'], ['f']),
      node('Gemm', ['f', 'v', 'c'], ['h'], [], { name: 'fc1' }),
      node('Relu', ['h'], ['r']),
      node('Gemm', ['r', 'w', 'b'], ['s'], [], { name: 'fc2' }),
      ...(o.tail ?? [node('Identity', ['s'], ['y'])]),
    ],
    inputs: [value('x', ['N', 1, 6, 6])],
    outputs: [value('y', ['N', classes]), value('r', ['N', width])],
    initializers: [
      randomTensor('v', [36, width], seed, 0.2),
      randomTensor('c', [width], seed, 0.1),
      randomTensor('w', [width, classes], seed, 0.2),
      randomTensor('b', [classes], seed, 0.1),
    ],
  });
};
const weight = (m: Model, name: string): Float32Array =>
  toFloat32(m.graph.initializers.find((t) => t.name === name)!).slice();

/** A runtime that shows every feed of the training step. */
function watched(see: (feeds: Readonly<Record<string, RunTensor>>) => void): Runtime {
  return {
    ...runtime,
    open: async (source, options) => {
      const session = await runtime.open(source, options);
      const steps = session.inputNames.some((n) => n.startsWith('rate~'));
      return {
        ...session,
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        release: () => session.release(),
        run: (feeds, fetch) => {
          if (steps) see(feeds);
          return session.run(feeds, fetch);
        },
      };
    },
  };
}

describe('teachers', () => {
  it('S29: the row that a teacher answers is that of its sample, in shuffled and augmented batches', async () => {
    const teacher = (await train(net({ width: 20, seed: 5 }))).model;
    const session = await runtime.open({ bytes: writeModel(teacher) });
    const seen: { data: RunTensor; soft: RunTensor }[] = [];
    const spy = watched((feeds) => {
      const find = (start: string) => Object.entries(feeds).find(([k]) => k.startsWith(start))![1];
      seen.push({ data: feeds.x!, soft: find('soft~') });
    });
    const distill = { teachers: [{ kind: 'original' }], temperature: 1, softShare: 1 } as const;
    await train(net(), { runtime: spy, teacher, settings: { ...settings, epochs: 2, augment: true, distill } });
    expect(seen).toHaveLength(30);
    for (const { data, soft } of seen) {
      const fresh = (await session.run({ x: data })).y!.data as Float32Array;
      for (let n = 0; n < 16; n++) expect(argmax(soft.data as Float32Array, n, 6)).toBe(argmax(fresh, n, 6));
    }
    const orders = seen.map((s) => String((s.data.data as Float32Array).slice(0, 36)));
    expect(new Set(orders).size).toBe(30);
  });

  it('answer samples that are given again as the same objects once, and as before', async () => {
    const data = bars();
    const held = new Map<string, ReturnType<typeof data.read>>();
    const again = {
      info: data.info,
      read: async (split: Split, indices: readonly number[]) => {
        const reads = indices.map((i) => {
          const key = `${split} ${i}`;
          const read = held.get(key) ?? data.read(split, [i]);
          held.set(key, read);
          return read;
        });
        return (await Promise.all(reads)).flat();
      },
    };
    const distill = { teachers: [{ kind: 'original' }], temperature: 2, softShare: 1 } as const;
    const counted = async (dataset: Dataset) => {
      let runs = 0;
      const spy: Runtime = {
        ...runtime,
        open: async (source, options) => {
          const session = await runtime.open(source, options);
          const teaches = !session.inputNames.some((n) => n.includes('~'));
          const run: typeof session.run = (feeds, fetch) => {
            if (teaches) runs++;
            return session.run(feeds, fetch);
          };
          return { ...session, release: () => session.release(), run };
        },
      };
      // A runtime is asked for its layout once; that is no answer of a teacher.
      await convBlock(spy);
      runs = 0;
      const done = await train(net(), {
        runtime: spy,
        teacher: net({ width: 20, seed: 5 }),
        dataset,
        settings: { ...settings, distill },
      });
      return { done, runs };
    };
    const [each, once] = [await counted(data), await counted(again)];
    // 15 batches to train and 4 to validate, in 4 epochs and before them; held: each batch of the first time.
    expect(each.runs).toBe(4 * 15 + 5 * 4);
    expect(once.runs).toBe(15 + 4);
    for (const [k, e] of each.done.curve.entries()) expect(once.done.curve[k]?.loss).toBeCloseTo(e.loss, 4);
  });

  it('teach a student beside the labels, the mean of several, and by hints of another width', async () => {
    const teachers = [
      (await train(net({ width: 20, seed: 5 }))).model,
      (await train(net({ width: 16, seed: 6 }))).model,
    ];
    const distill = {
      teachers: [
        { kind: 'file', path: '0' },
        { kind: 'file', path: '1' },
      ],
      temperature: 3,
      softShare: 0.8,
      hints: [{ teacher: 1, from: 'r', to: 'r', weight: 0.5 }],
    } as const;
    const openTeacher = (path: string): Model => teachers[Number(path)]!;
    const t = await train(net({ width: 6 }), { openTeacher, settings: { ...settings, distill } });
    expect(t.bestValidation).toBeGreaterThan(0.9);
    // The regressor is not left behind.
    expect(t.model.graph.initializers.map((i) => i.name)).toEqual(['v', 'c', 'w', 'b']);
  });

  it('by hints alone, without labels, draw a layer to what it was: reconstruction', async () => {
    const original = net({ seed: 2 });
    const hurt: Model = {
      ...original,
      graph: {
        ...original.graph,
        initializers: original.graph.initializers.map((t) =>
          t.name === 'v' ? randomTensor('v', [36, 12], 9, 0.2) : t,
        ),
      },
    };
    const hints = [{ from: 'r', to: 'r', weight: 1 }];
    const distill = { teachers: [{ kind: 'original' }], temperature: 1, softShare: 0, hints } as const;
    const t = await train(hurt, {
      dataset: bars({ labelled: false }),
      teacher: original,
      settings: { ...settings, epochs: 16, optimizer: 'adam', learningRate: 0.02, loss: { kind: 'none' }, distill },
    });
    expect(t.curve[0]!.validation).toBeNull();
    expect(t.curve.at(-1)!.validationLoss).toBeLessThan(0.25);
    expect(t.curve.at(-1)!.validationLoss).toBeLessThan(t.curve[0]!.validationLoss! / 1.5);
    // Nothing behind the hint learns.
    expect(weight(t.model, 'w')).toEqual(weight(original, 'w'));
  });

  it('of other classes are refused', async () => {
    const distill = { teachers: [{ kind: 'original' }], temperature: 1, softShare: 1 } as const;
    const asked = train(net(), { teacher: net({ classes: 5 }), settings: { ...settings, distill } });
    await expect(asked).rejects.toMatchObject({ code: 'does-not-fit' });
  });
});

describe('losses', () => {
  it('by the output: an output that is no class score learns from the original by squared error', async () => {
    const wide = (seed: number): Model =>
      model({
        nodes: [node('Conv', ['x', 'k'], ['c'], [attr.ints('kernel_shape', [3, 3])]), node('Tanh', ['c'], ['y'])],
        inputs: [value('x', ['N', 1, 6, 6])],
        outputs: [value('y', ['N', 2, 4, 4])],
        initializers: [randomTensor('k', [2, 1, 3, 3], seed)],
      });
    const adam = { ...settings, optimizer: 'adam', learningRate: 0.02, epochs: 12 } as const;
    const t = await train(wide(4), { dataset: bars({ labelled: false }), teacher: wide(2), settings: adam });
    expect(t.bestValidation).toBeNull();
    expect(t.curve.at(-1)!.validationLoss).toBeLessThan(t.curve[0]!.validationLoss! / 4);
    await expect(train(wide(4))).rejects.toMatchObject({ code: 'does-not-fit' });
  });

  it('a single score before a Sigmoid tells two classes apart', async () => {
    const told = bars({ label: (i) => i % 2 });
    const two = { ...told, info: { ...told.info, classes: ['even', 'odd'] } };
    const m = net({ classes: 1, tail: [node('Sigmoid', ['s'], ['y'])] });
    expect((await train(m, { dataset: two })).bestValidation).toBeGreaterThan(0.95);
  });

  it('of another output train that one, and smoothing and balance are taken', async () => {
    const m = net({ width: 6 });
    const t = await train(m, { settings: { ...settings, output: 'r' } });
    expect(weight(t.model, 'w')).toEqual(weight(m, 'w'));
    expect(weight(t.model, 'v')).not.toEqual(weight(m, 'v'));
    const rare = bars({ label: (i) => (i % 12 === 0 ? 5 : i % 5) });
    const loss = { kind: 'cross-entropy', labelSmoothing: 0.1, classWeights: 'balanced' } as const;
    expect((await train(net(), { dataset: rare, settings: { ...settings, loss } })).bestValidation).toBeGreaterThan(
      0.9,
    );
  });
});

describe('masks that move', () => {
  it('reach their end, zeros stay zeros, and no epoch before is kept', async () => {
    const asked: number[] = [];
    const smallest = (share: number, values: Float32Array): Float32Array => {
      // Cubic (Zhu and Gupta 2018, eq. 1), done at half of the training.
      const sparsity = 0.8 * (1 - (1 - Math.min(1, share / 0.5)) ** 3);
      const cut = [...values].map(Math.abs).sort((a, b) => a - b)[Math.floor(sparsity * values.length)] ?? 0;
      return values.map((v) => (Math.abs(v) < cut ? 0 : 1));
    };
    const remask = {
      parameters: ['v'],
      everySteps: 5,
      until: 0.5,
      masks: (share: number, values: ReadonlyMap<string, Float32Array>) => {
        asked.push(share);
        return new Map([['v', smallest(share, values.get('v')!)]]);
      },
    };
    const t = await train(net(), { settings: { ...settings, epochs: 6, remask } });
    expect(asked[0]).toBe(0);
    expect(asked.at(-1)).toBe(1);
    const zeros = weight(t.model, 'v').filter((v) => v === 0).length;
    expect(zeros / 432).toBeCloseTo(0.8, 2);
    expect(t.bestEpoch).toBeGreaterThanOrEqual(3);
    expect(t.bestValidation).toBeGreaterThan(0.85);
  });
});

describe('a penalty', () => {
  it('is added to the loss, learns its own parameter, and gives it back', async () => {
    const penalty: Penalty = (e, parameters) => {
      const p = parameters.find((q) => q.name === 'w')!;
      const centre = e.fresh('centre');
      const from = e.one('Sub', [p.name, centre]);
      const sum = (v: string) => e.one('ReduceSum', [v], [attr.int('keepdims', 0)]);
      return {
        loss: e.one('Mul', [sum(e.one('Mul', [from, from])), e.floats([0.5], [])]),
        gradients: new Map([[p.name, from]]),
        own: [
          { name: centre, dims: [], initial: Float32Array.of(3), gradient: e.one('Neg', [sum(from)]), rateScale: 0.02 },
        ],
      };
    };
    const free = await train(net());
    const drawn = await train(net(), { settings: { ...settings, penalty, keep: 'last' } });
    expect(drawn.bestEpoch).toBe(4);
    const spread = (m: Model): number => {
      const w = weight(m, 'w');
      const mean = w.reduce((a, b) => a + b, 0) / w.length;
      return w.reduce((a, b) => a + (b - mean) ** 2, 0) / w.length;
    };
    expect(spread(drawn.model)).toBeLessThan(spread(free.model) / 4);
    expect(drawn.own).toHaveLength(1);
    expect(Math.abs(drawn.own[0]![0]!)).toBeLessThan(2);
    expect(free.own).toEqual([]);
  });
});

describe('the course of a training', () => {
  it('rates: cosine, steps, warm-up', () => {
    const at = (s: Partial<TrainSettings>, share: number) => rateAt({ ...settings, learningRate: 1, ...s }, share);
    expect([0, 0.5, 1].map((x) => at({ schedule: 'cosine' }, x))).toEqual([
      1,
      expect.closeTo(0.5, 9),
      expect.closeTo(0, 9),
    ]);
    expect([0, 0.5, 0.8].map((x) => at({ schedule: 'step' }, x))).toEqual([
      1,
      expect.closeTo(0.1, 9),
      expect.closeTo(0.01, 9),
    ]);
    expect([0, 0.05, 0.1, 0.9].map((x) => at({ warmUp: 0.1 }, x))).toEqual([0, expect.closeTo(0.5, 9), 1, 1]);
  });

  it('ends early where nothing gets better, and keeps what was best', async () => {
    const good = (await train(net())).model;
    const t = await train(good, { settings: { ...settings, epochs: 50, learningRate: 1e-6, patience: 3 } });
    expect(t.curve.length).toBeLessThan(10);
  });

  it('stops with advice where the loss rises without end, though it stays a number', async () => {
    const linear = model({
      nodes: [node('Flatten', ['x'], ['f']), node('MatMul', ['f', 'w'], ['y'])],
      inputs: [value('x', ['N', 1, 6, 6])],
      outputs: [value('y', ['N', 6])],
      initializers: [randomTensor('w', [36, 6])],
    });
    const loss = { kind: 'mean-squared-error' } as const;
    const rising = train(linear, { settings: { ...settings, learningRate: 5, momentum: 0, loss } });
    await expect(rising).rejects.toMatchObject({
      code: 'diverged',
      message: expect.stringContaining('rises'),
      hint: expect.stringContaining('a tenth'),
    });
  });

  it('goes on from any epoch to the same end, to the bit', async () => {
    const states: TrainState[] = [];
    const adam = { ...settings, optimizer: 'adam', learningRate: 0.01, augment: true } as const;
    const whole = await train(net(), {
      settings: adam,
      onState: async (s) => {
        states.push(s);
      },
    });
    expect(states.map((s) => s.epoch)).toEqual([1, 2, 3, 4]);
    for (const state of states) {
      const rest = await train(net(), { settings: adam, state });
      for (const name of ['v', 'c', 'w', 'b']) expect(weight(rest.model, name)).toEqual(weight(whole.model, name));
      expect(rest.curve.map((p) => [p.epoch, p.loss])).toEqual(whole.curve.map((p) => [p.epoch, p.loss]));
    }
    // Of another model: passed over.
    expect((await train(net({ width: 5 }), { settings: adam, state: states[0]! })).curve).toHaveLength(4);
  });
});
