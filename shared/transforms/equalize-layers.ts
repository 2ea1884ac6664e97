/**
 * Owns cross-layer equalisation (Nagel et al. 2019, section 4.1): neighbouring layers share out their weight ranges, channel by channel, so
 * that one grid fits them all. What the model computes stays: f(s x) = s f(x) for s > 0 where only such nodes stand between.
 */
import { lazy } from '../base/lazy.ts';
import { attribute, floatAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { type GraphIndex, graphIndex, type Use } from '../ir/graph-index.ts';
import { type Dim, type Graph, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { lazyTensor } from '../ir/tensor.ts';
import { packNumbers, toNumbers } from '../ir/values.ts';
import { biasNumbers, biasTensor, type LinearLayer, linearLayer } from './channel-scaling.ts';
import { constantValue } from './constant-values.ts';
import { readBy } from './input-channels.ts';

/** A layer and those that read its channels, all of them. */
interface Pair {
  readonly first: LinearLayer;
  readonly readers: readonly Reader[];
}

interface Reader {
  readonly layer: LinearLayer;
  /** Channel of the first layer that the reader's weight element k meets. */
  channelOf(k: number): number;
}

export interface EqualizeOptions {
  /** Which layers may change. */
  readonly into: (layer: Node) => boolean;
  readonly shape: (value: string) => readonly Dim[] | null | undefined;
}

export interface Equalized {
  readonly model: Model;
  /** Ids of the first layers of the pairs. */
  readonly pairs: readonly string[];
  /** Layers that a clamp from above keeps from their reader: its bound is no multiple of what it bounds. */
  readonly clamped: readonly string[];
}

/** Nodes through which a positive factor of a channel passes unchanged. */
const homogeneous: ReadonlySet<string> = new Set(
  'Relu LeakyRelu PRelu Identity Dropout MaxPool AveragePool GlobalAveragePool GlobalMaxPool'.split(' '),
);

/** Whether a Clip has no bound but 0 from below. */
function plainClip(model: Model, node: Node): boolean {
  const bound = (name: 'min' | 'max', input: number): number | undefined => {
    if ((opsetVersion(model) ?? 0) < 11)
      return attribute(node, name) === undefined ? undefined : floatAttr(node, name, 0);
    const value = node.inputs[input] ?? '';
    if (value === '') return undefined;
    const held = constantValue(model.graph, value);
    return held === undefined ? Number.NaN : toNumbers(held.tensor)[0];
  };
  const [min, max] = [bound('min', 1), bound('max', 2)];
  return (min === undefined || min === 0) && (max === undefined || max > 1e30);
}

type Ending = { readonly readers: readonly Reader[] } | { readonly clamped: true } | undefined;

/** Follows a layer's output to the layers that read it. */
function ending(model: Model, index: GraphIndex, first: LinearLayer, options: EqualizeOptions): Ending {
  const { graph } = model;
  let value = first.node.outputs[0] ?? '';
  // Where the channels stand, and how many neighbouring numbers one channel became behind Flatten.
  const axis = first.node.op === 'MatMul' ? 'last' : 'second';
  let repeat = 1;
  for (;;) {
    const uses: readonly Use[] = index.uses.get(value) ?? [];
    if (uses.length === 0 || index.outputNames.has(value) || uses.some((u) => u.input !== 0)) return undefined;
    const readers = uses.map((u) => readerOf(graph, u.node, first.channels, repeat, axis, options));
    if (readers.every((r) => r !== undefined)) return { readers };
    const [only] = uses;
    if (only === undefined || uses.length > 1 || only.node.domain !== '') return undefined;
    const { node } = only;
    if (node.outputs.slice(1).some((o) => o !== '')) return undefined;
    if (node.op === 'Clip' && !plainClip(model, node)) return { clamped: true };
    const flat = repeat === 1 && axis === 'second' ? flattened(node, options.shape) : undefined;
    if (flat !== undefined) repeat = flat;
    else if (node.op !== 'Clip' && !homogeneous.has(node.op)) return undefined;
    else if (node.op === 'PRelu' && constantValue(graph, node.inputs[1] ?? '') === undefined) return undefined;
    value = node.outputs[0] ?? '';
  }
}

/** How many neighbouring numbers one channel becomes where the node lays [N, C, ...] out as [N, C * ...]. */
function flattened(node: Node, shape: EqualizeOptions['shape']): number | undefined {
  if (node.op !== 'Flatten' && node.op !== 'Reshape' && node.op !== 'Squeeze') return undefined;
  const [from = [], to = []] = [shape(node.inputs[0] ?? ''), shape(node.outputs[0] ?? '')].map((s) => s ?? []);
  const inner = from.slice(1).filter((d): d is number => typeof d === 'number');
  if (from.length < 2 || to.length !== 2 || inner.length !== from.length - 1) return undefined;
  return to[1] === elementCount(inner) ? elementCount(inner.slice(1)) : undefined;
}

function readerOf(
  graph: Graph,
  node: Node,
  channels: number,
  repeat: number,
  axis: 'second' | 'last',
  options: EqualizeOptions,
): Reader | undefined {
  const layer = free(graph, node, options);
  const read = layer === undefined ? undefined : readBy(layer);
  if (layer === undefined || read === undefined || read.channels !== channels * repeat) return undefined;
  const convolution = node.op === 'Conv' || node.op === 'ConvTranspose';
  const matrix = options.shape(node.inputs[0] ?? '')?.length === 2;
  if (convolution ? axis === 'last' || repeat !== 1 : axis === 'second' && !matrix) return undefined;
  return { layer, channelOf: repeat === 1 ? read.channelOf : (k) => Math.floor(read.channelOf(k) / repeat) };
}

/** The node as a layer whose weight nothing else reads. */
function free(graph: Graph, node: Node, options: EqualizeOptions): LinearLayer | undefined {
  if (!options.into(node)) return undefined;
  const layer = linearLayer(graph, node);
  if (layer === undefined || layer.weight.uniform !== undefined) return undefined;
  return graphIndex(graph).uses.get(node.inputs[1] ?? '')?.length === 1 ? layer : undefined;
}

/** The model with the ranges of neighbouring layers shared out. Weights are computed when asked, all pairs at once. */
export function equalizeLayers(model: Model, options: EqualizeOptions): Equalized {
  const { graph } = model;
  const index = graphIndex(graph);
  const pairs: Pair[] = [];
  const clamped: string[] = [];
  for (const node of index.order) {
    const first = free(graph, node, options);
    if (first === undefined) continue;
    const end = ending(model, index, first, options);
    if (end === undefined) continue;
    if ('clamped' in end) clamped.push(node.id);
    else if (end.readers.every((r) => r.layer.node.id !== node.id)) pairs.push({ first, readers: end.readers });
  }
  if (pairs.length === 0) return { model, pairs: [], clamped };
  const solved = lazy(() => solve(pairs));
  const edit = new GraphEdit(graph);
  const changed = new Map<string, Node>();
  const layers = new Map<string, LinearLayer>();
  const firsts = new Set(pairs.map((p) => p.first.node.id));
  for (const { first, readers } of pairs)
    for (const l of [first, ...readers.map((r) => r.layer)]) layers.set(l.node.id, l);
  for (const [id, layer] of layers) {
    const { tensor } = layer.weight;
    const name = edit.unique(`${tensor.name || id}_equalized`);
    edit.setInitializer(
      lazyTensor(name, tensor.type, tensor.dims, () => packNumbers(tensor.type, solved().weights.get(id) ?? [])),
    );
    const inputs = [layer.node.inputs[0] ?? '', name, ...layer.node.inputs.slice(2)];
    let attributes = layer.node.attributes;
    if (layer.bias !== undefined && firsts.has(id)) {
      inputs[2] = edit.unique(`${id}_bias_equalized`);
      edit.setInitializer(
        biasTensor(layer, inputs[2], () => {
          const s = solved().factors.get(id);
          return biasNumbers(layer).map((b, c) => b / (s?.[c] ?? 1));
        }),
      );
      // Gemm's beta is in the bias now.
      attributes = attributes.filter((a) => layer.node.op !== 'Gemm' || a.name !== 'beta');
    }
    changed.set(id, { ...layer.node, inputs, attributes });
  }
  edit.updateNodes(changed);
  edit.removeUnused();
  return { model: { ...model, graph: edit.done() }, pairs: [...firsts], clamped };
}

interface Solved {
  readonly weights: ReadonlyMap<string, Float64Array>;
  /** What the outputs of a first layer were divided by, one number a channel. */
  readonly factors: ReadonlyMap<string, Float64Array>;
}

const mostPasses = 20;

/** Equation 11 pair by pair, s = sqrt(r1 r2) / r2, until nothing moves: a layer stands in two pairs at most. */
function solve(pairs: readonly Pair[]): Solved {
  const weights = new Map<string, Float64Array>();
  const factors = new Map<string, Float64Array>();
  for (const { first, readers } of pairs)
    for (const l of [first, ...readers.map((r) => r.layer)])
      if (!weights.has(l.node.id)) weights.set(l.node.id, toNumbers(l.weight.tensor).slice());
  for (let pass = 0, moved = Number.POSITIVE_INFINITY; pass < mostPasses && moved > 0.01; pass++) {
    moved = 0;
    for (const { first, readers } of pairs) {
      const own = weights.get(first.node.id) ?? new Float64Array();
      const before = largest(own, first.channels, first.channelOf);
      const after = new Float64Array(first.channels);
      for (const r of readers)
        largest(weights.get(r.layer.node.id) ?? own, first.channels, r.channelOf).forEach((m, c) => {
          after[c] = Math.max(after[c] ?? 0, m);
        });
      const s = before.map((r1, c) => {
        const r2 = after[c] ?? 0;
        return r1 > 1e-12 && r2 > 1e-12 ? Math.sqrt(r1 / r2) : 1;
      });
      for (const x of s) moved = Math.max(moved, Math.abs(Math.log(x)));
      scale(own, first.channelOf, (c) => 1 / (s[c] ?? 1));
      for (const r of readers) scale(weights.get(r.layer.node.id), r.channelOf, (c) => s[c] ?? 1);
      const total = factors.get(first.node.id) ?? new Float64Array(first.channels).fill(1);
      factors.set(
        first.node.id,
        total.map((f, c) => f * (s[c] ?? 1)),
      );
    }
  }
  return { weights, factors };
}

function largest(w: Float64Array, channels: number, channelOf: (k: number) => number): Float64Array {
  const out = new Float64Array(channels);
  for (let k = 0; k < w.length; k++) {
    const c = channelOf(k);
    const x = Math.abs(w[k] ?? 0);
    if (x > (out[c] ?? 0)) out[c] = x;
  }
  return out;
}

function scale(w: Float64Array | undefined, channelOf: (k: number) => number, by: (c: number) => number): void {
  if (w !== undefined) for (let k = 0; k < w.length; k++) w[k] = (w[k] ?? 0) * by(channelOf(k));
}
