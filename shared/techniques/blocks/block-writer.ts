/** Owns the writing of a block: nodes and lazy weights in the place of one convolution, named after it. */
import { attr } from '../../ir/attribute.ts';
import type { GraphEdit } from '../../ir/graph-edit.ts';
import type { Attribute, Node } from '../../ir/model.ts';
import { lazyTensor, type Tensor } from '../../ir/tensor.ts';
import { int64Tensor, packNumbers } from '../../ir/values.ts';
import { windowAttributes } from '../factor-matrix.ts';
import { type ConvLayer, slideOf } from './conv-layer.ts';

export type Activation = 'none' | 'relu' | 'relu6';

export interface ConvParts {
  /** [outputs, inputs / group, height, width] */
  readonly dims: readonly [number, number, number, number];
  readonly weight: () => ArrayLike<number>;
  readonly group?: number;
  /** Name of the bias; 'zero' makes one of zeros, which training moves; a part of the layer's own. */
  readonly bias?: string | 'zero' | (() => Float64Array);
  /** 'layer': slides as the replaced layer does; 'strides': 1x1 at the same positions; 'same': padded to keep the size. */
  readonly slide?: 'layer' | 'strides' | 'same' | 'none';
  readonly attributes?: readonly Attribute[];
}

export class BlockWriter {
  readonly nodes: Node[] = [];
  readonly tensors: Tensor[] = [];
  readonly layer: ConvLayer;
  readonly #edit: GraphEdit;
  readonly #base: string;
  readonly #activation: Activation;

  constructor(edit: GraphEdit, layer: ConvLayer, activation: Activation) {
    this.#edit = edit;
    this.layer = layer;
    this.#activation = activation;
    this.#base = layer.node.name || layer.node.outputs[0] || layer.node.id;
  }

  /** The block's input and the value that it must make. */
  get x(): string {
    return this.layer.node.inputs[0] ?? '';
  }

  /** Biases inside a block are only of use where something bends between its layers. */
  get innerBias(): Pick<ConvParts, 'bias'> {
    return this.#activation === 'none' ? {} : { bias: 'zero' };
  }

  /** The replaced layer's own bias, for the convolution that makes the output. */
  get ownBias(): Pick<ConvParts, 'bias'> {
    return this.layer.bias === undefined ? {} : { bias: this.layer.bias };
  }

  value(part: string): string {
    return this.#edit.unique(`${this.#base}/${part}`);
  }

  tensor(part: string, dims: readonly number[], make: () => ArrayLike<number>): string {
    const name = this.value(part);
    const { elem } = this.layer;
    this.tensors.push(lazyTensor(name, elem, dims, () => packNumbers(elem, make())));
    return name;
  }

  ints(part: string, values: readonly number[]): string {
    const name = this.value(part);
    this.tensors.push(int64Tensor(name, [values.length], values));
    return name;
  }

  node(
    op: string,
    part: string,
    inputs: readonly string[],
    attributes: readonly Attribute[] = [],
    last = false,
  ): string {
    const out = last ? (this.layer.node.outputs[0] ?? '') : this.value(part);
    this.nodes.push(this.#edit.make({ op, name: `${this.#base}/${part}`, inputs, outputs: [out], attributes }));
    return out;
  }

  /** Appends a convolution. `last`: it makes the block's output. */
  conv(part: string, x: string, p: ConvParts, last = false): string {
    const w = this.tensor(`${part}.weight`, p.dims, p.weight);
    const [width] = p.dims;
    const made = p.bias === 'zero' ? () => new Float64Array(width) : p.bias;
    const bias = typeof made === 'function' ? this.tensor(`${part}.bias`, [width], made) : made;
    const attributes = [
      ...this.#slide(p),
      attr.ints('kernel_shape', [p.dims[2], p.dims[3]]),
      ...((p.group ?? 1) > 1 ? [attr.int('group', p.group ?? 1)] : []),
    ];
    return this.node('Conv', part, bias === undefined ? [x, w] : [x, w, bias], p.attributes ?? attributes, last);
  }

  #slide(p: ConvParts): readonly Attribute[] {
    const { window, node } = this.layer;
    switch (p.slide ?? 'none') {
      case 'layer':
        return slideOf(node);
      case 'strides':
        return [attr.ints('strides', [...window.strides])];
      case 'same': {
        const [h, w] = [(p.dims[2] - 1) / 2, (p.dims[3] - 1) / 2];
        return [attr.ints('pads', [h, w, h, w])];
      }
      case 'none':
        return [];
    }
  }

  /** Window attributes along one spatial axis alone, for a kernel that is a line. */
  slideAlong(axis: 0 | 1): readonly Attribute[] {
    return windowAttributes(this.layer, this.layer.kernel, [axis]);
  }

  concat(part: string, values: readonly string[], last = false): string {
    return this.node('Concat', part, values, [attr.int('axis', 1)], last);
  }

  /** The first `half` channels, and as many after them. */
  halves(part: string, x: string, half: number): readonly [string, string] {
    const outputs = [this.value(`${part}.left`), this.value(`${part}.right`)] as const;
    const inputs = [x, this.ints(`${part}.sizes`, [half, half])];
    const name = `${this.#base}/${part}`;
    this.nodes.push(this.#edit.make({ op: 'Split', name, inputs, outputs, attributes: [attr.int('axis', 1)] }));
    return outputs;
  }

  /** The activation inside the block, or the value itself. */
  bend(part: string, x: string): string {
    if (this.#activation === 'none') return x;
    const y = this.node('Relu', `${part}.relu`, [x]);
    if (this.#activation === 'relu') return y;
    const six = this.tensor(`${part}.six`, [], () => [6]);
    // Min rather than Clip: its form has not changed since opset 8.
    return this.node('Min', `${part}.relu6`, [y, six]);
  }

  /** Channel shuffle (Zhang et al. 2018, section 3.1): [N, g, c/g, H, W] turned to [N, c/g, g, H, W]. */
  shuffle(part: string, x: string, channels: number, groups: number, last = false): string {
    // 0 keeps the batch; -1 the height, for a 5-dimensional form of any size: height and width go together.
    const split = this.node('Reshape', `${part}.split`, [
      x,
      this.ints(`${part}.to`, [0, groups, channels / groups, -1]),
    ]);
    const turned = this.node('Transpose', `${part}.turn`, [split], [attr.ints('perm', [0, 2, 1, 3])]);
    const size = this.node('Shape', `${part}.shape`, [x]);
    return this.node('Reshape', `${part}.join`, [turned, size], [], last);
  }
}
