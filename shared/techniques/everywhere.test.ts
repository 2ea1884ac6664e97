/** Techniques reach the nodes inside branches: the law holds there, and a recipe names them by their path. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { innerGraphs } from '../analysis/inner-graphs.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { attr } from '../ir/attribute.ts';
import type { Graph, Model } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds } from '../ports/runtime.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe, type Select } from '../recipes/recipe.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusBytes, corpusEntries } from '../testing/corpus.ts';
import { randomFeeds, runModel, sqnrDb } from '../testing/feeds.ts';

const pads = attr.ints('pads', [1, 1, 1, 1]);

/** x -> Conv -> Relu -> Conv, its weights in Constant nodes, as exporters leave them in a branch. */
function branch(prefix: string, seed: number): Graph {
  const held = (name: string, dims: readonly number[], k: number) =>
    node('Constant', [], [`${prefix}${name}`], [attr.tensor('value', randomTensor('', dims, seed + k, 0.3))]);
  return {
    name: prefix,
    inputs: [],
    outputs: [value(`${prefix}y`, [1, 4, 8, 8])],
    initializers: [],
    sparseInitializers: [],
    valueInfos: [],
    nodes: [
      held('v', [16, 4, 3, 3], 1),
      held('w', [4, 16, 3, 3], 2),
      node('Conv', ['h', `${prefix}v`], [`${prefix}c`], [pads]),
      node('Relu', [`${prefix}c`], [`${prefix}r`]),
      node('Conv', [`${prefix}r`, `${prefix}w`], [`${prefix}y`], [pads]),
    ],
  };
}

const branching = (): Model =>
  model({
    opset: 21,
    inputs: [value('x', [1, 3, 8, 8]), { name: 'which', type: { kind: 'tensor', elem: 'bool', shape: [] } }],
    outputs: [value('y', [1, 4, 8, 8])],
    initializers: [randomTensor('u', [4, 3, 3, 3])],
    nodes: [
      node('Conv', ['x', 'u'], ['h'], [pads]),
      node(
        'If',
        ['which'],
        ['y'],
        [attr.graph('then_branch', branch('a_', 5)), attr.graph('else_branch', branch('b_', 9))],
      ),
    ],
  });

const feedsOf = (which: boolean): Feeds => ({
  ...randomFeeds(branching()),
  which: { type: 'bool', dims: [], data: Uint8Array.of(which ? 1 : 0) },
});
const runtime = nodeRuntime(1);

function previewed(m: Model, technique: string, params: Readonly<Record<string, unknown>>, select: Select) {
  const preview = previewRecipe(m, parseRecipe({ bantam: 1, steps: [{ technique, select, params }] }));
  const bytes = writeModel(preview.model);
  expect(preview.figures.fileBytes).toBe(bytes.length);
  const back = readModel(bytes);
  const after = measureFigures(back);
  expect([after.parameters, after.macs]).toEqual([preview.figures.parameters, preview.figures.macs]);
  return { preview, back, taken: preview.steps[0]?.layers.filter((l) => l.taken).map((l) => l.id) ?? [] };
}

const all: Select = { all: true };

describe('inside the branches of an If', () => {
  it.each([
    ['quantize', { mode: 'weight-only' }, 30],
    ['quantize', { mode: 'weight-only', bits: 4 }, 10],
    ['quantize', { mode: 'dynamic' }, 25],
    ['prune-weights', { ratio: 0.1 }, 10],
  ] as const)('%s %j keeps the law in either branch', async (technique, params, least) => {
    const m = branching();
    const { back, taken } = previewed(m, technique, params, all);
    expect(taken).toContain('y/then_branch/a_c');
    expect(taken).toHaveLength(5);
    for (const which of [true, false]) {
      const was = await runModel(runtime, m, feedsOf(which));
      const is = await runModel(runtime, back, feedsOf(which));
      expect(sqnrDb(was.y!, is.y!)).toBeGreaterThan(least);
    }
  });
  it('prune-channels removes channels that live and die inside', async () => {
    const { preview, back } = previewed(branching(), 'prune-channels', { ratio: 0.5 }, all);
    expect(preview.figures.macs).toBeLessThan(preview.before.macs ?? 0);
    for (const which of [true, false])
      expect((await runModel(runtime, back, feedsOf(which))).y?.dims).toEqual([1, 4, 8, 8]);
  });
  it('names inner nodes by their path, their graph or the node that holds them', () => {
    const chosen = (select: Select): readonly string[] =>
      previewed(branching(), 'quantize', { mode: 'weight-only' }, select).taken;
    expect(chosen({ names: ['y/else_branch/b_y'] })).toEqual(['y/else_branch/b_y']);
    expect(chosen({ names: ['y/then_branch'] })).toEqual(['y/then_branch/a_c', 'y/then_branch/a_y']);
    expect(chosen({ names: ['y'] })).toHaveLength(4);
    expect(chosen({ op: 'conv' })).toHaveLength(5);
    expect(() => chosen({ names: ['y/then_branch/nothing'] })).toThrow('the model has no layer');
  });
});

it('stores float16 weights in 8 bits, decoded to float16', async () => {
  const half = attr.int('to', 10);
  const m = model({
    opset: 13,
    inputs: [value('x', [1, 3, 8, 8])],
    outputs: [value('y', [1, 4, 8, 8])],
    initializers: [{ ...randomTensor('w32', [4, 3, 3, 3]), name: 'w32' }],
    nodes: [
      node('Cast', ['w32'], ['w'], [half]),
      node('Cast', ['x'], ['h'], [half]),
      node('Conv', ['h', 'w'], ['c'], [pads]),
      node('Cast', ['c'], ['y'], [attr.int('to', 1)]),
    ],
  });
  const was = await runModel(runtime, m, randomFeeds(m));
  for (const mode of ['static', 'dynamic', 'weight-only']) {
    const { back, taken } = previewed(m, 'quantize', { mode }, all);
    expect(taken).toEqual(['c']);
    expect(sqnrDb(was.y!, (await runModel(runtime, back, randomFeeds(m))).y!)).toBeGreaterThan(30);
  }
});

it.runIf(corpusEntries.length > 0)('finds the graphs of a real net: silero-vad-v5', () => {
  const m = readModel(corpusBytes('4-rnn/silero-vad-v5.onnx'));
  const inner = innerGraphs(m, { inputs: { input: [1, 512], state: [2, 1, 128] } });
  expect(inner.length).toBeGreaterThan(20);
  expect(new Set(inner.map((i) => i.path)).size).toBe(inner.length);
});
