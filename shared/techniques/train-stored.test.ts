/** Training what earlier steps stored: zeros stay zeros in every form, codebooks move as one, tied weights add up. */
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../electron/host/datasets/open-dataset.ts';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { trainingGraph } from '../autodiff/training-graph.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { int64Tensor } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset } from '../ports/dataset.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import { bars } from '../testing/bars.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusFolder, corpusPath } from '../testing/corpus.ts';

import { trainModel } from '../training/train-model.ts';
import type { StepHost } from './run-step.ts';

const runtime = nodeRuntime(1);
const clock = { now: () => performance.now() };

const hostOn = (dataset: Dataset): StepHost => ({
  cancel: { requested: false },
  progress: () => {},
  log: () => {},
  train: (m, settings, c) => trainModel({ runtime, clock, model: m, dataset, settings, seed: c.seed }),
});
const run = async (m: Model, dataset: Dataset, ...steps: readonly object[]): Promise<Model> =>
  (await runRecipe(m, parseRecipe({ bantam: 1, seed: 1, steps }), hostOn(dataset))).model;

/** Weights of every layer as the runtime decodes them, by the layer's id. */
async function decoded(m: Model): Promise<ReadonlyMap<string, Float32Array>> {
  const facts = inferFacts(m);
  const layers = graphIndex(m.graph).order.filter((n) => ['Conv', 'Gemm', 'MatMul'].includes(n.op));
  const weights = layers.flatMap((n) => {
    const name = n.inputs
      .slice(1)
      .find((i) => facts.get(i)?.constant === true && (facts.get(i)?.shape?.length ?? 0) > 1);
    return name === undefined ? [] : [[n.id, name] as const];
  });
  const copies = weights.map(([, name], i) => node('Identity', [name], [`seen_${i}`]));
  const infos = weights.map(([, name], i) => value(`seen_${i}`, [...(facts.get(name)?.shape ?? [])]));
  const shown: Model = {
    ...m,
    graph: { ...m.graph, nodes: [...m.graph.nodes, ...copies], outputs: [...m.graph.outputs, ...infos] },
  };
  const session = await runtime.open({ bytes: writeModel(shown) });
  const [input] = graphIndex(m.graph).requiredInputs;
  const shape = input?.type.kind === 'tensor' ? (input.type.shape ?? []) : [];
  const dims = shape.map((d) => (typeof d === 'number' ? d : 1));
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  const out = await session.run({ [input!.name]: { type: 'float', dims, data } });
  await session.release();
  return new Map(weights.map(([id], i) => [id, out[`seen_${i}`]!.data as Float32Array]));
}
const zeros = (w: Float32Array): readonly number[] => [...w.keys()].filter((i) => w[i] === 0);

/** flat - fc 40 - Relu - fc 6. */
const net = (): Model =>
  readModel(
    writeModel(
      model({
        nodes: [
          node('Flatten', ['x'], ['f']),
          node('Gemm', ['f', 'v', 'c'], ['h'], [], { name: 'fc1' }),
          node('Relu', ['h'], ['r']),
          node('MatMul', ['r', 'w'], ['y'], [], { name: 'fc2' }),
        ],
        inputs: [value('x', ['N', 1, 6, 6])],
        outputs: [value('y', ['N', 6])],
        initializers: [
          randomTensor('v', [36, 40], 1, 0.2),
          randomTensor('c', [40]),
          randomTensor('w', [40, 6], 1, 0.3),
        ],
      }),
    ),
  );
const prune = { technique: 'prune-weights', params: { ratio: 0.6 } };
const share = { technique: 'share-weights', params: { bits: 4 } };
const train = (optimizer: string) => ({
  technique: 'train',
  params: {
    epochs: 3,
    batch: 16,
    // A code's gradient is the sum of its members': plain steps must be small.
    learningRate: optimizer === 'sgd' ? 0.002 : 0.01,
    optimizer,
    weightDecay: 0.01,
    augment: false,
  },
});

describe('what is stored', () => {
  it.each(['sgd', 'adam', 'adamw'])(
    'S30: pruned, then shared, then trained by %s: zeros and the number of values stay',
    async (optimizer) => {
      const before = await decoded(await run(net(), bars(), prune, share));
      const trained = await run(net(), bars(), prune, share, train(optimizer));
      const after = await decoded(trained);
      expect([...before.keys()]).toEqual(['fc1', 'fc2']);
      for (const [id, w] of before) {
        const now = after.get(id)!;
        expect(zeros(w).length / w.length).toBeGreaterThanOrEqual(0.59);
        expect(zeros(now)).toEqual(zeros(w));
        expect(new Set(now).size).toBeLessThanOrEqual(new Set(w).size);
        expect(now).not.toEqual(w);
      }
    },
  );

  it.runIf(corpusFolder !== undefined)(
    'S30: a net of the corpus, 60 % sparse, 16 values, fine-tuned on digits',
    async () => {
      const m = openModelFile(corpusPath('2-classifier/mnist-fc-256x4.onnx'));
      const digits = await openDataset('digits');
      const few: Dataset = { ...digits, info: { ...digits.info, counts: { train: 640, validation: 100, test: 0 } } };
      const before = await decoded(await run(m, few, prune, share));
      const after = await decoded(
        await run(m, few, prune, share, {
          ...train('sgd'),
          params: { ...train('sgd').params, epochs: 1, learningRate: 0.001 },
        }),
      );
      expect(before.size).toBeGreaterThan(3);
      for (const [id, w] of before) {
        expect(zeros(after.get(id)!)).toEqual(zeros(w));
        expect(new Set(after.get(id)).size).toBeLessThanOrEqual(new Set(w).size);
      }
    },
  );

  it('a codebook gets the sum of its members, and a tied weight that of its uses', async () => {
    // Codebook [3] of a weight [4, 3]; both layers read the one weight.
    const indices = [0, 1, 2, 1, 1, 0, 2, 2, 0, 1, 0, 2];
    const form = (coded: boolean): Model =>
      model({
        nodes: [
          ...(coded ? [node('Gather', ['codes', 'at'], ['w'])] : []),
          node('MatMul', ['x', 'w'], ['a']),
          node('Tanh', ['a'], ['t']),
          node('MatMul', ['t', 'w2'], ['b']),
          node('MatMul', ['b', 'w'], ['y']),
        ],
        inputs: [value('x', ['N', 4])],
        outputs: [value('y', ['N', 3])],
        initializers: [
          ...(coded
            ? [randomTensor('codes', [3]), int64Tensor('at', [4, 3], indices)]
            : [{ ...randomTensor('w', [4, 3]), ...dense(indices) }]),
          randomTensor('w2', [3, 4], 7),
        ],
      });
    const gradient = async (m: Model, name: string): Promise<Float32Array> => {
      const g = trainingGraph(m, 'x', {
        batch: 5,
        loss: 'cross-entropy',
        optimizer: 'sgd',
        momentum: 0,
        weightDecay: 0,
        batchStatistics: false,
      });
      const session = await runtime.open({ bytes: writeModel(g.step) });
      const tensor = (dims: readonly number[], data: Float32Array): RunTensor => ({ type: 'float', dims, data });
      const values = Object.fromEntries(g.carried.map((c) => [c.input, tensor(c.dims, c.initial)]));
      const out = await session.run({
        ...values,
        [g.names.data]: tensor(
          [5, 4],
          Float32Array.from({ length: 20 }, (_, i) => Math.sin(i)),
        ),
        [g.names.target]: tensor(
          [5, 3],
          Float32Array.from({ length: 15 }, (_, i) => Number(i % 3 === i % 2)),
        ),
        [g.names.rate]: tensor([], Float32Array.of(1)),
        [g.names.step]: tensor([], Float32Array.of(1)),
      });
      const c = g.carried.find((k) => k.input === name)!;
      return c.initial.map((v, i) => v - Number(out[c.output]!.data[i]));
    };
    const whole = await gradient(form(false), 'w');
    const codes = await gradient(form(true), 'codes');
    const sums = [0, 1, 2].map((k) => indices.reduce((sum, at, i) => (at === k ? sum + (whole[i] ?? 0) : sum), 0));
    for (const [k, sum] of sums.entries()) expect(codes[k]).toBeCloseTo(sum, 4);
  });
});

/** The dense weight that `codes` and these indices stand for. */
function dense(indices: readonly number[]) {
  const { bytes } = randomTensor('codes', [3]);
  const codes = new Float32Array(bytes().slice().buffer);
  const data = Float32Array.from(indices, (i) => codes[i] ?? 0);
  return { dims: [4, 3], bytes: () => new Uint8Array(data.buffer) };
}
