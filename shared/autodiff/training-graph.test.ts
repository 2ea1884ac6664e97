/** A step of the training graph: its gradients against finite differences of its own loss, its updates against the papers' formulas. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import type { Model, Node } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { stepScale } from './optimizers.ts';
import type { Penalty } from './penalty.ts';
import { type GraphSettings, type TrainingGraph, trainingGraph } from './training-graph.ts';

const runtime = nodeRuntime(1);
const batch = 3;

/** x [N,5] - fc [4] - Tanh - out [3] - end. */
const net = (...end: readonly Node[]): Model =>
  model({
    nodes: [
      node('Gemm', ['x', 'v', 'c'], ['h']),
      node('Tanh', ['h'], ['t']),
      node('Gemm', ['t', 'w', 'b'], ['s']),
      ...(end.length === 0 ? [node('Identity', ['s'], ['y'])] : end),
    ],
    inputs: [value('x', ['N', 5])],
    outputs: [value('y', ['N', 3])],
    initializers: [
      randomTensor('v', [5, 4]),
      randomTensor('c', [4]),
      randomTensor('w', [4, 3], 2),
      randomTensor('b', [3], 3),
    ],
  });

const plain: GraphSettings = {
  batch,
  loss: 'cross-entropy',
  optimizer: 'sgd',
  momentum: 0,
  weightDecay: 0,
  batchStatistics: false,
};

const random = rng(11);
const some = (dims: readonly number[], make: () => number = () => random.normal()): RunTensor => ({
  type: 'float',
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, make),
});
const scalar = (v: number): RunTensor => ({ type: 'float', dims: [], data: Float32Array.of(v) });
const rows = (t: RunTensor): RunTensor => {
  const data = Float32Array.from(t.data as Float32Array, Math.exp);
  for (let n = 0; n < batch; n++) {
    const sum = data.subarray(3 * n, 3 * n + 3).reduce((a, b) => a + b, 0);
    for (let k = 0; k < 3; k++) data[3 * n + k]! /= sum;
  }
  return { ...t, data };
};

type Feeds = Readonly<Record<string, RunTensor>>;

function feedsOf(g: TrainingGraph, rate: number, step = 1, share = 0.25): Feeds {
  const { names } = g;
  const all: Record<string, RunTensor> = {
    [names.data]: some([batch, 5]),
    [names.target]: rows(some([batch, 3])),
    [names.soft]: rows(some([batch, 3])),
    [names.rows]: { type: 'float', dims: [batch, 1], data: Float32Array.of(1, 0.5, 2) },
    [names.rate]: scalar(rate),
    [names.step]: scalar(rate * stepScale({ optimizer: 'adam' }, step)),
    [names.share]: scalar(share),
  };
  for (const [k, name] of names.hints.entries()) all[name] = some(k === 0 ? [batch, 4] : [batch, 6]);
  for (const m of g.masks) all[m.input] = { type: 'float', dims: m.dims, data: m.initial };
  return all;
}
const initial = (g: TrainingGraph): Feeds =>
  Object.fromEntries(g.carried.map((c) => [c.input, { type: 'float', dims: c.dims, data: c.initial }]));

/** Runs one step and returns the next values, by carried input. */
async function stepper(g: TrainingGraph) {
  const session = await runtime.open({ bytes: writeModel(g.step) });
  const wanted = new Set(session.inputNames);
  return async (feeds: Feeds, values: Feeds) => {
    const all = { ...feeds, ...values };
    const out = await session.run(Object.fromEntries(Object.entries(all).filter(([k]) => wanted.has(k))));
    const next = Object.fromEntries(g.carried.map((c) => [c.input, out[c.output]!]));
    return { loss: Number(out[g.names.loss]!.data[0]), next };
  };
}

/** The change of one step of plain descent is the gradient: held against central differences of the loss. */
async function gradientError(m: Model, s: GraphSettings): Promise<number> {
  const g = trainingGraph(m, 'x', s);
  const run = await stepper(g);
  const values = initial(g);
  const feeds = feedsOf(g, 1);
  const { next } = await run(feeds, values);
  const still = { ...feeds, [g.names.rate]: scalar(0), [g.names.step]: scalar(0) };
  const names = [
    ...g.learnt,
    ...g.own,
    ...g.carried.filter((c) => c.input.includes('regressor~') && !c.input.includes('state')).map((c) => c.input),
  ];
  let worst = 0;
  for (const name of names) {
    const held = values[name]!.data as Float32Array;
    for (let i = 0; i < held.length; i++) {
      const at = async (by: number): Promise<number> => {
        const moved = held.slice();
        moved[i]! += by;
        return (await run(still, { ...values, [name]: { ...values[name]!, data: moved } })).loss;
      };
      const numeric = ((await at(1e-2)) - (await at(-1e-2))) / 2e-2;
      const got = held[i]! - Number(next[name]!.data[i]);
      worst = Math.max(worst, Math.abs(got - numeric) / Math.max(0.05, Math.abs(numeric)));
    }
  }
  return worst;
}

/** sum of w^4 (1 + share) / 4 and of (w - m)^2 / 2 with a learnt m. */
const penalty: Penalty = (e, parameters, share) => {
  const p = parameters.find((q) => q.name === 'w')!;
  const m = e.fresh('centre');
  const sum = (v: string) => e.one('ReduceSum', [v], [attr.int('keepdims', 0)]);
  const more = e.one('Add', [share, e.floats([1], [])]);
  const squared = e.one('Mul', [p.name, p.name]);
  const fourth = e.one('Mul', [sum(e.one('Mul', [squared, squared])), e.one('Mul', [more, e.floats([0.25], [])])]);
  const from = e.one('Sub', [p.name, m]);
  const near = e.one('Mul', [sum(e.one('Mul', [from, from])), e.floats([0.5], [])]);
  const cubed = e.one('Mul', [e.one('Mul', [squared, p.name]), more]);
  return {
    loss: e.one('Add', [fourth, near]),
    gradients: new Map([[p.name, e.one('Add', [cubed, from])]]),
    own: [{ name: m, dims: [], initial: Float32Array.of(0.3), gradient: e.one('Neg', [sum(from)]) }],
  };
};

describe('the gradient of the loss', () => {
  const soft = (kind: 'cross-entropy' | 'binary-cross-entropy' | 'mean-squared-error', share: number) => ({
    soft: { kind, temperature: 3, share },
  });
  it.each<[string, Model, Partial<GraphSettings>]>([
    ['cross-entropy', net(), {}],
    [
      'binary cross-entropy before a Sigmoid',
      net(node('Sigmoid', ['s'], ['y'])),
      { loss: 'binary-cross-entropy', rowWeights: true },
    ],
    ['squared error', net(), { loss: 'mean-squared-error', rowWeights: true }],
    [
      'squared error behind a Softmax',
      net(node('Softmax', ['s'], ['y'], [attr.int('axis', -1)])),
      { loss: 'mean-squared-error' },
    ],
    ['labels and a teacher at T = 3', net(), soft('cross-entropy', 0.7)],
    ['a teacher alone', net(), soft('cross-entropy', 1)],
    [
      'a teacher of sigmoids',
      net(),
      { loss: 'binary-cross-entropy', rowWeights: true, ...soft('binary-cross-entropy', 0.4) },
    ],
    ['a hint of the same width', net(), { hints: [{ value: 't', dims: [batch, 4], weight: 2 }] }],
    [
      'hints alone, one through a regressor',
      net(),
      {
        loss: 'none',
        rowWeights: true,
        hints: [
          { value: 't', dims: [batch, 4], weight: 2 },
          { value: 's', dims: [batch, 6], weight: 0.5 },
        ],
      },
    ],
    ['a penalty with a parameter of its own', net(), { penalty }],
    ['the penalty alone', net(), { loss: 'none', penalty, hints: [] }],
  ])('of %s', async (_, m, s) => {
    expect(await gradientError(m, { ...plain, ...s })).toBeLessThan(0.02);
  });
});

describe('updates', () => {
  const reference = {
    sgd: (g: number, w: number, _: number, s: { v: number }) => {
      s.v = 0.9 * s.v + g + 0.1 * w;
      return w - 0.05 * s.v;
    },
    nesterov: (g: number, w: number, _: number, s: { v: number }) => {
      const d = g + 0.1 * w;
      s.v = 0.9 * s.v + d;
      return w - 0.05 * (d + 0.9 * s.v);
    },
    adam: (g: number, w: number, t: number, s: { v: number; m?: number }) => {
      const d = g + 0.1 * w;
      s.m = 0.9 * (s.m ?? 0) + 0.1 * d;
      s.v = 0.999 * s.v + 0.001 * d * d;
      return w - (0.05 * (s.m / (1 - 0.9 ** t))) / (Math.sqrt(s.v / (1 - 0.999 ** t)) + 1e-8);
    },
    adamw: (g: number, w: number, t: number, s: { v: number; m?: number }) => {
      s.m = 0.9 * (s.m ?? 0) + 0.1 * g;
      s.v = 0.999 * s.v + 0.001 * g * g;
      return w - (0.05 * (s.m / (1 - 0.9 ** t))) / (Math.sqrt(s.v / (1 - 0.999 ** t)) + 1e-8) - 0.05 * 0.1 * w;
    },
  } as const;
  it.each(Object.keys(reference) as (keyof typeof reference)[])(
    'of %s follow its formula, decay on weights alone',
    async (kind) => {
      const optimizer = kind === 'nesterov' ? 'sgd' : kind;
      const s = { ...plain, optimizer, momentum: 0.9, weightDecay: 0.1, nesterov: kind === 'nesterov' } as const;
      const g = trainingGraph(net(), 'x', s);
      const gradients = await stepper(trainingGraph(net(), 'x', plain));
      const run = await stepper(g);
      let values = initial(g);
      const states = new Map<string, { v: number }>();
      for (let t = 1; t <= 3; t++) {
        const feeds = feedsOf(g, 0.05, t);
        const step = optimizer === 'sgd' ? feeds : { ...feeds, [g.names.step]: scalar(0.05 * stepScale(s, t)) };
        const own = Object.fromEntries(g.learnt.map((n) => [n, values[n]!]));
        const names = trainingGraph(net(), 'x', plain).names;
        const zero = initial(trainingGraph(net(), 'x', plain));
        const still = {
          [names.data]: feeds[g.names.data]!,
          [names.target]: feeds[g.names.target]!,
          [names.rate]: scalar(1),
          [names.step]: scalar(1),
        };
        const down = (await gradients(still, { ...zero, ...own })).next;
        const { next } = await run(step, values);
        for (const name of g.learnt)
          for (const [i, w] of (values[name]!.data as Float32Array).entries()) {
            const key = `${name} ${i}`;
            const state = states.get(key) ?? { v: 0 };
            states.set(key, state);
            const gradient = w - Number(down[name]!.data[i]);
            const decays = name === 'w' || name === 'v';
            // Without decay the formulas see a weight of zero and are moved back.
            const wanted = decays ? reference[kind](gradient, w, t, state) : w + reference[kind](gradient, 0, t, state);
            expect(Number(next[name]!.data[i])).toBeCloseTo(wanted, 3);
          }
        values = next;
      }
    },
  );

  it('clip all gradients to one norm together, and leave smaller ones', async () => {
    const change = async (clipNorm?: number): Promise<number> => {
      const s = clipNorm === undefined ? plain : { ...plain, clipNorm };
      const g = trainingGraph(net(), 'x', { ...s, loss: 'mean-squared-error' });
      const feeds = {
        ...feedsOf(g, 1),
        [g.names.data]: { type: 'float', dims: [batch, 5], data: new Float32Array(15).fill(3) },
        [g.names.target]: { type: 'float', dims: [batch, 3], data: new Float32Array(9).fill(1) },
      } as const;
      const values = initial(g);
      const { next } = await (await stepper(g))(feeds, values);
      const squares = g.learnt.flatMap((n) =>
        [...(values[n]!.data as Float32Array)].map((w, i) => (w - Number(next[n]!.data[i])) ** 2),
      );
      return Math.sqrt(squares.reduce((a, b) => a + b, 0));
    };
    const free = await change();
    expect(await change(free / 3)).toBeCloseTo(free / 3, 4);
    expect(await change(free * 3)).toBeCloseTo(free, 4);
  });

  it('keep the zeros of a fed mask, and learn the named parameters alone', async () => {
    const masked = trainingGraph(net(), 'x', { ...plain, masks: new Set(['w']), weightDecay: 0.1 });
    const mask = Float32Array.from({ length: 12 }, (_, i) => i % 2);
    const feeds = {
      ...feedsOf(masked, 0.1),
      [masked.masks[0]!.input]: { type: 'float', dims: [4, 3], data: mask },
    } as const;
    const { next } = await (await stepper(masked))(feeds, initial(masked));
    expect([...(next.w!.data as Float32Array)].map((v) => v !== 0)).toEqual([...mask].map((v) => v === 1));
    expect(trainingGraph(net(), 'x', { ...plain, parameters: new Set(['b']) }).learnt).toEqual(['b']);
  });
});

describe('ends of outputs', () => {
  it.each<[string, readonly Node[]]>([
    ['softmax', [node('Softmax', ['s'], ['y'], [attr.int('axis', -1)])]],
    ['log-softmax', [node('LogSoftmax', ['s'], ['y'], [attr.int('axis', -1)])]],
    ['log-softmax', [node('Softmax', ['s'], ['p'], [attr.int('axis', -1)]), node('Log', ['p'], ['y'])]],
    ['sigmoid', [node('Sigmoid', ['s'], ['p']), node('Identity', ['p'], ['y'])]],
    ['plain', []],
  ])('%s', (end, nodes) => {
    const g = trainingGraph(net(...nodes), 'x', plain);
    expect(g.end).toBe(end);
    expect(g.classes).toBe(3);
  });
});
