/** Reshape targets that are computed become constants that hold for every batch; what hung on them can then be pruned. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor, toNumbers } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusBytes, corpusFolder } from '../testing/corpus.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { withFixedTargets } from './fixed-targets.ts';

const runtime = nodeRuntime(1);

/** A dense layer as TensorFlow's Tensordot is exported: x [N, 5, 8] -> [N * 5, 8] -> W -> [N, 5, 16] -> Relu -> the same again. */
function tensordots(): Model {
  const dense = (x: string, y: string, units: number) => [
    node('Shape', [x], [`${y}_shape`]),
    node('Gather', [`${y}_shape`, 'free'], [`${y}_free`]),
    node('Gather', [`${y}_shape`, 'last'], [`${y}_last`]),
    node('ReduceProd', [`${y}_free`], [`${y}_rows`], [attr.int('keepdims', 1)]),
    node('Concat', [`${y}_rows`, `${y}_last`], [`${y}_flat`], [attr.int('axis', 0)]),
    node('Reshape', [x, `${y}_flat`], [`${y}_2d`]),
    node('MatMul', [`${y}_2d`, `${y}_w`], [`${y}_product`]),
    node('Concat', [`${y}_free`, `units${units}`], [`${y}_full`], [attr.int('axis', 0)]),
    node('Reshape', [`${y}_product`, `${y}_full`], [y]),
  ];
  return model({
    opset: 13,
    inputs: [value('x', ['n', 5, 8])],
    outputs: [value('y', ['n', 5, 8])],
    initializers: [
      randomTensor('h_w', [8, 16], 1),
      randomTensor('y_w', [16, 8], 2),
      int64Tensor('free', [2], [0, 1]),
      int64Tensor('last', [1], [2]),
      int64Tensor('units16', [1], [16]),
      int64Tensor('units8', [1], [8]),
    ],
    nodes: [...dense('x', 'h', 16), node('Relu', ['h'], ['r']), ...dense('r', 'y', 8)],
  });
}

const feedsOf = (batch: number) => {
  const data = Float32Array.from({ length: batch * 40 }, (_, k) => Math.sin(k * 1.7));
  return { x: { type: 'float', dims: [batch, 5, 8], data } } as const;
};
const pruned = (m: Model, technique: string, params: object) =>
  previewRecipe(m, parseRecipe({ bantam: 1, steps: [{ technique, params }] }));

describe('withFixedTargets', () => {
  it.each([undefined, { inputs: { x: [1, 5, 8] } }])(
    'the same function for every batch, sizes chosen: %j',
    async (shapes) => {
      const m = tensordots();
      const { model: fixed } = withFixedTargets(m, inferFacts(m, shapes));
      expect(fixed.graph.nodes.map((n) => n.op)).toEqual([
        'Reshape',
        'MatMul',
        'Reshape',
        'Relu',
        'Reshape',
        'MatMul',
        'Reshape',
      ]);
      for (const batch of [1, 3])
        expect(
          maxError(await runModel(runtime, m, feedsOf(batch)), await runModel(runtime, fixed, feedsOf(batch))),
        ).toBe(0);
    },
  );
  it('leaves a target with two open sizes to be computed', () => {
    const m = tensordots();
    const open = { ...m, graph: { ...m.graph, inputs: [value('x', ['n', 't', 8])] } };
    const { model: fixed } = withFixedTargets(open, inferFacts(open));
    expect(fixed.graph.nodes.filter((n) => n.op === 'Concat').map((n) => n.outputs[0])).toEqual(['h_full', 'y_full']);
  });
  it('gives back a model without such targets as it is', () => {
    const m = model({ inputs: [value('x', [1])], outputs: [value('y', [1])], nodes: [node('Relu', ['x'], ['y'])] });
    const facts = inferFacts(m);
    expect(withFixedTargets(m, facts)).toEqual({ model: m, facts });
  });
});

it('the hidden layer between two such products is pruned; zeroed channels are not missed', async () => {
  const m = tensordots();
  const [w1, w2, ...rest] = m.graph.initializers as readonly Tensor[];
  // The second half of the hidden channels does nothing: the L1 norm takes it away.
  const idle = toNumbers(w1!).map((w, k) => (k % 16 < 8 ? w : 0));
  const zeroed = {
    ...m,
    graph: { ...m.graph, initializers: [numbersTensor('h_w', 'float', [8, 16], idle), w2!, ...rest] },
  };
  const done = pruned(zeroed, 'prune-channels', { ratio: 0.5 });
  expect(done.figures.macs).toBe(done.before.macs === null ? null : done.before.macs / 2);
  const bytes = writeModel(done.model);
  expect(measureFigures(readModel(bytes))).toEqual(done.figures);
  for (const batch of [1, 3])
    expect(
      maxError(
        await runModel(runtime, zeroed, feedsOf(batch)),
        await runModel(runtime, readModel(bytes), feedsOf(batch)),
      ),
    ).toBeLessThan(1e-5);
});

it.skipIf(corpusFolder === undefined)('BERT loses half its heads: those that do nothing are not missed', async () => {
  const m = readModel(corpusBytes('3-exporter/keras2onnx-tiny-tfbert.onnx'));
  // Queries, keys and values of every second head [8 -> 2 heads x 4] are zero, so that it gives nothing and weighs least.
  const initializers = m.graph.initializers.map((t) => {
    const projects = /\/self\/(query|key|value)\/(Tensordot\/Reshape_1:0|BiasAdd)/.test(t.name);
    if (!projects || t.type !== 'float' || t.dims.at(-1) !== 8) return t;
    return numbersTensor(
      t.name,
      'float',
      t.dims,
      toNumbers(t).map((w, k) => (k % 8 < 4 ? w : 0)),
    );
  });
  const zeroed = { ...m, graph: { ...m.graph, initializers } };
  const done = pruned(zeroed, 'prune-heads', { ratio: 0.5 });
  expect(done.steps[0]?.layers.filter((l) => l.taken)).toHaveLength(72);
  const light = readModel(writeModel(done.model));
  expect(measureFigures(light)).toEqual(done.figures);
  const feeds = randomFeeds(zeroed);
  expect(maxError(await runModel(runtime, zeroed, feeds), await runModel(runtime, light, feeds))).toBeLessThan(1e-4);
});
