/** Owns the machinery of folding: a node that scales and shifts channels vanishes into the linear layer that it alone reads. */
import { attr } from '../ir/attribute.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Dim, Graph, Model, Node } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { int64Tensor, packNumbers, toNumbers } from '../ir/values.ts';
import {
  asGemm,
  biasNumbers,
  biasTensor,
  type LinearLayer,
  linearLayer,
  scaledWeight,
  withParameters,
} from './channel-scaling.ts';
import type { Transformed } from './transform.ts';

/** y[c] = factor[c] * x[c] + shift[c]. Left out: 1 and 0. */
export interface Affine {
  readonly factor?: () => ArrayLike<number>;
  readonly shift?: () => ArrayLike<number>;
  /** All factors are one number: a weight of one value stays one. */
  readonly uniform: boolean;
}

export interface FoldOptions {
  /** Which layers may take something in; all where left out. */
  readonly into?: (layer: Node) => boolean;
  /** Which nodes may be taken in; all where left out. */
  readonly of?: (node: Node) => boolean;
  /** Shapes known beside those that the file states. */
  readonly shape?: (value: string) => readonly Dim[] | null | undefined;
}

export interface Candidate {
  /** The input that must come from the layer. */
  readonly data: string;
  affine(layer: LinearLayer, rank: number | undefined): Affine | undefined;
}

function statedRanks(graph: Graph): (value: string) => number | undefined {
  const ranks = new Map<string, number>();
  for (const v of [...graph.valueInfos, ...graph.outputs, ...graph.inputs])
    if (v.type.kind === 'tensor' && v.type.shape !== null) ranks.set(v.name, v.type.shape.length);
  return (value) => ranks.get(value);
}

/** The layer that makes `x`, where nothing else reads it (S10: a second reader keeps the node). */
function layerBefore(graph: Graph, x: string, rankOf: (value: string) => number | undefined): LinearLayer | undefined {
  const index = graphIndex(graph);
  const maker = index.producer.get(x);
  if (maker === undefined || index.outputNames.has(x) || (index.uses.get(x)?.length ?? 0) !== 1) return undefined;
  // Gemm, which takes the bias of a MatMul, knows matrices only.
  if (maker.op === 'MatMul' && rankOf(maker.inputs[0] ?? '') !== 2) return undefined;
  return linearLayer(graph, maker);
}

/** Rank of the layer's output: as its weight's for convolutions, 2 for matrix products. */
const outputRank = (layer: LinearLayer): number =>
  layer.node.op === 'Gemm' || layer.node.op === 'MatMul' ? 2 : layer.weight.tensor.dims.length;

/**
 * Folds every node that `candidates` names. The layer takes over the node's output name. One pass folds one node per layer;
 * call again for chains. Weights are computed when asked.
 */
export function foldIntoLayers(
  model: Model,
  options: FoldOptions,
  candidates: (node: Node, graph: Graph) => readonly Candidate[],
): Transformed {
  const { graph } = model;
  const stated = statedRanks(graph);
  const rankOf = (value: string): number | undefined => options.shape?.(value)?.length ?? stated(value);
  const edit = new GraphEdit(graph);
  const gone = new Set<string>();
  const replaced = new Map<string, readonly Node[]>();
  for (const node of graph.nodes)
    for (const candidate of options.of?.(node) === false ? [] : candidates(node, graph)) {
      const layer = layerBefore(graph, candidate.data, rankOf);
      if (layer === undefined || replaced.has(layer.node.id) || options.into?.(layer.node) === false) continue;
      const affine = candidate.affine(layer, outputRank(layer));
      if (affine === undefined) continue;
      replaced.set(layer.node.id, folded(edit, layer, affine, node.outputs[0] ?? ''));
      gone.add(node.id);
      break;
    }
  if (gone.size === 0) return { model, changes: [] };
  const nodes = graph.nodes.flatMap((n) => (gone.has(n.id) ? [] : (replaced.get(n.id) ?? [n])));
  const swapped = new GraphEdit({ ...edit.done(), nodes });
  swapped.removeUnused();
  return { model: { ...model, graph: swapped.done() }, changes: [...gone] };
}

function folded(edit: GraphEdit, layer: LinearLayer, affine: Affine, output: string): readonly Node[] {
  const { node } = layer;
  const { factor, shift } = affine;
  const biasName = edit.unique(`${node.id}_bias_folded`);
  edit.setInitializer(
    biasTensor(layer, biasName, () => {
      const f = factor?.();
      const s = shift?.();
      return biasNumbers(layer).map((b, c) => b * (f?.[c] ?? 1) + (s?.[c] ?? 0));
    }),
  );
  const base = node.op === 'MatMul' ? asGemm(node, biasName) : node;
  if (factor === undefined) return [{ ...withParameters(base, node.inputs[1] ?? '', biasName), outputs: [output] }];
  const name = edit.unique(`${node.inputs[1] || node.id}_folded`);
  const weight = scaledWeight(layer, name, factor);
  const made: Node[] = [];
  if (layer.weight.uniform !== undefined && affine.uniform)
    made.push(uniformWeight(edit, weight, layer.weight.uniform, factor));
  else edit.setInitializer(weight);
  return [...made, { ...withParameters(base, name, biasName), outputs: [output] }];
}

/** A weight of one value stays one node. */
function uniformWeight(edit: GraphEdit, weight: Tensor, uniform: Tensor, factor: () => ArrayLike<number>): Node {
  const shape = edit.unique(`${weight.name}_shape`);
  edit.setInitializer(int64Tensor(shape, [weight.dims.length], weight.dims));
  const value = lazyTensor('', weight.type, [1], () =>
    packNumbers(weight.type, [(toNumbers(uniform)[0] ?? 0) * (factor()[0] ?? 1)]),
  );
  const attributes = [attr.tensor('value', value)];
  return edit.make({ op: 'ConstantOfShape', inputs: [shape], outputs: [weight.name], attributes });
}
