/** Owns foldBatchnorm: inference BatchNormalization folded into the linear layer before it (Jacob et al. 2018, eq. 14). */
import { floatAttr, intAttr } from '../ir/attribute.ts';
import { type Graph, type Model, type Node, opsetVersion } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { toNumbers } from '../ir/values.ts';
import { constantValue } from './constant-values.ts';
import { type Affine, type FoldOptions, foldIntoLayers } from './fold-into-layer.ts';
import type { Transformed } from './transform.ts';

/** y = scale * (x - mean) / sqrt(var + epsilon) + bias, one number a channel; undefined where a parameter is not constant. */
function normalisation(graph: Graph, node: Node, channels: number): Affine | undefined {
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((k) => constantValue(graph, node.inputs[k] ?? ''));
  if (scale === undefined || bias === undefined || mean === undefined || variance === undefined) return undefined;
  const parts = [scale, bias, mean, variance];
  if (parts.some((p) => p.tensor.dims.length !== 1 || p.tensor.dims[0] !== channels)) return undefined;
  const epsilon = floatAttr(node, 'epsilon', 1e-5);
  const numbers = (p: { readonly tensor: Tensor }): Float64Array => toNumbers(p.tensor);
  const factor = (): Float64Array => {
    const v = numbers(variance);
    return numbers(scale).map((s, c) => s / Math.sqrt((v[c] ?? 0) + epsilon));
  };
  const shift = (): Float64Array => {
    const f = factor();
    const m = numbers(mean);
    return numbers(bias).map((b, c) => b - (m[c] ?? 0) * (f[c] ?? 0));
  };
  return { factor, shift, uniform: scale.uniform !== undefined && variance.uniform !== undefined };
}

const inferenceForm = (node: Node): boolean =>
  node.op === 'BatchNormalization' &&
  (node.domain === '' || node.domain === 'ai.onnx') &&
  intAttr(node, 'training_mode', 0) === 0 &&
  intAttr(node, 'spatial', 1) === 1 &&
  node.outputs.slice(1).every((o) => o === '');

/**
 * Folds every BatchNormalization with constant parameters into the Conv, ConvTranspose, Gemm or MatMul that it alone reads. The
 * layer takes over the normalisation's output name. Opset below 7 and training forms stay as they are.
 */
export function foldBatchnorm(model: Model, options: FoldOptions = {}): Transformed {
  if ((opsetVersion(model) ?? 0) < 7) return { model, changes: [] };
  return foldIntoLayers(model, options, (node, graph) =>
    inferenceForm(node)
      ? [{ data: node.inputs[0] ?? '', affine: (layer) => normalisation(graph, node, layer.channels) }]
      : [],
  );
}
