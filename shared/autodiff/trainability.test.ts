/** What is said before training is what the backward walk does: on small graphs with stops, and on every corpus file. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { inLanguage } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import { int64Tensor } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import { backward, Emitter } from './backward.ts';
import { parametersOf } from './parameters.ts';
import { trainability } from './trainability.ts';

const layered = model({
  nodes: [
    node('Gemm', ['x', 'w1'], ['a']),
    node('ArgMax', ['a'], ['i'], [attr.int('axis', 1)]),
    node('Cast', ['i'], ['f'], [attr.int('to', 1)]),
    node('Gemm', ['a', 'w2'], ['b']),
    node('Det', ['sq'], ['d']),
    node('Reshape', ['b', 'shape'], ['sq']),
    node('Gemm', ['x', 'w3'], ['c']),
    node('ReduceSum', ['c'], ['s'], [attr.int('keepdims', 0)]),
    node('Add', ['d', 's'], ['y']),
    node('Gemm', ['x', 'w4'], ['unread']),
  ],
  inputs: [value('x', ['N', 4])],
  outputs: [value('y', null), value('f', null)],
  initializers: [
    ...['w1', 'w2', 'w3', 'w4'].map((n) => randomTensor(n, [4, 4])),
    int64Tensor('shape', [3], [-1, 2, 2]),
  ],
});

describe('what is said of each layer', () => {
  it('names the node that stops it', () => {
    const said = trainability(layered, inferFacts(layered));
    expect(said.map((l) => [l.id, l.stop?.op ?? (l.stop ? 'apart' : 'trains')])).toEqual([
      ['a', 'Det'],
      ['b', 'Det'],
      ['c', 'trains'],
      ['unread', 'apart'],
    ]);
  });
  it('looks at the chosen output and layers alone', () => {
    const said = trainability(layered, inferFacts(layered), new Set(['a', 'c']), 'f');
    // A whole number ends the way without a gradient.
    expect(said.map((l) => [l.id, inLanguage(l.stop?.reason ?? '', 'en')])).toEqual([
      ['a', 'no gradient of the output reaches it'],
      ['c', 'no gradient of the output reaches it'],
    ]);
  });
});

describe.skipIf(corpusEntries.length === 0)('on the corpus', () => {
  const files = corpusEntries.filter((e) => e.ort_session.startsWith('ok') && e.parse_error === null);
  it.each(files.map((e) => [e.file]))('%s: layers that train are those that the walk reaches', (file) => {
    const opened = openModelFile(corpusPath(file));
    const facts = inferFacts(opened);
    const said = trainability(opened, facts);
    const open = said.filter((l) => l.stop === undefined).map((l) => l.id);
    const walk = (ids: readonly string[]): boolean => {
      const sources = new Set(parametersOf(opened, new Set(ids)).map((p) => p.name));
      const seed = new Map([[opened.graph.outputs[0]?.name ?? '', 'dy']]);
      try {
        backward(opened, facts, seed, sources, new Emitter([]));
        return true;
      } catch (thrown) {
        // Shapes that are open in the file are set before training.
        if (String(thrown).includes('needs shapes')) return true;
        if (String(thrown).includes('has no gradient')) return false;
        throw thrown;
      }
    };
    expect(walk(open), 'those that train').toBe(true);
    for (const l of said.filter((s) => s.stop?.node !== undefined).slice(0, 2))
      expect(walk([l.id]), `${l.id} stops at ${l.stop?.node}`).toBe(false);
  });
});
