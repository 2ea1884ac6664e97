/** Owns scaling and shifting the outputs of a linear layer (convolution, matrix product) inside its weights and bias. */
import { attr, floatAttr, intAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import type { Graph, Node } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { packNumbers, toNumbers } from '../ir/values.ts';
import { type ConstantValue, constantValue } from './constant-values.ts';

/** A linear layer whose weight is constant: y[c] = sum(w . x) + b[c], c along axis 1 of y (the last of a matrix product). */
export interface LinearLayer {
  readonly node: Node;
  readonly weight: ConstantValue;
  /** Bias as the layer adds it, one number a channel, before beta; undefined: none. */
  readonly bias?: ConstantValue;
  readonly channels: number;
  /** Channel of the weight's element k. */
  channelOf(k: number): number;
}

const floats = new Set(['float', 'double', 'float16']);

function channelLayout(node: Node, dims: readonly number[]): Pick<LinearLayer, 'channels' | 'channelOf'> | undefined {
  const inner = elementCount(dims.slice(1));
  const [first = 1, second = 1] = dims;
  switch (node.op) {
    case 'Conv':
      return dims.length < 3 ? undefined : { channels: first, channelOf: (k) => Math.floor(k / inner) };
    case 'ConvTranspose': {
      // W: [Cin, Cout / group, ...]; the group of an input row says which outputs it makes.
      if (dims.length < 3) return undefined;
      const group = intAttr(node, 'group', 1);
      const spatial = elementCount(dims.slice(2));
      const rows = first / group;
      return {
        channels: second * group,
        channelOf: (k) => Math.floor(Math.floor(k / inner) / rows) * second + (Math.floor(k / spatial) % second),
      };
    }
    case 'Gemm':
      if (dims.length !== 2) return undefined;
      return intAttr(node, 'transB', 0) === 1
        ? { channels: first, channelOf: (k) => Math.floor(k / second) }
        : { channels: second, channelOf: (k) => k % second };
    case 'MatMul':
      return dims.length === 2 ? { channels: second, channelOf: (k) => k % second } : undefined;
    default:
      return undefined;
  }
}

/** The node as a linear layer, or undefined where its weight or bias is not constant or has a form we do not fold into. */
export function linearLayer(graph: Graph, node: Node): LinearLayer | undefined {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return undefined;
  const weight = constantValue(graph, node.inputs[1] ?? '');
  if (weight === undefined || !floats.has(weight.tensor.type)) return undefined;
  const layout = channelLayout(node, weight.tensor.dims);
  if (layout === undefined) return undefined;
  const biasName = node.inputs[2] ?? '';
  if (biasName === '' || node.op === 'MatMul') return { node, weight, ...layout };
  const bias = constantValue(graph, biasName);
  if (bias === undefined || !perChannel(bias.tensor.dims, layout.channels)) return undefined;
  return { node, weight, bias, ...layout };
}

/** True for [N], [1, N], [1] and scalars: one number a channel along the last axis. */
const perChannel = (dims: readonly number[], channels: number): boolean =>
  dims.slice(0, -1).every((d) => d === 1) && [1, channels].includes(dims.at(-1) ?? 1);

/** The bias as it is added: Gemm's beta applied, spread over the channels. */
export function biasNumbers(layer: LinearLayer): Float64Array {
  const out = new Float64Array(layer.channels);
  if (layer.bias === undefined) return out;
  const given = toNumbers(layer.bias.tensor);
  const beta = layer.node.op === 'Gemm' ? floatAttr(layer.node, 'beta', 1) : 1;
  return out.map((_, c) => beta * (given[given.length === 1 ? 0 : c] ?? 0));
}

/** The weight with every channel c times factor(c), lazily. */
export function scaledWeight(layer: LinearLayer, name: string, factor: () => ArrayLike<number>): Tensor {
  const { tensor } = layer.weight;
  return lazyTensor(name, tensor.type, tensor.dims, () => {
    const by = factor();
    const from = toNumbers(tensor);
    return packNumbers(
      tensor.type,
      from.map((x, k) => x * (by[layer.channelOf(k)] ?? 1)),
    );
  });
}

/** A bias [channels] of the weight's type, lazily. */
export const biasTensor = (layer: LinearLayer, name: string, make: () => ArrayLike<number>): Tensor =>
  lazyTensor(name, layer.weight.tensor.type, [layer.channels], () => packNumbers(layer.weight.tensor.type, make()));

/** The node reading this weight and bias; beta is in the bias now. */
export function withParameters(node: Node, weight: string, bias: string): Node {
  const attributes = node.op === 'Gemm' ? [...node.attributes.filter((a) => a.name !== 'beta')] : node.attributes;
  return { ...node, inputs: [node.inputs[0] ?? '', weight, bias], attributes };
}

/** MatMul of matrices with a bias is a Gemm. */
export const asGemm = (node: Node, bias: string): Node => ({
  ...node,
  op: 'Gemm',
  inputs: [node.inputs[0] ?? '', node.inputs[1] ?? '', bias],
  attributes: [attr.float('alpha', 1), attr.float('beta', 1)],
});
