/** replace-block in the place of runs: which stretches a block can stand for, and that what stands there is kept in shape and counted. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { neverCancelled } from '../base/cancel.ts';
import { relativeError } from '../base/low-rank.ts';
import { attr } from '../ir/attribute.ts';
import type { Model, Node } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { runRecipe } from '../recipes/run-recipe.ts';
import { model as graph, node, randomTensor, value } from '../testing/build.ts';
import { randomFeeds, runModel } from '../testing/feeds.ts';
import { randomSource } from '../testing/run-technique.ts';
import { gatherEvidence } from '../training/gather-evidence.ts';
import { buildFromZoo } from '../zoo/index.ts';
import { blockKinds } from './blocks/index.ts';

const runtime = nodeRuntime(1);
type Params = Readonly<Record<string, string | number>>;
const recipeOf = (names: readonly string[], params: Params) =>
  parseRecipe({
    bantam: 1,
    steps: [{ technique: 'replace-block', select: { names: [...names] }, params: { span: 'run', ...params } }],
  });
const previewed = (m: Model, names: readonly string[], params: Params) => previewRecipe(m, recipeOf(names, params));

const applied = (m: Model, names: readonly string[], params: Params) =>
  runRecipe(m, recipeOf(names, params), {
    cancel: neverCancelled,
    progress: () => {},
    log: () => {},
    evidence: (model, request) =>
      gatherEvidence({ runtime, model, request, source: randomSource(), seed: 1, cancel: neverCancelled }),
  });

const resnet = (): Model => buildFromZoo('resnet-8-digits');
const inBlock = (m: Model, k: number): readonly string[] =>
  m.graph.nodes.flatMap((n) => (n.name.startsWith(`block${k}.`) ? [n.name] : []));
const valueAfter = (m: Model, name: string): string => m.graph.nodes.find((n) => n.name === name)?.outputs[0] ?? '';

it.each(blockKinds.map((k) => k.id))(
  '%s takes the place of a residual block: same shape, counted to the byte',
  async (block) => {
    const m = resnet();
    for (const k of [1, 2]) {
      const names = inBlock(m, k);
      const params = { block, activation: 'relu' };
      if (k === 2 && block === 'dense') {
        expect(() => previewed(m, names, params)).toThrow(/fits nothing/);
        continue;
      }
      const done = previewed(m, names, params);
      const end = valueAfter(m, `block${k}.out`);
      const [was, is] = [inferFacts(m).get(end)?.shape, inferFacts(done.model).get(end)?.shape];
      expect(is).toEqual(was);
      // The last activation stays, all else of the block is gone.
      const left = done.model.graph.nodes.filter((n) => names.includes(n.name)).map((n) => n.name);
      expect(left).toEqual([`block${k}.out`]);
      expect(done.figures.parameters).toBeLessThan(done.before.parameters);
      const file = readModel(writeModel(done.model));
      expect(measureFigures(file)).toEqual(done.figures);
      const feeds = randomFeeds(file);
      const [out, before] = [await runModel(runtime, file, feeds), await runModel(runtime, m, feeds)];
      for (const [name, tensor] of Object.entries(before)) {
        expect(out[name]?.dims).toEqual(tensor.dims);
        expect(Array.from(out[name]?.data as Float32Array).every(Number.isFinite)).toBe(true);
      }
    }
  },
);

const side = 12;
const conv = (k: number, x: string, y: string, kernel: number, stride: number): Node => {
  const half = (kernel - 1) / 2;
  const attributes = [attr.ints('pads', [half, half, half, half]), attr.ints('strides', [stride, stride])];
  return node('Conv', [x, `w${k}`, `b${k}`], [y], attributes);
};

/** x [1,4,12,12] -> convolutions of these kernels and strides, an activation behind each but the last -> y. */
function chain(
  layers: readonly { readonly kernel: number; readonly stride: number }[],
  bend: string | undefined,
): Model {
  const nodes = layers.flatMap(({ kernel, stride }, k): readonly Node[] => {
    const last = k === layers.length - 1;
    const from = k === 0 ? 'x' : bend === undefined ? `c${k - 1}` : `r${k - 1}`;
    const made = conv(k, from, last ? 'y' : `c${k}`, kernel, stride);
    return last || bend === undefined ? [made] : [made, node(bend, [`c${k}`], [`r${k}`])];
  });
  const to = layers.reduce((size, l) => Math.ceil(size / l.stride), side);
  return graph({
    nodes,
    inputs: [value('x', [1, 4, side, side])],
    outputs: [value('y', [1, 4, to, to])],
    initializers: layers.flatMap(({ kernel }, k) => [
      randomTensor(`w${k}`, [4, 4, kernel, kernel], k + 1),
      randomTensor(`b${k}`, [4], k + 50),
    ]),
  });
}

const scales = numbersTensor('s', 'float', [4], [1, 1, 2, 2]);
const all = (m: Model): readonly string[] => m.graph.nodes.map((n) => n.id);

it('keeps the size of any chain, whatever its strides', () => {
  const layer = fc.record({ kernel: fc.constantFrom(1, 3, 5), stride: fc.constantFrom(1, 2) });
  fc.assert(
    fc.property(fc.array(layer, { minLength: 2, maxLength: 4 }), fc.constantFrom('Relu', undefined), (layers, bend) => {
      const m = chain(layers, bend);
      if (layers.reduce((s, l) => s * l.stride, 1) > 8) return;
      const done = previewed(m, all(m), { block: 'inverted-residual' });
      expect(inferFacts(done.model).get('y')?.shape).toEqual(inferFacts(m).get('y')?.shape);
      expect(done.model.graph.nodes.every((n) => !all(m).includes(n.id))).toBe(true);
    }),
    { numRuns: 25 },
  );
});

it('finds the one convolution that a run of them is, from samples', async () => {
  const m = chain(
    [
      { kernel: 3, stride: 2 },
      { kernel: 1, stride: 1 },
    ],
    undefined,
  );
  // Nine filters a channel are any 3x3 kernel: what is left is what the samples did not tell.
  const done = await applied(m, all(m), {
    block: 'depthwise-separable',
    multiplier: 9,
    fit: 'activations',
    samples: 128,
  });
  const feeds = randomFeeds(m, 77);
  const [want, got] = [await runModel(runtime, m, feeds), await runModel(runtime, done.model, feeds)];
  expect(relativeError(want.y?.data as Float32Array, got.y?.data as Float32Array)).toBeLessThan(0.01);
  const said = done.steps[0]?.notes.map((n) => n.en).find((n) => n.includes('in place of the run')) ?? '';
  expect(Number(/([\d.]+) %/.exec(said)?.[1])).toBeLessThan(1);
});

it('a run that bends is met as far as one convolution can, and the block is told from it', async () => {
  const m = chain(
    [
      { kernel: 3, stride: 1 },
      { kernel: 3, stride: 1 },
    ],
    'Relu',
  );
  const distance = async (params: Params): Promise<number> => {
    const done = await applied(m, all(m), { block: 'bottleneck', ratio: 1, ...params });
    const feeds = randomFeeds(m, 78);
    const [want, got] = [await runModel(runtime, m, feeds), await runModel(runtime, done.model, feeds)];
    return relativeError(want.y?.data as Float32Array, got.y?.data as Float32Array);
  };
  const [seeded, fitted] = [await distance({}), await distance({ fit: 'activations', samples: 128 })];
  expect(fitted).toBeLessThan(0.8);
  expect(fitted).toBeLessThan(0.7 * seeded);
});

it('says why a selection is no run', () => {
  const reason = (m: Model, names: readonly string[]): string => {
    try {
      previewed(m, names, { block: 'bottleneck' });
      return '';
    } catch (thrown) {
      return String((thrown as { hint?: string }).hint);
    }
  };
  const m = resnet();
  const twoEnter = ['block2.conv2', 'block2.conv2.norm', 'block2.shortcut', 'block2.shortcut.norm', 'block2.sum'];
  expect(reason(m, twoEnter)).toMatch(/stand alone/);
  expect(reason(m, ['block1.conv1.norm', 'block1.relu1'])).toMatch(/no layer with a kernel/i);
  const up = graph({
    nodes: [node('Resize', ['x', '', 's'], ['r']), conv(0, 'r', 'y', 3, 1)],
    inputs: [value('x', [1, 4, side, side])],
    outputs: [value('y', [1, 4, 2 * side, 2 * side])],
    initializers: [randomTensor('w0', [4, 4, 3, 3], 1), randomTensor('b0', [4], 2), scales],
  });
  expect(reason(up, all(up))).toMatch(/12x12 into 24x24/);
});
