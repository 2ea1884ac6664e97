/** Inferred shapes and types against the runtime's own, for every value of every corpus file that runs. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { rng } from '../base/random.ts';
import { type ElementType, elementCount, elementTypes } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Dim, Model } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toTyped } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import type { Facts } from '../ops/declare.ts';
import type { Feeds } from '../ports/runtime.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import type { ShapeChoice } from './figures.ts';
import { inferFacts } from './infer-facts.ts';

const runtime = nodeRuntime(1);

/** Sizes for symbols that are no batch, where 1 would not do. */
const sizes: Readonly<Record<string, number>> = {
  'p2o.DynamicDimension.1': 48,
  'p2o.DynamicDimension.2': 96,
  unk__32: 5,
  unk__33: 7,
  Sequence: 4,
  seq_len: 3,
};

/** Types that cross the runtime's JavaScript interface. */
const crossing: ReadonlySet<ElementType | null> = new Set<ElementType>([
  'float',
  'double',
  'float16',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
]);

const sizeFor = (d: Dim): number => (typeof d === 'number' ? d : d === null ? 1 : (sizes[d] ?? 1));

/** Every required input, all its dimensions set. */
function chosen(model: Model): ShapeChoice {
  const inputs: Record<string, readonly number[]> = {};
  for (const { name, type } of graphIndex(model.graph).requiredInputs)
    if (type.kind === 'tensor' && type.shape !== null) inputs[name] = type.shape.map(sizeFor);
  return { inputs };
}

function feedsFor(model: Model, choice: ShapeChoice): Feeds {
  const feeds: Record<string, Feeds[string]> = {};
  for (const { name, type } of graphIndex(model.graph).requiredInputs) {
    if (type.kind !== 'tensor') continue;
    const elem = type.elem ?? 'float';
    const dims = choice.inputs[name] ?? [];
    const random = rng(3).fork(name);
    const draw = (): number => (elementTypes[elem].family === 'float' ? random.next() : 1);
    if (elem === 'string')
      feeds[name] = { type: elem, dims, data: Array.from({ length: elementCount(dims) }, () => 'a') };
    else {
      const t = numbersTensor(name, elem, dims, Array.from({ length: elementCount(dims) }, draw));
      feeds[name] = { type: elem, dims, data: toTyped(t) };
    }
  }
  return feeds;
}

/** External data moved inside, so that bytes alone load. */
const inlined = (t: Tensor): Tensor => (t.storage.kind === 'external' ? { ...t, storage: { kind: 'raw' } } : t);

/** The values of the main graph that can be fetched, as extra outputs. */
function tapped(
  model: Model,
  facts: ReadonlyMap<string, Facts>,
): { readonly model: Model; readonly values: readonly string[] } {
  const declared = new Set(model.graph.outputs.map((o) => o.name));
  const made = model.graph.nodes.flatMap((n) => n.outputs).filter((name) => name !== '');
  const values = made.filter((name) => {
    const f = facts.get(name);
    return f?.other === undefined && (f?.elem === null || crossing.has(f?.elem ?? null));
  });
  const initializers = model.graph.initializers.map(inlined);
  const extra = values.filter((v) => !declared.has(v)).map((name) => ({ name, type: { kind: 'unknown' } as const }));
  return {
    model: { ...model, graph: { ...model.graph, initializers, outputs: [...model.graph.outputs, ...extra] } },
    values,
  };
}

/** Ours agrees where it says something; where it says nothing, that is counted. */
function difference(name: string, ours: Facts | undefined, type: ElementType, dims: readonly number[]): string[] {
  const said = `${ours?.elem}[${ours?.shape?.join(',') ?? '?'}]`;
  const wrong =
    (ours?.elem !== null && ours?.elem !== type) ||
    (ours.shape !== null &&
      (ours.shape.length !== dims.length || ours.shape.some((d, i) => typeof d === 'number' && d !== dims[i])));
  return wrong ? [`${name}: ${said}, the runtime ${type}[${dims.join(',')}]`] : [];
}

const isOpen = (f: Facts | undefined): boolean =>
  f === undefined || f.elem === null || f.shape === null || f.shape.some((d) => typeof d !== 'number');

/** Values whose sizes depend on data, or that no rule covers, by file: at most so many stay open. */
const open: Readonly<Record<string, number>> = {
  // A Loop collects one crop per box: as many as the data says.
  '3-exporter/tf2onnx-crop-and-resize-loop.onnx': 2,
};

const runnable = corpusEntries.filter((e) => e.ort_run.startsWith('ok'));

describe.skipIf(runnable.length === 0)('shapes of the corpus', () => {
  it.each(runnable.map((e) => e.file))('%s', async (file) => {
    const model = openModelFile(corpusPath(file));
    const choice = chosen(model);
    const facts = inferFacts(model, choice);
    const taps = tapped(model, facts);
    const session = await runtime.open({ bytes: writeModel(taps.model) }, { optimize: 'none' });
    try {
      const got = await session.run(feedsFor(model, choice), taps.values);
      const wrong = Object.entries(got).flatMap(([name, t]) => difference(name, facts.get(name), t.type, t.dims));
      expect(wrong).toEqual([]);
      const unknown = Object.keys(got).filter((name) => isOpen(facts.get(name)));
      expect(unknown.length, unknown.slice(0, 8).join(', ')).toBeLessThanOrEqual(open[file] ?? 0);
    } finally {
      await session.release();
    }
  });
});
