/** Cross-layer equalisation: what the model computes stays, the ranges of neighbours meet; what it must leave alone. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { attr } from '../ir/attribute.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { equalizeLayers } from './equalize-layers.ts';

const runtime = nodeRuntime(1);

/** A weight whose rows (outputs) differ a hundredfold. */
function uneven(
  name: string,
  dims: readonly number[],
  seed: number,
  per = dims.slice(1).reduce((a, b) => a * b, 1),
): Tensor {
  const w = toNumbers(randomTensor(name, dims, seed));
  return numbersTensor(
    name,
    'float',
    dims,
    w.map((x, k) => x * 10 ** ((Math.floor(k / per) % 5) - 2)),
  );
}

function net(nodes: readonly Node[], initializers: readonly Tensor[], x = [1, 3, 8, 8]): Model {
  return model({ opset: 13, inputs: [value('x', x)], outputs: [value('y', null)], initializers, nodes });
}

function equalized(m: Model, not: readonly string[] = []) {
  const facts = inferFacts(m);
  return equalizeLayers(m, { into: (n) => !not.includes(n.id), shape: (v) => facts.get(v)?.shape });
}

const group = (g: number) => [attr.int('group', g)];

const nets: readonly (readonly [string, () => Model, readonly string[]])[] = [
  [
    'pointwise, depthwise, pointwise, pooled, Flatten and Gemm',
    () =>
      net(
        [
          node('Conv', ['x', 'a', 'ab'], ['h1']),
          node('Relu', ['h1'], ['r1']),
          node('Conv', ['r1', 'd', 'db'], ['h2'], group(10)),
          node('LeakyRelu', ['h2'], ['r2']),
          node('Conv', ['r2', 'p'], ['h3']),
          node('MaxPool', ['h3'], ['m'], [attr.ints('kernel_shape', [2, 2])]),
          node('Flatten', ['m'], ['f']),
          node('Gemm', ['f', 'g', 'gb'], ['y'], [attr.int('transB', 1), attr.float('beta', 0.5)]),
        ],
        [
          uneven('a', [10, 3, 1, 1], 1),
          randomTensor('ab', [10], 2),
          uneven('d', [10, 1, 3, 3], 3),
          randomTensor('db', [10], 4),
          uneven('p', [4, 10, 1, 1], 5),
          randomTensor('g', [6, 4 * 25], 6),
          randomTensor('gb', [6], 7),
        ],
      ),
    ['h1', 'h2', 'h3'],
  ],
  [
    'grouped convolutions and a second reader',
    () =>
      net(
        [
          node('Conv', ['x', 'a'], ['h']),
          node('PRelu', ['h', 'slope'], ['r']),
          node('Conv', ['r', 'b'], ['l'], group(2)),
          node('ConvTranspose', ['r', 'c'], ['t']),
          node('Add', ['l', 't'], ['y']),
        ],
        [
          uneven('a', [8, 3, 1, 1], 1),
          randomTensor('slope', [8, 1, 1], 2),
          uneven('b', [6, 4, 1, 1], 3),
          randomTensor('c', [8, 6, 1, 1], 4),
        ],
      ),
    ['h'],
  ],
  [
    'matrix products of rank 3',
    () =>
      net(
        [node('MatMul', ['x', 'a'], ['h']), node('Relu', ['h'], ['r']), node('MatMul', ['r', 'b'], ['y'])],
        [uneven('a', [5, 10], 1, 1), randomTensor('b', [10, 4], 2)],
        [2, 3, 5],
      ),
    ['h'],
  ],
  [
    'Gemm both ways round with a bias',
    () =>
      net(
        [
          node('Gemm', ['x', 'a', 'ab'], ['h'], [attr.float('alpha', 2), attr.float('beta', 3)]),
          node('Clip', ['h', 'zero'], ['r']),
          node('Gemm', ['r', 'b'], ['y'], [attr.int('transB', 1)]),
        ],
        [
          uneven('a', [5, 10], 1, 1),
          randomTensor('ab', [1, 10], 3),
          numbersTensor('zero', 'float', [], [0]),
          randomTensor('b', [4, 10], 2),
        ],
        [2, 5],
      ),
    ['h'],
  ],
];

describe.each(nets)('%s', (_, make, pairs) => {
  it('keeps what the model computes', async () => {
    const m = make();
    const done = equalized(m);
    expect(done.pairs).toEqual(pairs);
    const feeds = randomFeeds(m);
    expect(maxError(await runModel(runtime, m, feeds), await runModel(runtime, done.model, feeds))).toBeLessThan(1e-5);
  });
  it('brings the ranges of the outputs together', () => {
    const m = make();
    const spread = (of: Model): number => {
      const first = of.graph.nodes.find((n) => n.id === pairs[0])!;
      const w = of.graph.initializers.find((t) => t.name === first.inputs[1])!;
      const channels = first.op === 'Conv' ? w.dims[0]! : w.dims[1]!;
      const inner = first.op === 'Conv' ? w.dims.slice(1).reduce((a, b) => a * b, 1) : 1;
      const most = new Float64Array(channels);
      toNumbers(w).forEach((x, k) => {
        const c = Math.floor(k / inner) % channels;
        most[c] = Math.max(most[c]!, Math.abs(x));
      });
      return Math.max(...most) / Math.min(...most);
    };
    expect(spread(equalized(m).model)).toBeLessThan(spread(m) / 5);
  });
});

describe('leaves alone', () => {
  const two = (between: readonly Node[], more: readonly Tensor[] = [], outputs: readonly string[] = ['y']): Model => {
    const m = net(
      [node('Conv', ['x', 'a'], ['h']), ...between, node('Conv', ['r', 'b'], ['y'])],
      [uneven('a', [8, 3, 1, 1], 1), randomTensor('b', [3, 8, 1, 1], 2), ...more],
    );
    return { ...m, graph: { ...m.graph, outputs: outputs.map((o) => value(o, null)) } };
  };
  const relu = node('Relu', ['h'], ['r']);
  it('what is clamped from above, and says so', () => {
    const six = [numbersTensor('lo', 'float', [], [0]), numbersTensor('hi', 'float', [], [6])];
    const done = equalized(two([node('Clip', ['h', 'lo', 'hi'], ['r'])], six));
    expect(done.pairs).toEqual([]);
    expect(done.clamped).toEqual(['h']);
  });
  it.each([
    ['a function that is not homogeneous', two([node('Sigmoid', ['h'], ['r'])]), []],
    ['what the graph gives out', two([relu], [], ['r', 'y']), []],
    ['a second reader that is no layer', two([relu, node('Neg', ['r'], ['z'])], [], ['y', 'z']), []],
    ['a layer that was not selected', two([relu]), ['y']],
    ['a weight that two layers share', two([relu, node('Conv', ['x', 'a'], ['z'])], [], ['y', 'z']), []],
  ] as const)('%s', (_, m, not) => {
    const done = equalized(m, not);
    expect(done.pairs).toEqual([]);
    expect(done.model).toBe(m);
  });
  it('channels of zeros', async () => {
    const m = two([relu]);
    const a = m.graph.initializers[0]!;
    const zeroed = numbersTensor(
      'a',
      'float',
      a.dims,
      toNumbers(a).map((x, k) => (k < 6 ? 0 : x)),
    );
    const of = { ...m, graph: { ...m.graph, initializers: [zeroed, ...m.graph.initializers.slice(1)] } };
    const done = equalized(of);
    for (const t of done.model.graph.initializers) for (const x of toNumbers(t)) expect(Number.isFinite(x)).toBe(true);
    const feeds = randomFeeds(of);
    expect(maxError(await runModel(runtime, of, feeds), await runModel(runtime, done.model, feeds))).toBeLessThan(1e-5);
  });
});
