/** Faults that people reported of other tools, shown through whole recipes: in code, and on the files that they came from. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { channelGroups } from '../analysis/channel-groups.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { faultLine, toFault } from '../base/fault.ts';
import { attr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { removeDead } from '../transforms/tidy.ts';
import { model, node, randomTensor, value } from './build.ts';
import { corpusFolder, corpusPath } from './corpus.ts';
import { checkLaw } from './laws.ts';
import { leNetLike, nets } from './nets.ts';

const runtime = nodeRuntime(1);
const file = (name: string): Model => openModelFile(corpusPath(name));
const preview = (m: Model, technique: string, params: object, select: object = { all: true }) =>
  previewRecipe(m, parseRecipe({ bantam: 1, steps: [{ technique, params, select }] }));
const channels = (m: Model, id: string): number | undefined =>
  graphIndex(m.graph).initializer.get(graphIndex(m.graph).order.find((n) => n.id === id)?.inputs[1] ?? '')?.dims[0];

/** Presses "prune 50 %" ten times on one layer, each time on the file that the last press wrote. */
async function tenPresses(start: Model, id: string): Promise<void> {
  let m = start;
  let said = '';
  for (let press = 0; press < 10; press++) {
    const width = channels(m, id) ?? 0;
    try {
      const done = preview(m, 'prune-channels', { ratio: 0.5 }, { names: [id] });
      said = done.steps[0]?.notes.map((n) => n.en).join(' ') ?? '';
      m = readModel(writeModel(done.model));
    } catch (thrown) {
      // A press that can take nothing more may say so, and changes nothing.
      said = faultLine(toFault(thrown));
      expect(width).toBe(1);
    }
    expect(channels(m, id)).toBe(Math.max(1, width - Math.round(width / 2)));
  }
  expect(channels(m, id)).toBe(1);
  expect(said).toMatch(/only one channel is left/i);
  const law = await checkLaw('prune-weights', m, { ratio: 0.1 }, { runtime });
  expect(law.broken).toEqual([]);
}

describe('in code', () => {
  it('S01: "prune 50 %" ten times on one layer leaves one channel, says why, and the file runs', async () => {
    await tenPresses(leNetLike(), 'c1');
  });

  it('S14: a step that adds initializers to an IR 3 file gives a file that loads and runs', async () => {
    const old = nets.leNetOfIr3?.() ?? leNetLike();
    expect(old.irVersion).toBe(3);
    for (const mode of ['dynamic', 'weight-only']) {
      const law = await checkLaw('quantize', old, { mode }, { runtime });
      expect(law.broken).toEqual([]);
      const { irVersion, graph } = readModel(law.bytes);
      const inputs = new Set(graph.inputs.map((i) => i.name));
      expect(irVersion >= 4 || graph.initializers.every((t) => inputs.has(t.name))).toBe(true);
    }
  });

  it('S15: nodes that a file has out of order are in order after a step', async () => {
    const { graph, ...rest } = leNetLike();
    const unsorted = { ...rest, graph: { ...graph, nodes: [...graph.nodes].reverse() } };
    for (const [technique, params] of [
      ['prune-channels', { ratio: 0.5 }],
      ['quantize', { mode: 'dynamic' }],
    ] as const) {
      const done = preview(unsorted, technique, params);
      const session = await runtime.open({ bytes: writeModel(done.model) });
      await session.release();
      expect(graphIndex(done.model.graph).order).toHaveLength(done.model.graph.nodes.length);
    }
  });

  it('S25: a chain of 10,000 convolutions is read, measured, grouped, pruned, converted and written without recursion', () => {
    const depth = 10_000;
    const chain = model({
      nodes: Array.from({ length: depth }, (_, i) =>
        node('Conv', [i === 0 ? 'x' : `v${i - 1}`, i === 0 ? 'first' : 'w'], [i === depth - 1 ? 'y' : `v${i}`]),
      ),
      inputs: [value('x', [1, 3, 4, 4])],
      outputs: [value('y', null)],
      initializers: [randomTensor('first', [4, 3, 1, 1]), randomTensor('w', [4, 4, 1, 1])],
    });
    const back = readModel(writeModel(chain));
    expect(graphIndex(back.graph).order).toHaveLength(depth);
    const facts = inferFacts(back);
    expect(facts.get('y')?.shape).toEqual([1, 4, 4, 4]);
    expect(measureFigures(back).macs).toBe(16 * (12 + (depth - 1) * 16));
    expect(channelGroups(back, facts).groups.length).toBeGreaterThan(0);
    expect(removeDead(back).model.graph.nodes).toHaveLength(depth);
    expect(convertOpset(back, 18).graph.nodes).toHaveLength(depth);
    const done = preview(back, 'prune-weights', { ratio: 0.5 });
    expect(readModel(writeModel(done.model)).graph.nodes.length).toBeGreaterThanOrEqual(depth);
  }, 120_000);

  it('S26: extreme integers of a node come through a whole recipe bit-exact', () => {
    const { graph, ...rest } = leNetLike();
    const ints = [-1n, -2n, 2n ** 63n - 1n, -(2n ** 63n)];
    const odd = node('Odd', ['y'], ['z'], [attr.ints('ends', ints)], { domain: 'acme' });
    const whole = { ...rest, graph: { ...graph, nodes: [...graph.nodes, odd], outputs: [value('z', null)] } };
    const done = readModel(writeModel(preview(whole, 'prune-channels', { ratio: 0.5 }).model));
    expect(done.graph.nodes.find((n) => n.op === 'Odd')?.attributes[0]?.value).toEqual(ints);
  });
});

describe.skipIf(corpusFolder === undefined)('on real files', () => {
  it('S01: ten presses on cifar10-resnet4b', async () => {
    const m = file('2-classifier/cifar10-resnet4b.onnx');
    const [conv] = graphIndex(m.graph).order.filter((n) => n.op === 'Conv');
    await tenPresses(m, conv?.id ?? '');
  });

  it.each(['1-light/light_densenet121.onnx', '2-classifier/cifar10-resnet4b.onnx'])(
    'S07: live figures of %s after each move of the slider are those of the written file',
    (name) => {
      const m = file(name);
      for (const ratio of [0.1, 0.7, 0.4]) {
        const live = preview(m, 'prune-channels', { ratio });
        expect(live.figures).toEqual(measureFigures(readModel(writeModel(live.model))));
        expect(live.figures.macs).toBeLessThan(live.before.macs ?? 0);
      }
    },
    120_000,
  );

  it('S14, S19: mnist-8-cntk (IR 3, bias [1, 10]) is quantized, loads and runs', async () => {
    const law = await checkLaw('quantize', file('2-classifier/mnist-8-cntk.onnx'), { mode: 'dynamic' }, { runtime });
    expect(law.broken).toEqual([]);
  });

  it('S15, S17: pytorch16-gpt2-past, unsorted as found: each weight is held once, and the file loads', async () => {
    const m = file('3-exporter/pytorch16-gpt2-past.onnx');
    const done = preview(m, 'quantize', { mode: 'dynamic' });
    const weights = graphIndex(m.graph).order.flatMap((n) => (n.op === 'Gemm' ? [n.inputs[1] ?? ''] : []));
    const left = new Set(done.model.graph.initializers.map((t) => t.name));
    expect(weights.filter((w) => left.has(w))).toEqual([]);
    const stored = done.model.graph.initializers.filter((t) => /^u?int8$/.test(t.type) && t.dims.length === 2);
    expect(stored).toHaveLength(new Set(weights).size);
    const session = await runtime.open({ bytes: writeModel(done.model) });
    await session.release();
  });

  it('S20: resnet-basic-block, 64 of its filters all zero, stays finite', async () => {
    const m = file('3-exporter/resnet-basic-block.onnx');
    for (const mode of ['dynamic', 'weight-only']) {
      const law = await checkLaw('quantize', m, { mode }, { runtime });
      expect(law.broken).toEqual([]);
      for (const t of Object.values(law.outputs ?? {}))
        for (const x of t.data) if (!Number.isFinite(Number(x))) throw new Error(`${mode}: ${x}`);
    }
  });

  it('S26: slice-int64-max comes back with the same bytes', () => {
    const m = file('5-edge/slice-int64-max.onnx');
    const max = 2n ** 63n - 1n;
    const back = readModel(writeModel(m));
    const constants = (g: Model) =>
      JSON.stringify(
        g.graph.nodes.map((n) => n.attributes),
        (_, v) => (typeof v === 'bigint' ? `${v}n` : v),
      );
    expect(constants(back)).toBe(constants(m));
    const held = [...m.graph.initializers, ...graphIndex(m.graph).initializer.values()].flatMap((t) =>
      t.type === 'int64' ? [...new BigInt64Array(Uint8Array.from(t.bytes()).buffer)] : [],
    );
    expect(held.includes(max) || constants(m).includes(`${max}n`)).toBe(true);
  });
});
