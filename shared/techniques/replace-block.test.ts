import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { neverCancelled } from '../base/cancel.ts';
import { relativeError } from '../base/low-rank.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import type { Model } from '../ir/model.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset } from '../ports/dataset.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import { model as graph, node, randomTensor, value } from '../testing/build.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { nets } from '../testing/nets.ts';
import { trainModel } from '../training/train-model.ts';
import { BlockWriter } from './blocks/block-writer.ts';
import { convLayer } from './blocks/conv-layer.ts';
import { blockKinds } from './blocks/index.ts';

const runtime = nodeRuntime(1);

interface Shape {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly bias: boolean;
}

const side = 9;

/** x -> Conv -> y, padded to centre the kernel; weight random or given. */
function conv(s: Shape, seed: number, weight?: Float64Array): Model {
  const dims = [s.outputs, s.inputs, s.kernel, s.kernel];
  const w = weight === undefined ? randomTensor('w', dims, seed) : numbersTensor('w', 'float', dims, weight);
  const half = ((s.kernel - 1) / 2) * s.dilation;
  const out = Math.floor((side - 1) / s.stride) + 1;
  return graph({
    nodes: [
      node(
        'Conv',
        s.bias ? ['x', 'w', 'b'] : ['x', 'w'],
        ['y'],
        [
          attr.ints('pads', [half, half, half, half]),
          attr.ints('strides', [s.stride, s.stride]),
          attr.ints('dilations', [s.dilation, s.dilation]),
        ],
      ),
    ],
    inputs: [value('x', [1, s.inputs, side, side])],
    outputs: [value('y', [1, s.outputs, out, out])],
    initializers: [w, ...(s.bias ? [randomTensor('b', [s.outputs], seed + 1)] : [])],
  });
}

const shapes = fc.record({
  inputs: fc.constantFrom(2, 4, 6, 8),
  outputs: fc.constantFrom(2, 4, 8, 10),
  kernel: fc.constantFrom(3, 5),
  stride: fc.constantFrom(1, 2),
  dilation: fc.constantFrom(1, 2),
  bias: fc.boolean(),
});

const replaced = (m: Model, params: Readonly<Record<string, string | number>>) =>
  previewRecipe(m, parseRecipe({ bantam: 1, steps: [{ technique: 'replace-block', params }] }));

describe.each(blockKinds.map((k) => [k.id, k] as const))('%s', (id, kind) => {
  it('computes the kernel that it says it starts from', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(
        shapes,
        fc.constantFrom(0.25, 0.5, 1),
        fc.integer({ min: 1, max: 99 }),
        async (s, ratio, seed) => {
          const m = conv(s, seed);
          const layer = convLayer({ model: m, facts: inferFacts(m) }, m.graph.nodes[0]!);
          if (typeof layer === 'string') throw new Error(layer);
          const o = { ratio, expansion: 2, groups: 2, multiplier: 1 };
          if (kind.refuses(layer, o) !== undefined) return;
          taken++;
          const composite = kind.write(new BlockWriter(new GraphEdit(m.graph), layer, 'none'), o);
          // ShuffleNet v2's half that passes through has no bias.
          const bare = id === 'shuffle-v2' && s.bias ? conv({ ...s, bias: false }, seed) : m;
          const near = conv({ ...s, bias: s.bias && id !== 'shuffle-v2' }, seed, composite?.());
          const feeds = randomFeeds(m, seed);
          const block = replaced(bare, { block: id, ratio, expansion: 2, groups: 2 }).model;
          expect(maxError(await runModel(runtime, near, feeds), await runModel(runtime, block, feeds))).toBeLessThan(
            2e-4,
          );
        },
      ),
      { numRuns: 12 },
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('trains: with an activation inside it still has the shape of the layer', () => {
    const m = conv({ inputs: 8, outputs: 8, kernel: 3, stride: 1, dilation: 1, bias: true }, 3);
    const done = replaced(m, { block: id, activation: 'relu6' });
    expect(inferFacts(done.model).get('y')?.shape).toEqual([1, 8, side, side]);
    expect(measureFigures(readModel(writeModel(done.model))).macs).toBe(done.figures.macs);
  });
});

it('a depthwise separable replacement costs 1/N + 1/k^2 of the original, to the last MAC', () => {
  fc.assert(
    fc.property(shapes, (s) => {
      const done = replaced(conv(s, 1), { block: 'depthwise-separable' });
      const was = done.before.macs ?? 0;
      // (1/N + 1/k^2) in whole numbers: was * (k^2 + N) / (N k^2)
      expect((done.figures.macs ?? 0) * s.outputs * s.kernel ** 2).toBe(was * (s.kernel ** 2 + s.outputs));
    }),
  );
});

it('finds a kernel again that is of the block’s form', async () => {
  const s = { inputs: 6, outputs: 8, kernel: 3, stride: 1, dilation: 1, bias: true };
  const r = rng(5);
  const w = new Float64Array(8 * 6 * 9);
  const [deep, point] = [
    Float64Array.from({ length: 54 }, () => r.normal()),
    Float64Array.from({ length: 48 }, () => r.normal()),
  ];
  for (let n = 0; n < 8; n++)
    for (let c = 0; c < 6; c++)
      for (let t = 0; t < 9; t++) w[(n * 6 + c) * 9 + t] = point[n * 6 + c]! * deep[c * 9 + t]!;
  const m = conv(s, 2, w);
  const done = replaced(m, { block: 'depthwise-separable' });
  const feeds = randomFeeds(m);
  expect(maxError(await runModel(runtime, m, feeds), await runModel(runtime, done.model, feeds))).toBeLessThan(1e-5);
  expect(done.steps[0]?.findings()[0]?.en).toMatch(/starts 0\.0\d* % away/);
});

it('more room inside brings the start nearer', () => {
  for (const block of ['bottleneck', 'residual', 'dense', 'factorised', 'fire']) {
    const m = conv({ inputs: 8, outputs: 8, kernel: 3, stride: 1, dilation: 1, bias: false }, 4);
    const layer = convLayer({ model: m, facts: inferFacts(m) }, m.graph.nodes[0]!);
    if (typeof layer === 'string') throw new Error(layer);
    const kind = blockKinds.find((k) => k.id === block)!;
    const errors = [0.25, 0.5, 1].map((ratio) => {
      const w = new BlockWriter(new GraphEdit(m.graph), layer, 'none');
      return relativeError(
        toNumbers(m.graph.initializers[0]!),
        kind.write(w, { ratio, expansion: 1, groups: 2, multiplier: 1 })?.() ?? [],
      );
    });
    expect(errors[1]!).toBeLessThan(errors[0]!);
    expect(errors[2]!).toBeLessThan(errors[1]! + 1e-9);
  }
});

/** Pictures of noise, without labels. */
const noise: Dataset = {
  info: {
    id: 'noise',
    source: 'made by the test',
    labelled: false,
    classes: [],
    sample: { kind: 'image', height: 8, width: 8, channels: 3 },
    counts: { train: 128, validation: 32, test: 0 },
    splitRule: 'none',
  },
  read: async (split, indices) =>
    indices.map((i) => {
      const random = rng(9).fork(`${split} ${i}`);
      return { values: Float32Array.from({ length: 192 }, () => random.next() * 255), label: null };
    }),
};

it('reconstruction, without labels, brings what a block gives nearer to what its layer gave', async () => {
  const m = nets.plain?.() as Model;
  const run = async (reconstruct: number): Promise<Model> => {
    const params = { block: 'depthwise-separable', reconstruct };
    const recipe = parseRecipe({ bantam: 1, steps: [{ technique: 'replace-block', select: { op: 'Conv' }, params }] });
    const done = await runRecipe(m, recipe, {
      cancel: neverCancelled,
      progress: () => {},
      log: () => {},
      train: (model, settings, context) =>
        trainModel({
          runtime,
          clock: { now: () => performance.now() },
          model,
          dataset: noise,
          settings: { ...settings, batch: 16 },
          seed: context.seed,
          teacher: m,
        }),
    });
    return done.model;
  };
  const distance = async (b: Model): Promise<number> => {
    let sum = 0;
    for (const seed of [1, 2, 3, 4]) {
      const feeds = randomFeeds(m, seed);
      const data = Float32Array.from(feeds.x?.data as Float32Array, (v) => (Math.abs(v) % 1) as number);
      const fed = { x: { type: 'float' as const, dims: feeds.x?.dims ?? [], data } };
      const [want, got] = [await runModel(runtime, m, fed), await runModel(runtime, b, fed)];
      sum += relativeError(want.y?.data as Float32Array, got.y?.data as Float32Array);
    }
    return sum / 4;
  };
  expect(await distance(await run(60))).toBeLessThan(0.7 * (await distance(await run(0))));
});

it('says why a layer stays', () => {
  const reason = (s: Shape, params: Readonly<Record<string, string | number>>): string => {
    try {
      replaced(conv(s, 1), params);
      return '';
    } catch (thrown) {
      return String((thrown as { hint?: string }).hint);
    }
  };
  const s = { inputs: 4, outputs: 6, kernel: 3, stride: 2, dilation: 1, bias: false };
  expect(reason(s, { block: 'dense' })).toContain('strides');
  expect(reason({ ...s, stride: 1 }, { block: 'shuffle-v2' })).toContain('as many output as input channels');
  expect(reason(s, { block: 'shuffle', groups: 3 })).toContain('do not divide into 3 groups');
  expect(reason({ ...s, kernel: 1 }, { block: 'bottleneck' })).toContain('1x1');
});
