import { describe, expect, it } from 'vitest';
import { attr } from '#shared/ir/attribute.ts';
import { graphIndex } from '#shared/ir/graph-index.ts';
import { readModel } from '#shared/onnx/read.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { corpusBytes, corpusEntries } from '#shared/testing/corpus.ts';
import { attributeText } from '../features/inspect/attribute-text.ts';
import { viewOf } from './graph-view.ts';
import { allLike } from './selection.ts';

const convChain = () =>
  model({
    inputs: [value('x', [1, 3, 8, 8])],
    outputs: [value('y', [1, 4, 8, 8])],
    initializers: [randomTensor('w0', [4, 3, 3, 3]), randomTensor('w', [4, 4, 3, 3]), randomTensor('s', [4])],
    nodes: [
      node('Conv', ['x', 'w0'], ['a'], [attr.ints('strides', [2, 2])]),
      node('BatchNormalization', ['a', 's', 's', 's', 's'], ['b']),
      node('Relu', ['b'], ['c']),
      node('Identity', ['w'], ['w2']),
      node('Conv', ['c', 'w2'], ['d']),
      node('Add', ['c', 'd'], ['y']),
    ],
  });

describe('viewOf', () => {
  it('folds normalisation and activation into their layer, weight makers into their consumer', () => {
    const view = viewOf(convChain().graph);
    expect(view.nodes.map((v) => [v.title, v.detail])).toEqual([
      ['x', ''],
      ['Conv 3×3 · BatchNorm · Relu', '3 → 4 · stride 2'],
      ['Conv 3×3', '4 → 4'],
      ['Add', 'y'],
      ['y', ''],
    ]);
    expect(view.nodes[2]?.inside.map((n) => n.op)).toEqual(['Identity']);
    expect(view.edges.map((e) => [e.source, e.target, e.value])).toEqual([
      [0, 1, 'x'],
      [1, 2, 'c'],
      [1, 3, 'c'],
      [2, 3, 'd'],
      [3, 4, 'y'],
    ]);
  });

  it('selects all like one', () => {
    expect(allLike(viewOf(convChain().graph), 'a')).toEqual(['a', 'd']);
  });

  it('views a chain of 10,000 nodes (S25)', () => {
    const nodes = Array.from({ length: 10_000 }, (_, i) => node('MaxPool', [i === 0 ? 'x' : `v${i - 1}`], [`v${i}`]));
    const m = model({ nodes, inputs: [value('x', [1])], outputs: [value('v9999', [1])] });
    expect(viewOf(m.graph).nodes).toHaveLength(10_002);
  });

  it('shows integers exactly (S26)', () => {
    const extremes = attr.ints('ends', [-1n, -2n, 9223372036854775807n, -9223372036854775808n]);
    expect(attributeText(extremes)).toBe('[-1, -2, 9223372036854775807, -9223372036854775808]');
    expect(attributeText(attr.int('axis', -1))).toBe('-1');
  });

  it.each(corpusEntries.map((e) => e.file).filter((f) => !f.startsWith('5-edge') && !f.startsWith('4-external')))(
    'draws every node of %s that depends on an input, once',
    (file) => {
      const { graph } = readModel(corpusBytes(file));
      const parts = viewOf(graph).nodes.flatMap((v) => v.parts.map((n) => n.id));
      expect(new Set(parts).size).toBe(parts.length);
      const index = graphIndex(graph);
      const fed = new Set(index.requiredInputs.map((i) => i.name));
      for (const value of fed)
        for (const { node: n } of index.uses.get(value) ?? []) for (const o of n.outputs) if (o !== '') fed.add(o);
      const drawn = new Set(parts);
      const missing = graph.nodes.filter((n) => n.inputs.some((i) => fed.has(i)) && !drawn.has(n.id));
      expect(missing.map((n) => n.id)).toEqual([]);
    },
  );
});
