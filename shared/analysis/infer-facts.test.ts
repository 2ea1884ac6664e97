/** Inference: symbols, folding, declared types, functions, subgraphs, the memo, and graphs of any length. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attr } from '../ir/attribute.ts';
import type { Graph, LocalFunction, Model } from '../ir/model.ts';
import { lazyTensor } from '../ir/tensor.ts';
import { int64Tensor } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import '../testing/seed.ts';
import { inferFacts } from './infer-facts.ts';
import { measureFigures } from './measure-figures.ts';

const shapeOf = (m: Model, name: string, choice?: Parameters<typeof inferFacts>[1]) =>
  inferFacts(m, choice).get(name)?.shape;

describe('symbols', () => {
  const twice = model({
    nodes: [node('Add', ['a', 'b'], ['y'])],
    inputs: [value('a', ['N', 4]), value('b', ['N', 1])],
    outputs: [value('y', null)],
  });
  it('stay symbolic until a shape is set, and are set everywhere', () => {
    expect(shapeOf(twice, 'y')).toEqual(['N', 4]);
    expect(shapeOf(twice, 'b', { inputs: { a: [3, 4] } })).toEqual([3, 1]);
    expect(shapeOf(twice, 'y', { inputs: { a: [3, 4] } })).toEqual([3, 4]);
  });
  it('survive shape arithmetic: Shape, Gather, Concat, Reshape', () => {
    const m = model({
      nodes: [
        node('Shape', ['x'], ['s']),
        node('Gather', ['s', 'zero'], ['n']),
        node('Unsqueeze', ['n', 'zero1'], ['n1']),
        node('Concat', ['n1', 'rest'], ['to'], [attr.int('axis', 0)]),
        node('Reshape', ['x', 'to'], ['y']),
      ],
      inputs: [value('x', ['N', 3, 4])],
      outputs: [value('y', null)],
      initializers: [int64Tensor('zero', [], [0]), int64Tensor('zero1', [1], [0]), int64Tensor('rest', [1], [-1])],
    });
    expect(shapeOf(m, 'y')).toEqual(['N', 12]);
  });
});

describe('what the file declares', () => {
  const declared = (op: string): Model => {
    const m = model({
      nodes: [node(op, ['x'], ['y'], [], op === 'Relu' ? {} : { domain: 'acme' })],
      inputs: [value('x', [1, 3])],
      outputs: [value('y', [7, 7])],
    });
    return m;
  };
  it('serves where there is no rule', () => {
    expect(shapeOf(declared('Mystery'), 'y')).toEqual([7, 7]);
  });
  it('never speaks against a rule', () => {
    expect(shapeOf(declared('Relu'), 'y')).toEqual([1, 3]);
  });
});

describe('insides', () => {
  const double: LocalFunction = {
    name: 'Double',
    domain: 'mine',
    inputs: ['v', 'w'],
    outputs: ['out'],
    nodes: [
      node('MatMul', ['v', 'w'], ['m']),
      { ...node('Softmax', ['m'], ['out']), attributes: [{ name: 'axis', kind: 'reference', value: 'along' }] },
    ],
    opsets: [{ domain: '', version: 17 }],
    attributes: ['along'],
    attributeDefaults: [],
    valueInfos: [],
  };
  const called: Model = {
    ...model({
      nodes: [
        node('Double', ['x', 'k'], ['h'], [attr.int('along', 1)], { domain: 'mine' }),
        node('Double', ['h', 'k'], ['y'], [attr.int('along', 0)], { domain: 'mine' }),
      ],
      inputs: [value('x', [2, 5])],
      outputs: [value('y', null)],
      initializers: [randomTensor('k', [5, 5])],
    }),
    functions: [double],
  };
  it('of a local function: shapes, MACs, and a weight that both calls share', () => {
    expect(shapeOf(called, 'y')).toEqual([2, 5]);
    expect(measureFigures(called)).toMatchObject({ macs: 100, parameters: 25, notCounted: [] });
  });
  it('of a function that calls itself end in unknown', () => {
    const loop: Model = {
      ...called,
      functions: [{ ...double, nodes: [node('Double', ['v', 'w'], ['out'], [], { domain: 'mine' })] }],
    };
    expect(shapeOf(loop, 'y')).toBeNull();
  });
  const branch = (weight: string, cols: number): Graph => ({
    name: weight,
    nodes: [node('MatMul', ['x', weight], [`${weight}y`])],
    initializers: [randomTensor(weight, [5, cols])],
    sparseInitializers: [],
    inputs: [],
    outputs: [value(`${weight}y`, null)],
    valueInfos: [],
  });
  it('of If read the values around them; what differs between branches is unknown', () => {
    const m = model({
      nodes: [
        node(
          'If',
          ['c'],
          ['y'],
          [attr.graph('then_branch', branch('a', 3)), attr.graph('else_branch', branch('b', 4))],
        ),
      ],
      inputs: [value('c', [], 'bool'), value('x', [2, 5])],
      outputs: [value('y', null)],
    });
    expect(shapeOf(m, 'y')).toEqual([2, null]);
    expect(measureFigures(m).parameters).toBe(15 + 20);
  });
});

describe('weights', () => {
  it('are never computed', () => {
    const m = model({
      nodes: [node('Conv', ['x', 'w', 'b'], ['y']), node('Mul', ['y', 'k'], ['z'])],
      inputs: [value('x', [1, 1, 4, 4])],
      outputs: [value('z', null)],
      initializers: [['w', [2, 1, 3, 3]] as const, ['b', [2]] as const, ['k', []] as const].map(([name, dims]) =>
        lazyTensor(name, 'float', dims, () => {
          throw new Error(`${name} was read`);
        }),
      ),
    });
    expect(measureFigures(m)).toMatchObject({ macs: 72, parameters: 20 });
  });
});

describe('the memo', () => {
  it('answers as a fresh run does, whatever was asked before', () => {
    const at = (channels: number, size: number): Model =>
      model({
        nodes: shared,
        inputs: [value('x', [1, 3, size, size])],
        outputs: [value('y', null)],
        initializers: [randomTensor('w', [channels, 3, 3, 3]), randomTensor('b', [channels])],
      });
    const shared = [node('Conv', ['x', 'w', 'b'], ['h']), node('Relu', ['h'], ['r']), node('Flatten', ['r'], ['y'])];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 3, max: 7 })), { maxLength: 30 }),
        (runs) => {
          for (const [channels, size] of runs)
            expect(shapeOf(at(channels, size), 'y')).toEqual([1, channels * (size - 2) ** 2]);
        },
      ),
      { numRuns: 20 },
    );
  });
  it('returns the same facts for what an edit did not reach', () => {
    const nodes = [node('Relu', ['x'], ['a']), node('Relu', ['x2'], ['b']), node('Add', ['a', 'b'], ['y'])];
    const inputs = [value('x', [1, 3]), value('x2', [1, 3])];
    const before = inferFacts(model({ nodes, inputs, outputs: [value('y', null)] }));
    const [, two, three] = nodes;
    const edited = [node('Sigmoid', ['x'], ['a']), ...(two && three ? [two, three] : [])];
    const after = inferFacts(model({ nodes: edited, inputs, outputs: [value('y', null)] }));
    expect(after.get('b')).toBe(before.get('b'));
    expect(after.get('y')).toBe(before.get('y'));
  });
});

it('takes a chain of 10,000 nodes', () => {
  const nodes = Array.from({ length: 10_000 }, (_, i) => node('Relu', [`v${i}`], [`v${i + 1}`]));
  const chain = model({ nodes, inputs: [value('v0', ['N', 8])], outputs: [value('v10000', null)] });
  expect(shapeOf(chain, 'v10000')).toEqual(['N', 8]);
  expect(measureFigures(chain).peakActivationBytes).toBe(64);
});

it('names the node that contradicts its operator', () => {
  const bad = model({
    nodes: [node('MaxPool', ['x'], ['y'], [attr.string('kernel_shape', 'one')], { name: 'here' })],
    inputs: [value('x', [1, 3])],
    outputs: [value('y', null)],
  });
  expect(() => measureFigures(bad)).toThrow('attribute kernel_shape of MaxPool');
});
