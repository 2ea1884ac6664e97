/** Tidying: outputs stay, and only what is equal in type, shape and bytes becomes one. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { attr } from '../ir/attribute.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';
import { model, node, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { dedupInitializers, removeDead, removeIdentity } from './tidy.ts';

const runtime = nodeRuntime(1);

describe('equal initializers', () => {
  it('x / 2 + y * 4 keeps both numbers (S09); two of a kind become one', async () => {
    const scalar = (name: string, v: number, dims: readonly number[] = []) => numbersTensor(name, 'float', dims, [v]);
    const m = model({
      inputs: [value('x', [2, 3]), value('y', [2, 3])],
      outputs: [value('z', [2, 3])],
      initializers: [
        scalar('two', 2),
        scalar('four', 4),
        scalar('also', 2),
        scalar('wide', 2, [1]),
        scalar('w2', 2, [1]),
      ],
      nodes: [
        node('Div', ['x', 'two'], ['a']),
        node('Mul', ['y', 'four'], ['b']),
        node('Add', ['a', 'b'], ['c']),
        node('Add', ['c', 'also'], ['d']),
        node('Add', ['d', 'wide'], ['e']),
        node('Add', ['e', 'w2'], ['z']),
      ],
    });
    const done = dedupInitializers(m);
    expect(done.changes).toEqual(['also', 'w2']);
    expect(done.model.graph.initializers.map((t) => t.name)).toEqual(['two', 'four', 'wide']);
    const feeds = randomFeeds(m);
    expect(maxError(await runModel(runtime, m, feeds), await runModel(runtime, done.model, feeds))).toBe(0);
  });
  it('one of another type stays: the same bytes, float 0 and int64 0', () => {
    const m = model({
      inputs: [value('x', [2])],
      outputs: [value('z', [2])],
      initializers: [numbersTensor('f', 'float', [2], [0, 0]), int64Tensor('i', [1], [0])],
      nodes: [node('Add', ['x', 'f'], ['a']), node('Gather', ['a', 'i'], ['z'])],
    });
    expect(dedupInitializers(m).model).toBe(m);
  });
});

it('takes out nodes that do nothing, a chain of them too, and leaves outputs', async () => {
  const m = model({
    inputs: [value('x', [2, 3])],
    outputs: [value('y', [2, 3]), value('z', [2, 3])],
    nodes: [
      node('Identity', ['x'], ['a']),
      node('Dropout', ['a'], ['b']),
      node('Transpose', ['b'], ['c'], [attr.ints('perm', [0, 1])]),
      node('Relu', ['c'], ['y']),
      node('Identity', ['c'], ['z']),
    ],
  });
  const done = removeIdentity(m).model;
  expect(done.graph.nodes.map((n) => [n.op, ...n.inputs])).toEqual([
    ['Relu', 'x'],
    ['Identity', 'x'],
  ]);
  const feeds = randomFeeds(m);
  expect(maxError(await runModel(runtime, m, feeds), await runModel(runtime, done, feeds))).toBe(0);
});

it('drops what no output needs', () => {
  const m = model({
    inputs: [value('x', [2])],
    outputs: [value('y', [2])],
    initializers: [numbersTensor('u', 'float', [2], [1, 2])],
    nodes: [node('Relu', ['x'], ['y']), node('Add', ['x', 'u'], ['dead'])],
  });
  expect(removeDead(m).changes).toEqual(['dead', 'u']);
  expect(removeDead(removeDead(m).model).changes).toEqual([]);
});
