/** Owns which selected nodes can be quantized, and their weight and bias as numbers; the same for all three modes. */
import { floatAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { type Graph, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { toNumbers } from '../ir/values.ts';
import { isNone, type QuantizeRule } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { biasNumbers, linearLayer } from '../transforms/channel-scaling.ts';
import { type ConstantValue, constantValue } from '../transforms/constant-values.ts';
import { foldBatchnorm } from '../transforms/fold-batchnorm.ts';
import { foldScaleShift } from '../transforms/fold-scale-shift.ts';
import { plainNodes } from '../transforms/plain-nodes.ts';
import type { StepContext } from './declare.ts';

export interface QuantLayer {
  readonly node: Node;
  readonly weight: ConstantValue;
  /** Axis of the weight that runs along the output channels; undefined: one scale for all. */
  readonly axis: number | undefined;
  /** Channel of the weight's element k along `axis`, and how many there are; 0 and 1 for one scale. */
  readonly channels: number;
  channelOf(k: number): number;
  /** The weight as the product takes it (Gemm's alpha in it). */
  readonly numbers: () => Float64Array;
  readonly alpha: number;
  /** Bias with one number per output channel (Gemm's beta in it); undefined: none. */
  readonly bias: (() => Float64Array) | undefined;
  readonly outputChannels: number;
}

export const ruleOf = (node: Node): QuantizeRule | undefined => {
  const rule = opOf(node)?.quantize;
  return rule === undefined || isNone(rule) ? undefined : rule;
};

const floats: ReadonlySet<string> = new Set(['float', 'float16', 'bfloat16', 'double']);

/** Whether 8-bit kernels take this layer at all: they give float32, and there is none for a transposed convolution. */
export const computesIn8Bits = ({ node, weight }: QuantLayer): boolean =>
  weight.tensor.type === 'float' && node.op !== 'ConvTranspose';

const decoders = new Set(['DequantizeLinear', 'DynamicQuantizeLinear', 'QuantizeLinear']);

/** Folds into the selected layers what would stand between them and their quantized output. */
export function foldedForQuantization(c: Pick<StepContext, 'model' | 'facts' | 'selected'>): Model {
  const chosen = new Set(c.selected.map((n) => n.id));
  const options = {
    into: (layer: Node) => chosen.has(layer.id),
    shape: (value: string) => c.facts.get(value)?.shape,
  };
  const plain = plainNodes(c.model, options.into).model;
  const once = foldScaleShift(foldBatchnorm(plain, options).model, options).model;
  // CNTK and Caffe put scale layers between convolution and normalisation.
  return foldBatchnorm(once, options).model;
}

/** Why the weight of a compute node is not a float constant. */
function weightReason(graph: Graph, name: string): string {
  const maker = graphIndex(graph).producer.get(name);
  if (maker === undefined)
    return graphIndex(graph).sparseInitializer.has(name) ? 'its weight is stored sparse' : 'its weight is no constant';
  return decoders.has(maker.op) ? 'it is quantized already' : `its weight comes from ${maker.op}`;
}

/**
 * The layer behind a selected node, or why it cannot be taken; undefined where quantization has nothing to do with the node. For
 * storage only the weight matters.
 */
export function quantLayer(
  model: Model,
  facts: StepContext['facts'],
  node: Node,
  perChannel: boolean,
  purpose: 'compute' | 'storage' = 'compute',
): QuantLayer | string | undefined {
  if (['QLinearConv', 'QLinearMatMul', 'QGemm', 'ConvInteger', 'MatMulInteger'].includes(node.op))
    return 'it is quantized already';
  const rule = ruleOf(node);
  if (rule?.role !== 'compute') return undefined;
  const { graph } = model;
  const weightName = node.inputs[rule.weight] ?? '';
  const weight = constantValue(graph, weightName);
  if (weight === undefined) return weightReason(graph, weightName);
  if (!floats.has(weight.tensor.type)) return `its weight is ${weight.tensor.type}, only floats are quantized`;
  if (facts.get(node.inputs[rule.data] ?? '')?.constant === true) return 'both of its operands are constant';
  const { dims } = weight.tensor;
  if (elementCount(dims) < 2) return 'its weight has a single element';
  const linear = linearLayer(graph, node);
  const hasBias = rule.bias !== undefined && (node.inputs[rule.bias] ?? '') !== '';
  if (purpose === 'compute' && node.domain !== '') return `${node.op} is a runtime's own node without an int8 form`;
  if (linear === undefined && hasBias && purpose === 'compute') return 'its bias is not one constant number a channel';
  const version = opsetVersion(model) ?? 0;
  const inputs = node.inputs.map((i) => facts.get(i) ?? shapeOnly(graph, i));
  const axis =
    perChannel && (linear !== undefined || purpose === 'storage')
      ? rule.weightAxis({ node, version, inputs })
      : undefined;
  const alpha = node.op === 'Gemm' && purpose === 'compute' ? floatAttr(node, 'alpha', 1) : 1;
  const { channels, channelOf } = alongAxis(dims, axis);
  return {
    node,
    weight,
    axis,
    channels,
    channelOf,
    alpha,
    numbers: () => {
      const w = toNumbers(weight.tensor);
      return alpha === 1 ? w : w.map((x) => x * alpha);
    },
    bias: linear?.bias === undefined ? undefined : () => biasNumbers(linear),
    outputChannels: linear?.channels ?? 1,
  };
}

const shapeOnly = (graph: Graph, name: string) => {
  const value = constantValue(graph, name);
  return value === undefined ? undefined : { elem: value.tensor.type, shape: value.tensor.dims, constant: true };
};

function alongAxis(dims: readonly number[], axis: number | undefined): Pick<QuantLayer, 'channels' | 'channelOf'> {
  if (axis === undefined) return { channels: 1, channelOf: () => 0 };
  const channels = dims[axis] ?? 1;
  const inner = elementCount(dims.slice(axis + 1));
  return { channels, channelOf: (k) => Math.floor(k / inner) % channels };
}
