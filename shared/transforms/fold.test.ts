/** Folding into linear layers: the runtime's outputs stay, on every layer kind; what must not fold stays. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { attr } from '../ir/attribute.ts';
import type { Attribute, Model, Node } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { foldBatchnorm } from './fold-batchnorm.ts';
import { foldScaleShift } from './fold-scale-shift.ts';

const runtime = nodeRuntime(1);

async function stays(before: Model, after: Model, within = 1e-5): Promise<void> {
  const feeds = randomFeeds(before);
  expect(maxError(await runModel(runtime, before, feeds), await runModel(runtime, after, feeds))).toBeLessThan(within);
}

const variance = (c: number) =>
  numbersTensor(
    'v',
    'float',
    [c],
    Array.from({ length: c }, (_, i) => 0.5 + i / 7),
  );

interface Layer {
  readonly op: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly channels: number;
  readonly attributes?: readonly Attribute[];
  readonly bias?: readonly number[];
}
const layers: readonly Layer[] = [
  { op: 'Conv', x: [1, 3, 6, 6], w: [5, 3, 3, 3], channels: 5, bias: [5] },
  { op: 'Conv', x: [1, 4, 6, 6], w: [6, 2, 3, 3], channels: 6, attributes: [attr.int('group', 2)] },
  { op: 'Conv', x: [1, 4, 9], w: [5, 4, 3], channels: 5 },
  { op: 'ConvTranspose', x: [1, 3, 5, 5], w: [3, 5, 2, 2], channels: 5, bias: [5] },
  { op: 'ConvTranspose', x: [1, 4, 5, 5], w: [4, 3, 2, 2], channels: 6, attributes: [attr.int('group', 2)] },
  { op: 'Gemm', x: [2, 7], w: [5, 7], channels: 5, attributes: [attr.int('transB', 1)], bias: [1, 5] },
  {
    op: 'Gemm',
    x: [2, 7],
    w: [7, 5],
    channels: 5,
    attributes: [attr.float('alpha', 0.5), attr.float('beta', 2)],
    bias: [1],
  },
  { op: 'MatMul', x: [2, 7], w: [7, 5], channels: 5 },
];

const build = (
  l: Layer,
  after: readonly Node[],
  more: readonly ReturnType<typeof randomTensor>[],
  reads = ['y'],
): Model =>
  model({
    inputs: [value('x', l.x)],
    outputs: reads.map((r) => value(r, null)),
    initializers: [randomTensor('w', l.w), ...(l.bias ? [randomTensor('b', l.bias, 2)] : []), ...more],
    nodes: [node(l.op, ['x', 'w', ...(l.bias ? ['b'] : [])], ['h'], l.attributes), ...after],
  });

describe('BatchNormalization (S11)', () => {
  const bn = node('BatchNormalization', ['h', 's', 'o', 'm', 'v'], ['n']);
  const tail = node('Relu', ['n'], ['y']);
  it.each(layers.map((l, i) => ({ ...l, title: `${l.op} ${i}` })))('into $title', async (l) => {
    const c = l.channels;
    const params = [...['s', 'o', 'm'].map((n, i) => randomTensor(n, [c], i + 3)), variance(c)];
    const m = build(l, [bn, tail], params);
    const done = foldBatchnorm(m);
    expect(done.changes).toEqual(['n']);
    expect(done.model.graph.nodes.map((n) => n.op)).toEqual([l.op === 'MatMul' ? 'Gemm' : l.op, 'Relu']);
    await stays(m, done.model);
  });

  const conv = layers[0] as Layer;
  const params = [...['s', 'o', 'm'].map((n, i) => randomTensor(n, [5], i + 3)), variance(5)];
  it('stays where the layer has a second reader', () => {
    const m = build(conv, [bn, node('Add', ['n', 'h'], ['y'])], params);
    expect(foldBatchnorm(m).model).toBe(m);
  });
  it('stays where its parameters are inputs, in training form, with spatial = 0, below opset 7', () => {
    const m = build(conv, [bn, tail], params);
    const fed = {
      ...m,
      graph: {
        ...m.graph,
        initializers: m.graph.initializers.filter((t) => t.name !== 's'),
        inputs: [...m.graph.inputs, value('s', [5])],
      },
    };
    expect(foldBatchnorm(fed).changes).toEqual([]);
    const training = build(
      conv,
      [{ ...bn, attributes: [attr.int('training_mode', 1)], outputs: ['n', 'rm', 'rv'] }, tail],
      params,
    );
    expect(foldBatchnorm(training).changes).toEqual([]);
    expect(foldBatchnorm({ ...m, opsets: [{ domain: '', version: 6 }] }).changes).toEqual([]);
  });
  it('keeps a weight of one value one node', async () => {
    const one = (name: string, v: number) => numbersTensor(name, 'float', [1], [v]);
    const like = (name: string, shape: string, v: number) =>
      node('ConstantOfShape', [shape], [name], [attr.tensor('value', one('', v))]);
    const m = model({
      inputs: [value('x', [1, 3, 6, 6])],
      outputs: [value('y', null)],
      initializers: [
        { ...numbersTensor('ws', 'int64', [4], [5, 3, 3, 3]) },
        { ...numbersTensor('cs', 'int64', [1], [5]) },
      ],
      nodes: [
        like('w', 'ws', 0.2),
        like('s', 'cs', 0.5),
        like('o', 'cs', 0.1),
        like('m', 'cs', 0.3),
        like('v', 'cs', 2),
        node('Conv', ['x', 'w'], ['h']),
        bn,
        tail,
      ],
    });
    const done = foldBatchnorm(m).model;
    expect(done.graph.nodes.map((n) => n.op)).toEqual(['ConstantOfShape', 'Conv', 'Relu']);
    await stays(m, done);
  });
});

describe('Add, Sub, Mul (S10, S19)', () => {
  it.each(layers.map((l, i) => ({ ...l, title: `${l.op} ${i}` })))('into $title', async (l) => {
    const rank = l.x.length;
    const dims = rank === 2 ? [1, l.channels] : [l.channels, ...Array<number>(rank - 2).fill(1)];
    const m = build(
      l,
      [node('Mul', ['h', 'f'], ['h1']), node('Add', ['o', 'h1'], ['h2']), node('Sub', ['h2', 'k'], ['y'])],
      [randomTensor('f', dims, 4), randomTensor('o', dims, 5), randomTensor('k', [], 6)],
    );
    const done = foldScaleShift(m);
    expect(done.changes).toEqual(['h1', 'h2', 'y']);
    expect(done.model.graph.nodes).toHaveLength(1);
    await stays(m, done.model);
  });
  it('keeps both readers of MatMul + Add, with the MatMul as second operand', async () => {
    const m = build(
      layers[7] as Layer,
      [node('Add', ['o', 'h'], ['sum']), node('Relu', ['sum'], ['p']), node('Sub', ['p', 'sum'], ['y'])],
      [randomTensor('o', [5])],
    );
    const done = foldScaleShift(m).model;
    expect(done.graph.nodes.map((n) => n.op)).toEqual(['Gemm', 'Relu', 'Sub']);
    await stays(m, done);
  });
  it('leaves constants that are not per channel', () => {
    const m = build(layers[7] as Layer, [node('Add', ['h', 'o'], ['y'])], [randomTensor('o', [2, 1])]);
    expect(foldScaleShift(m).changes).toEqual([]);
  });
});
