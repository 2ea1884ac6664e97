/** Graph index, graph edits and attributes: laws on built graphs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { attr, attributeOf, intAttr, utf8, utf8Bytes, withAttribute } from './attribute.ts';
import { GraphEdit, sorted } from './graph-edit.ts';
import { graphIndex, outerReads } from './graph-index.ts';

const chain = (length: number) =>
  model({
    nodes: Array.from({ length }, (_, i) => node('Relu', [`v${i}`], [`v${i + 1}`])),
    inputs: [value('v0', [1, 4])],
    outputs: [value(`v${length}`, [1, 4])],
  }).graph;

describe('graphIndex', () => {
  it('orders any shuffled chain, however deep, without recursion', () => {
    const graph = chain(20_000);
    const reversed = { ...graph, nodes: [...graph.nodes].reverse() };
    expect(sorted(reversed).nodes).toEqual(graph.nodes);
    expect(sorted(graph)).toBe(graph);
  });
  it('names a node on a cycle', () => {
    const graph = { ...chain(1), nodes: [node('Add', ['v0', 'b'], ['a']), node('Relu', ['a'], ['b'])] };
    expect(() => graphIndex(graph).order).toThrow('cycle');
  });
  it('sees what subgraphs read from outside', () => {
    const inner = { ...chain(0), inputs: [], outputs: [value('t', [1])], nodes: [node('Add', ['v0', 'k'], ['t'])] };
    const outer = node('If', ['c'], ['y'], [attr.graph('then_branch', inner), attr.graph('else_branch', inner)]);
    expect([...outerReads(inner)].sort()).toEqual(['k', 'v0']);
    const graph = { ...chain(0), nodes: [outer, node('Relu', ['v0'], ['k'])] };
    expect(graphIndex(graph).order.map((n) => n.op)).toEqual(['Relu', 'If']);
    expect(graphIndex(graph).uses.get('k')).toEqual([
      { node: outer, input: -1 },
      { node: outer, input: -1 },
    ]);
  });
});

describe('GraphEdit', () => {
  it('makes names that clash with nothing, subgraphs included', () => {
    const inner = { ...chain(0), nodes: [node('Relu', ['v0'], ['t'])], outputs: [value('t', [1])] };
    const edit = new GraphEdit({ ...chain(1), nodes: [node('If', ['c'], ['y'], [attr.graph('then_branch', inner)])] });
    expect([edit.unique('t'), edit.unique('t'), edit.unique('free')]).toEqual(['t_1', 't_2', 'free']);
    const made = edit.make({ op: 'Relu', inputs: [], outputs: ['y2'], name: 'y' });
    expect(made.id).not.toBe('y');
  });
  it('leaves the old version untouched and shares what did not change', () => {
    const graph = chain(3);
    const before = structuredClone({ ...graph });
    const edit = new GraphEdit(graph);
    edit.remove('v2');
    edit.rewire('v2', 'v1');
    const next = edit.done();
    expect(next.nodes.map((n) => n.inputs)).toEqual([['v0'], ['v1']]);
    expect(next.nodes[0]).toBe(graph.nodes[0]);
    expect({ ...graph }).toEqual(before);
  });
  it('removes what nobody reads, and the input that only backed it', () => {
    const m = model({
      nodes: [node('Add', ['x', 'w'], ['y']), node('Add', ['x', 'dead'], ['z']), node('Relu', ['z'], ['zz'])],
      inputs: [value('x', [2]), value('dead', [2])],
      outputs: [value('y', [2])],
      initializers: [randomTensor('w', [2]), randomTensor('dead', [2])],
    });
    const edit = new GraphEdit(m.graph);
    edit.removeUnused();
    const graph = edit.done();
    expect(graph.nodes.map((n) => n.id)).toEqual(['y']);
    expect(graph.initializers.map((t) => t.name)).toEqual(['w']);
    expect(graph.inputs.map((i) => i.name)).toEqual(['x']);
  });
  it('keeps an initializer that is also an input in step with it', () => {
    const m = model({
      nodes: [],
      inputs: [value('w', [2, 3])],
      outputs: [],
      initializers: [randomTensor('w', [2, 3])],
    });
    const edit = new GraphEdit(m.graph);
    edit.setInitializer(randomTensor('w', [1, 3]));
    expect(edit.done().inputs[0]?.type).toMatchObject({ shape: [1, 3] });
  });
});

describe('attributes', () => {
  it('keeps every int64 exact', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => {
        expect(attributeOf(node('X', [], [], [attr.int('a', n)]), 'a', 'int')).toBe(n);
      }),
    );
  });
  it('names the node and the attribute when the kind is wrong', () => {
    expect(() => intAttr(node('X', [], ['y'], [attr.float('axis', 1)]), 'axis')).toThrow(
      'attribute axis of X is float',
    );
  });
  it('replaces and removes', () => {
    const a = withAttribute(node('X', [], [], [attr.int('a', 1), attr.int('b', 2)]), 'a', attr.int('a', 5));
    expect([intAttr(a, 'a'), intAttr(a, 'b'), intAttr(withAttribute(a, 'a', undefined), 'a')]).toEqual([
      5,
      2,
      undefined,
    ]);
  });
  it('speaks UTF-8 as the platform does, invalid bytes included', () => {
    const decoder = new TextDecoder();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (s) => {
        expect(utf8(utf8Bytes(s))).toBe(s);
        expect(utf8Bytes(s)).toEqual(new TextEncoder().encode(s));
      }),
    );
    expect(utf8(Uint8Array.from([0x61, 0xff, 0x62]))).toBe(decoder.decode(Uint8Array.from([0x61, 0xff, 0x62])));
  });
});
