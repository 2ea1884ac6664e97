/** Opset conversion on small graphs: what an adapter changes, what it refuses; outputs equal through the runtime. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { toFault } from '../base/fault.ts';
import { attr } from '../ir/attribute.ts';
import type { Attribute, Model } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { convertOpset } from './convert-opset.ts';

const runtime = nodeRuntime(1);

interface Case {
  readonly name: string;
  readonly from: number;
  readonly op: string;
  readonly shape: readonly number[];
  readonly attributes: readonly Attribute[];
  readonly rank: number;
}

const build = (c: Case): Model =>
  model({
    opset: c.from,
    irVersion: 3,
    inputs: [value('x', c.shape)],
    outputs: [
      value(
        'y',
        Array.from({ length: c.rank }, (_, i) => `d${i}`),
      ),
    ],
    nodes: [node('Relu', ['x'], ['r']), node(c.op, ['r'], ['y'], c.attributes)],
  });

const shape = [2, 3, 4, 5];
const cases: readonly Case[] = [
  { name: 'Softmax over the last three', from: 9, op: 'Softmax', shape, attributes: [], rank: 4 },
  { name: 'Softmax axis 0', from: 9, op: 'Softmax', shape, attributes: [attr.int('axis', 0)], rank: 4 },
  { name: 'Softmax axis 2 of 3 left', from: 11, op: 'Softmax', shape, attributes: [attr.int('axis', -2)], rank: 4 },
  { name: 'Softmax last', from: 11, op: 'Softmax', shape, attributes: [attr.int('axis', 3)], rank: 4 },
  { name: 'LogSoftmax', from: 9, op: 'LogSoftmax', shape, attributes: [attr.int('axis', 2)], rank: 4 },
  { name: 'Hardmax', from: 9, op: 'Hardmax', shape, attributes: [attr.int('axis', 2)], rank: 4 },
  { name: 'Clip below', from: 6 + 1, op: 'Clip', shape, attributes: [attr.float('max', 0.4)], rank: 4 },
  { name: 'Clip', from: 9, op: 'Clip', shape, attributes: [attr.float('min', 0.1), attr.float('max', 1)], rank: 4 },
  {
    name: 'Slice',
    from: 9,
    op: 'Slice',
    shape,
    rank: 4,
    attributes: [attr.ints('starts', [1, -2]), attr.ints('ends', [9n, 2n ** 63n - 1n]), attr.ints('axes', [1, 3])],
  },
  { name: 'Squeeze all', from: 11, op: 'Squeeze', shape: [1, 3, 1], attributes: [], rank: 1 },
  { name: 'Squeeze', from: 11, op: 'Squeeze', shape: [1, 3, 1], attributes: [attr.ints('axes', [0])], rank: 2 },
  { name: 'Unsqueeze', from: 9, op: 'Unsqueeze', shape: [3], attributes: [attr.ints('axes', [0, 2])], rank: 3 },
  {
    name: 'ReduceSum',
    from: 9,
    op: 'ReduceSum',
    shape,
    attributes: [attr.ints('axes', [1, 2]), attr.int('keepdims', 0)],
    rank: 2,
  },
  { name: 'ReduceMean', from: 9, op: 'ReduceMean', shape, attributes: [attr.ints('axes', [3])], rank: 4 },
  { name: 'ReduceMax all', from: 11, op: 'ReduceMax', shape, attributes: [], rank: 4 },
  {
    name: 'Pad',
    from: 9,
    op: 'Pad',
    shape: [2, 3],
    rank: 2,
    attributes: [attr.ints('pads', [1, 0, 2, 1]), attr.float('value', 0.5)],
  },
  {
    name: 'Pad edge',
    from: 9,
    op: 'Pad',
    shape: [2, 3],
    rank: 2,
    attributes: [attr.string('mode', 'edge'), attr.ints('pads', [1, 0, 2, 1])],
  },
  { name: 'Dropout', from: 9, op: 'Dropout', shape, attributes: [attr.float('ratio', 0.3)], rank: 4 },
  { name: 'Upsample', from: 7, op: 'Upsample', shape, attributes: [attr.floats('scales', [1, 1, 2, 3])], rank: 4 },
  {
    name: 'Upsample linear',
    from: 7,
    op: 'Upsample',
    shape,
    rank: 4,
    attributes: [attr.string('mode', 'linear'), attr.floats('scales', [1, 1, 2, 2])],
  },
  { name: 'ArgMax', from: 9, op: 'ArgMax', shape, attributes: [attr.int('axis', 1), attr.int('keepdims', 0)], rank: 3 },
  {
    name: 'AveragePool',
    from: 9,
    op: 'AveragePool',
    shape,
    rank: 4,
    attributes: [attr.ints('kernel_shape', [2, 2]), attr.ints('pads', [1, 1, 0, 0])],
  },
];

describe('outputs stay', () => {
  it.each(cases)('$name', async (c) => {
    const isArg = c.op === 'ArgMax';
    const built = build(c);
    const m = isArg ? { ...built, graph: { ...built.graph, outputs: [value('y', [2, 4, 5], 'int64')] } } : built;
    const feeds = randomFeeds(m);
    const before = await runModel(runtime, m, feeds);
    for (const to of [8, 9, 10, 11, 12, 13, 18, 21, 25].filter((v) => v > c.from)) {
      const raised = convertOpset(m, to);
      expect(maxError(before, await runModel(runtime, raised, feeds)), `to ${to}`).toBeLessThanOrEqual(1e-6);
    }
  });

  it('where the rank of a Softmax is not known', async () => {
    const m = build({ ...(cases[0] as Case), shape });
    const blind = { ...m, graph: { ...m.graph, outputs: [value('y', null)] } };
    const feeds = randomFeeds(m);
    const raised = convertOpset(blind, 21);
    expect(raised.graph.nodes.map((n) => n.op)).toEqual(['Relu', 'Shape', 'Flatten', 'Softmax', 'Reshape']);
    expect(maxError(await runModel(runtime, m, feeds), await runModel(runtime, raised, feeds))).toBeLessThanOrEqual(
      1e-6,
    );
  });

  it.each([
    [0.5, 'ceil'],
    [2, 'floor'],
  ])('Resize 10, nearest, by %f', async (scale, rounding) => {
    const m = model({
      opset: 10,
      inputs: [value('x', [1, 1, 5, 7])],
      outputs: [value('y', ['a', 'b', 'c', 'd'])],
      initializers: [numbersTensor('s', 'float', [4], [1, 1, scale, scale])],
      nodes: [node('Resize', ['x', 's'], ['y'])],
    });
    const raised = convertOpset(m, 13);
    const feeds = randomFeeds(m);
    const said = raised.graph.nodes[0]?.attributes.find((a) => a.name === 'nearest_mode');
    expect(new TextDecoder().decode(said?.value as Uint8Array)).toBe(rounding);
    expect(maxError(await runModel(runtime, m, feeds), await runModel(runtime, raised, feeds))).toBe(0);
  });
});

describe('what the file says of itself', () => {
  it('raises ir_version; initializers of an IR 3 file are no inputs any more (S14)', () => {
    const m = model({
      opset: 8,
      irVersion: 3,
      inputs: [value('x', [2, 3]), value('w', [3, 4])],
      outputs: [value('y', [2, 4])],
      initializers: [randomTensor('w', [3, 4])],
      nodes: [node('MatMul', ['x', 'w'], ['h']), node('Clip', ['h'], ['y'], [attr.float('min', 0)])],
    });
    const raised = convertOpset(m, 13);
    expect(raised.irVersion).toBe(7);
    expect(raised.graph.inputs.map((i) => i.name)).toEqual(['x']);
    expect(raised.graph.initializers.map((t) => t.name)).toEqual(['w', 'opset_constant']);
    expect(convertOpset(raised, 13)).toBe(raised);
  });

  it('refuses what it cannot keep, naming the node', () => {
    const m = model({
      opset: 8,
      inputs: [value('x', [1, 2, 3])],
      outputs: [value('y', [1, 2, 3]), value('mask', [1, 2, 3])],
      nodes: [node('Dropout', ['x'], ['y', 'mask'], [], { name: 'drop' })],
    });
    try {
      convertOpset(m, 13);
      expect.unreachable();
    } catch (thrown) {
      expect(toFault(thrown)).toMatchObject({ code: 'unsupported', where: 'drop' });
    }
  });
});

it.each(['double', 'float16'] as const)('bounds of a %s that the file does not declare get its type', async (elem) => {
  const m = model({
    opset: 10,
    inputs: [value('x', [2, 3], elem)],
    outputs: [value('y', [2, 3], elem)],
    nodes: [
      node('Identity', ['x'], ['r']),
      node('Clip', ['r'], ['y'], [attr.float('min', -0.5), attr.float('max', 0.5)]),
    ],
  });
  const raised = convertOpset(m, 13);
  expect(raised.graph.initializers.map((t) => t.type)).toEqual([elem, elem]);
  const feeds = randomFeeds(m);
  const y = (await runModel(runtime, raised, feeds)).y;
  expect(y?.type).toBe(elem);
  if (elem === 'double') expect(Math.max(...Array.from(y?.data ?? [], Number))).toBe(0.5);
});
