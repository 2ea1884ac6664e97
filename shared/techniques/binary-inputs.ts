/**
 * Owns binary activations in XNOR-Net's block order, BatchNormalization - Sign - convolution (Rastegari et al. 2016, section 3.2):
 * the layer reads the sign of its normalised input, and its result is scaled by the input's mean size at each place, K (eq. 11).
 */
import { attr, intsAttr, stringAttr } from '../ir/attribute.ts';
import type { NewNode } from '../ir/graph-edit.ts';
import { type Model, type Node, opsetVersion } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';
import type { Names } from './packed-indices.ts';

export interface BinaryInput {
  /** Before the layer; the last makes what the layer reads instead of its input. */
  readonly before: readonly NewNode[];
  readonly input: string;
  /** After the layer, which then gives `raw`; the last makes the layer's own output. */
  readonly after: readonly NewNode[];
  readonly raw: string;
  readonly initializers: readonly Tensor[];
}

/** Why the layer's input cannot be binary; undefined where it can. */
export function inputRefusal(node: Node, facts: Facts | undefined): string | undefined {
  const shape = facts?.shape;
  if (!shape || typeof shape[1] !== 'number') return 'the channels of its input are not known';
  if (node.op === 'Conv') {
    if (shape.length < 3) return 'its input has no places';
    if (stringAttr(node, 'auto_pad', 'NOTSET') !== 'NOTSET') return 'its padding is not written out (auto_pad)';
    if ((intsAttr(node, 'dilations') ?? []).some((d) => d !== 1)) return 'it is dilated';
    return undefined;
  }
  if (node.op === 'Gemm' && node.attributes.some((a) => a.name === 'transA' && a.value === 1n))
    return 'its input is transposed';
  return shape.length === 2 ? undefined : 'its input has more than one row a sample';
}

/** Nodes around a layer that reads `x`. `kernel`: the weight's own. */
export function binaryInput(
  model: Model,
  node: Node,
  facts: Facts,
  kernel: readonly number[],
  names: Names,
): BinaryInput {
  const [x = ''] = node.inputs;
  const channels = Number(facts.shape?.[1] ?? 0);
  const per = (part: string, v: number): Tensor =>
    numbersTensor(names.own(part), 'float', [channels], new Array<number>(channels).fill(v));
  const norm = [per('gamma', 1), per('beta', 0), per('mean', 0), per('var', 1)];
  const asInput = (opsetVersion(model) ?? 0) >= 18;
  const axes = int64Tensor(names.own('channel_axis'), [1], [1]);
  const raw = names.own('unscaled');
  const before: NewNode[] = [
    { op: 'BatchNormalization', inputs: [x, ...norm.map((t) => t.name)], outputs: [names.own('normal')] },
    { op: 'Sign', inputs: [names.own('normal')], outputs: [names.own('binary')] },
    { op: 'Abs', inputs: [names.own('normal')], outputs: [names.own('size_in')] },
    {
      op: 'ReduceMean',
      inputs: asInput ? [names.own('size_in'), axes.name] : [names.own('size_in')],
      outputs: [names.own('places')],
      attributes: [attr.int('keepdims', 1), ...(asInput ? [] : [attr.ints('axes', [1])])],
    },
  ];
  let scale = names.own('places');
  if (node.op === 'Conv') {
    const spatial = kernel.length;
    const ints = (name: string, fallback: number, length: number): readonly number[] =>
      intsAttr(node, name) ?? new Array<number>(length).fill(fallback);
    before.push({
      op: 'AveragePool',
      inputs: [scale],
      outputs: [names.own('k')],
      attributes: [
        attr.ints('kernel_shape', kernel),
        attr.ints('strides', ints('strides', 1, spatial)),
        attr.ints('pads', ints('pads', 0, 2 * spatial)),
        attr.int('count_include_pad', 1),
      ],
    });
    scale = names.own('k');
  }
  return {
    before,
    input: names.own('binary'),
    after: [{ op: 'Mul', inputs: [raw, scale], outputs: [node.outputs[0] ?? ''] }],
    raw,
    initializers: [...norm, ...(asInput ? [axes] : [])],
  };
}
