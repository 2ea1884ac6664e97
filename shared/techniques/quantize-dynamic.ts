/**
 * Owns dynamic quantization: DynamicQuantizeLinear finds the data's grid on every run, ConvInteger and MatMulInteger multiply
 * integers, and the result is scaled back to float.
 */
import { lazy } from '../base/lazy.ts';
import { attr, intAttr } from '../ir/attribute.ts';
import { elementTypes } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';
import { transposed } from '../transforms/constant-values.ts';
import type { QuantLayer } from './quantize-layers.ts';
import {
  around128,
  channelMaxima,
  lazyNumbers,
  quantizedTensor,
  roundedLevels,
  symmetricScales,
} from './quantize-numbers.ts';

/** Why a layer has no integer form; undefined where it has one. */
export function dynamicRefusal(layer: QuantLayer): string | undefined {
  if (layer.node.op === 'Gemm' && intAttr(layer.node, 'transA', 0) === 1) return 'its data is transposed (transA)';
  return undefined;
}

interface Rewriting {
  readonly edit: GraphEdit;
  readonly nodes: Node[];
  /** Quantized data by value: several layers that read one value share its grid. */
  readonly data: Map<string, readonly [quantized: string, scale: string, zeroPoint: string]>;
  readonly weights: Map<string, { readonly stored: string; readonly scale: string; readonly zeroPoint: string }>;
}

/** The model with these layers in integers. */
export function dynamicRewrite(model: Model, layers: ReadonlyMap<string, QuantLayer>): Model {
  const edit = new GraphEdit(model.graph);
  const r: Rewriting = { edit, nodes: [], data: new Map(), weights: new Map() };
  for (const node of graphIndex(model.graph).order) {
    const layer = layers.get(node.id);
    if (layer === undefined) r.nodes.push(node);
    else integerLayer(r, layer);
  }
  const swapped = new GraphEdit({ ...edit.done(), nodes: r.nodes });
  swapped.removeUnused();
  return { ...model, graph: swapped.done() };
}

const emit = (r: Rewriting, op: string, inputs: readonly string[], output: string): string => {
  const name = r.edit.unique(output);
  r.nodes.push(r.edit.make({ op, inputs, outputs: [name] }));
  return name;
};

function quantizedData(r: Rewriting, value: string): readonly [string, string, string] {
  const found = r.data.get(value);
  if (found !== undefined) return found;
  const outputs = [
    r.edit.unique(`${value}_quantized`),
    r.edit.unique(`${value}_scale`),
    r.edit.unique(`${value}_zero_point`),
  ] as const;
  r.nodes.push(r.edit.make({ op: 'DynamicQuantizeLinear', inputs: [value], outputs }));
  r.data.set(value, outputs);
  return outputs;
}

function integerLayer(r: Rewriting, layer: QuantLayer): void {
  const { node } = layer;
  const convolution = node.op === 'Conv';
  const out = node.outputs[0] ?? '';
  const [x, xScale, xZero] = quantizedData(r, node.inputs[0] ?? '');
  const weight = integerWeight(r, layer);
  const sum = r.edit.unique(`${out}_int32`);
  r.nodes.push({
    ...node,
    // Its output's name is new: an unnamed layer keeps the name that people know it by.
    name: node.name === '' ? node.id : node.name,
    op: convolution ? 'ConvInteger' : 'MatMulInteger',
    inputs: [x, weight.stored, xZero, weight.zeroPoint],
    outputs: [sum],
    attributes: convolution ? node.attributes : [],
  });
  const float = r.edit.unique(`${out}_sum`);
  const attributes = [attr.int('to', elementTypes.float.code)];
  r.nodes.push(r.edit.make({ op: 'Cast', inputs: [sum], outputs: [float], attributes }));
  const scale = emit(r, 'Mul', [xScale, weight.scale], `${out}_scale`);
  const { bias } = layer;
  if (bias === undefined) {
    r.nodes.push(r.edit.make({ op: 'Mul', inputs: [float, scale], outputs: [out] }));
    return;
  }
  const scaled = emit(r, 'Mul', [float, scale], `${out}_scaled`);
  const name = r.edit.unique(`${node.id}_bias`);
  r.edit.setInitializer(lazyNumbers(name, 'float', perChannelDims(layer, layer.outputChannels), bias));
  r.nodes.push(r.edit.make({ op: 'Add', inputs: [scaled, name], outputs: [out] }));
}

/** [C, 1, 1] for convolutions, [N] for matrix products. */
const perChannelDims = (layer: QuantLayer, channels: number): readonly number[] =>
  layer.node.op === 'Conv' ? [channels, ...layer.weight.tensor.dims.slice(2).map(() => 1)] : [channels];

/**
 * uint8 around 128: the only form that ConvInteger's CPU kernel takes, and for MatMulInteger the one whose products do not saturate on x86
 * processors without 8-bit dot products (there int8 left 19 dB of LeNet-300-100's answers where uint8 leaves 41).
 */
function integerWeight(r: Rewriting, layer: QuantLayer) {
  const { node, channels, channelOf } = layer;
  const { name, dims } = layer.weight.tensor;
  const key = `${name}|${layer.axis}|${layer.alpha}|${node.op}`;
  const found = r.weights.get(key);
  if (found !== undefined) return found;
  const scales = lazy(() => symmetricScales(channelMaxima(layer.numbers(), channels, channelOf), 127));
  const stored = r.edit.unique(`${name}_quantized`);
  const scale = r.edit.unique(`${name}_scale`);
  const zeroPoint = r.edit.unique(`${name}_zero_point`);
  const signed = quantizedTensor(stored, 'int8', dims, () =>
    roundedLevels(layer.numbers(), (k) => scales()[channelOf(k)] ?? 1, 127),
  );
  r.edit.setInitializer(around128(node.op === 'Conv' ? signed : asMatrix(layer, signed)));
  const scaleDims = layer.axis === undefined ? [] : perChannelDims(layer, channels);
  r.edit.setInitializer(lazyNumbers(scale, 'float', scaleDims, scales));
  r.edit.setInitializer(numbersTensor(zeroPoint, 'uint8', [], [128]));
  const form = { stored, scale, zeroPoint };
  r.weights.set(key, form);
  return form;
}

/** [K, N], as MatMulInteger takes it. */
const asMatrix = (layer: QuantLayer, t: Tensor): Tensor =>
  layer.node.op === 'Gemm' && intAttr(layer.node, 'transB', 0) === 1 ? transposed(t, [1, 0]) : t;
