/**
 * Owns the reconstruction of layers whose input lost channels (He, Zhang, Sun 2017, eq. 3): weights and bias refitted by least
 * squares so that the layer gives what the original gave, one layer after the other, each on the inputs that the pruned and
 * refitted layers before it make.
 */
import type { ChannelGroups } from '../analysis/channel-groups.ts';
import type { EvidenceRequest, LayerRows } from '../analysis/evidence.ts';
import { leastSquares } from '../analysis/least-squares.ts';
import { Fault } from '../base/fault.ts';
import { lazy } from '../base/lazy.ts';
import { text } from '../base/text.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { packNumbers, toFloat32 } from '../ir/values.ts';
import { type Reader, readersOf } from './channel-readers.ts';
import { evidenceOf, type StepContext } from './declare.ts';
import { keptAlong, type Removal, sliceChannels } from './slice-channels.ts';

export interface Refit {
  readonly reader: Reader;
  /** Outputs that stay; undefined: all. */
  readonly outputs: (() => ArrayLike<number>) | undefined;
}

/** Layers to refit, in graph order: those that read what goes. */
export function refits(
  c: Pick<StepContext, 'model' | 'facts'>,
  groups: ChannelGroups,
  removals: readonly Removal[],
): readonly Refit[] {
  const { order } = graphIndex(c.model.graph);
  const found = new Map<string, Reader>();
  for (const { group, count } of removals)
    if (count > 0) for (const r of readersOf(c.model, c.facts, groups, group)) found.set(r.node.id, r);
  return order.flatMap((node) => {
    const reader = found.get(node.id);
    if (reader === undefined) return [];
    const value = node.outputs[0] ?? '';
    const rank = c.facts.get(value)?.shape?.length ?? 2;
    const axis = node.op === 'Conv' ? 1 : rank - 1;
    return [{ reader, outputs: keptAlong(groups, removals, { value, axis }) }];
  });
}

/** Rows a reader is fitted on: a few for every unknown, within what all of them together may take of memory. */
export function rowsFor(readers: readonly Reader[], reader: Reader): number {
  const numbers = 80e6 / Math.max(1, readers.length);
  const each = reader.channels * reader.cells + reader.width;
  return Math.round(Math.max(200, Math.min(4000, Math.max(600, 2 * reader.channels * reader.cells), numbers / each)));
}

interface Solved {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** The bias that a node alone adds, as a float initializer. */
function ownBias(model: Model, name: string): Tensor | undefined {
  const index = graphIndex(model.graph);
  const tensor = index.initializer.get(name);
  return tensor?.type === 'float' && index.uses.get(name)?.length === 1 && tensor.dims.length === 1
    ? tensor
    : undefined;
}

/** Sliced weight as [columns, width], with the bias as a last row; and back. */
function solve(
  reader: Reader,
  weight: Tensor,
  bias: Tensor | undefined,
  now: LayerRows,
  was: LayerRows,
  kept: ArrayLike<number>,
): Solved {
  if (now.rows !== was.rows)
    throw new Fault('internal', text('rows of two models do not match', '두 모델의 행이 맞지 않습니다'), {
      where: reader.node.id,
    });
  const { rows, columns } = now;
  const width = kept.length;
  const fitsBias = bias !== undefined;
  const wide = columns + (fitsBias ? 1 : 0);
  const w = toFloat32(weight);
  const b = bias === undefined ? undefined : toFloat32(bias);
  const rowMajor = reader.at(1, 0, 0) !== 1;
  const start = new Float64Array(wide * width);
  for (let i = 0; i < columns; i++)
    for (let o = 0; o < width; o++) start[i * width + o] = w[rowMajor ? o * columns + i : i * width + o] ?? 0;
  if (b !== undefined) for (let o = 0; o < width; o++) start[columns * width + o] = b[o] ?? 0;
  const inputs = new Float32Array(rows * wide).fill(1);
  const outputs = new Float32Array(rows * width);
  // Without a bias of its own, what the layer adds all the same (a shared one) is not fitted but taken off.
  for (let r = 0; r < rows; r++) {
    inputs.set(now.inputs.subarray(r * columns, (r + 1) * columns), r * wide);
    for (let o = 0; o < width; o++) outputs[r * width + o] = was.outputs[r * was.width + (kept[o] ?? 0)] ?? 0;
  }
  const fitted = leastSquares({ rows, inputs, columns: wide, outputs, width }, start);
  const out = new Float64Array(columns * width);
  for (let i = 0; i < columns; i++)
    for (let o = 0; o < width; o++) out[rowMajor ? o * columns + i : i * width + o] = fitted[i * width + o] ?? 0;
  return { weight: out, bias: fitted.slice(columns * width, columns * width + (fitsBias ? width : 0)) };
}

/**
 * The sliced model with the first `count` of `layers` refitted, lazily. `original`: the round whose rows show the unpruned outputs;
 * `first`: the round that saw the first layer's pruned inputs.
 */
export function refitted(
  c: StepContext,
  groups: ChannelGroups,
  removals: readonly Removal[],
  layers: readonly Refit[],
  count: number,
  rounds: { readonly original: number; readonly first: number },
): Model {
  const sliced = sliceChannels(c.model, c.facts, groups, removals);
  const edit = new GraphEdit(sliced.graph);
  const index = graphIndex(sliced.graph);
  layers.slice(0, count).forEach(({ reader, outputs }, k) => {
    const weight = index.initializer.get(reader.weight.name);
    if (weight === undefined) return;
    const scaled =
      reader.node.op === 'Gemm' && reader.node.attributes.some((a) => a.name === 'alpha' || a.name === 'beta');
    const bias = scaled ? undefined : ownBias(sliced, reader.node.inputs[2] ?? '');
    // A bias that cannot be fitted here: the layer stays as it was sliced.
    if (scaled || (bias === undefined && (reader.node.inputs[2] ?? '') !== '')) return;
    const solved = lazy(() => {
      const id = reader.node.id;
      const now = evidenceOf(c, rounds.first + k).rows(id);
      const was = evidenceOf(c, rounds.original).rows(id);
      const all = Array.from({ length: was.width }, (_, o) => o);
      return solve(reader, weight, bias, now, was, outputs?.() ?? all);
    });
    edit.setInitializer(lazyTensor(weight.name, 'float', weight.dims, () => packNumbers('float', solved().weight)));
    if (bias !== undefined)
      edit.setInitializer(lazyTensor(bias.name, 'float', bias.dims, () => packNumbers('float', solved().bias)));
  });
  return { ...sliced, graph: edit.done() };
}

/** What round `first + k` asks: the inputs of layer k behind those refitted before it. */
export function refitRequest(
  c: StepContext,
  groups: ChannelGroups,
  removals: readonly Removal[],
  layers: readonly Refit[],
  k: number,
  samples: number,
  rounds: { readonly original: number; readonly first: number },
): EvidenceRequest | undefined {
  const layer = layers[k];
  if (layer === undefined) return undefined;
  const readers = layers.map((l) => l.reader);
  return {
    samples,
    model: refitted(c, groups, removals, layers, k, rounds),
    rows: [{ node: layer.reader.node.id, rows: rowsFor(readers, layer.reader) }],
  };
}
