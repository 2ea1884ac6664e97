/**
 * Owns the two forms of a binary weight W ~ a sign(W), a = mean |W| per filter (Rastegari et al. 2016, eq. 6): latent floats
 * while training, one bit a weight when stored.
 */
import { lazy } from '../base/lazy.ts';
import { attr } from '../ir/attribute.ts';
import { elementCount, elementTypes } from '../ir/element-type.ts';
import type { NewNode } from '../ir/graph-edit.ts';
import { type Model, opsetVersion } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';
import { indexForms, type Names, type Parts } from './packed-indices.ts';
import type { QuantLayer } from './quantize-layers.ts';
import { lazyNumbers } from './quantize-numbers.ts';
import { storedBytes } from './sparse-choice.ts';
import { storageTarget, type TargetRuntime } from './storage-target.ts';

/** Mean |w| per channel. */
function scalesOf(layer: QuantLayer): Float64Array {
  const sums = new Float64Array(layer.channels);
  const w = layer.numbers();
  w.forEach((v, k) => {
    const c = layer.channelOf(k);
    sums[c] = (sums[c] ?? 0) + Math.abs(v);
  });
  return sums.map((s) => (s * layer.channels) / w.length);
}

const scaleDims = (layer: QuantLayer): readonly number[] =>
  layer.axis === undefined ? [] : layer.weight.tensor.dims.map((d, i) => (i === layer.axis ? d : 1));

/**
 * Bits [n / 8] -> int32 -> float, minus a half, times 2a: exactly +a and -a. Of the forms for the bits the smallest. The value is
 * made under `output`.
 */
export function storedBinary(
  model: Model,
  layer: QuantLayer,
  names: Names,
  output: string,
  runtime: TargetRuntime | undefined,
): Parts & { bytes: number } {
  const { tensor } = layer.weight;
  const count = elementCount(tensor.dims);
  const values = lazy(() => Uint8Array.from(layer.numbers(), (v) => (v < 0 ? 0 : 1)));
  const scale = lazyNumbers(names.own('scale'), 'float', scaleDims(layer), () => scalesOf(layer).map((a) => 2 * a));
  const half = numbersTensor(names.shared('half'), 'float', [], [0.5]);
  const shape = int64Tensor(names.own('shape'), [tensor.dims.length], tensor.dims);
  const forms = indexForms({ count, bits: 1, values }, names, storageTarget(model, runtime));
  const sized = forms.map((bits) => {
    const nodes: NewNode[] = [
      ...bits.nodes,
      {
        op: 'Cast',
        inputs: [bits.output],
        outputs: [names.own('float')],
        attributes: [attr.int('to', elementTypes.float.code)],
      },
      { op: 'Sub', inputs: [names.own('float'), half.name], outputs: [names.own('signs')] },
      { op: 'Reshape', inputs: [names.own('signs'), shape.name], outputs: [names.own('shaped')] },
      { op: 'Mul', inputs: [names.own('shaped'), scale.name], outputs: [output] },
    ];
    const initializers: readonly Tensor[] = [...bits.initializers, half, shape, scale];
    return { nodes, initializers, output, bytes: storedBytes(model, { nodes, initializers }) };
  });
  return sized.reduce((a, b) => (b.bytes < a.bytes ? b : a));
}

/** Sign(w) times mean |w|: w learns through the straight-through gradient of Sign, and through its own scale. */
export function latentBinary(model: Model, layer: QuantLayer, names: Names, output: string): Parts {
  const { tensor } = layer.weight;
  const axes = tensor.dims.flatMap((_, i) => (i === layer.axis ? [] : [i]));
  const asInput = (opsetVersion(model) ?? 0) >= 18;
  const axesTensor = int64Tensor(names.own('axes'), [axes.length], axes);
  const [sign, size, scale] = ['sign', 'size', 'latent_scale'].map((p) => names.own(p)) as [string, string, string];
  return {
    nodes: [
      { op: 'Sign', inputs: [tensor.name], outputs: [sign] },
      { op: 'Abs', inputs: [tensor.name], outputs: [size] },
      {
        op: 'ReduceMean',
        inputs: asInput ? [size, axesTensor.name] : [size],
        outputs: [scale],
        attributes: [attr.int('keepdims', 1), ...(asInput ? [] : [attr.ints('axes', axes)])],
      },
      { op: 'Mul', inputs: [sign, scale], outputs: [output] },
    ],
    initializers: asInput ? [axesTensor] : [],
    output,
  };
}
