/** Owns the other side of a linear layer: which channel of its input each weight element meets. */
import { intAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import type { LinearLayer } from './channel-scaling.ts';

export interface InputChannels {
  readonly channels: number;
  /** Input channel that the weight's element k multiplies. */
  channelOf(k: number): number;
}

/** Channels stand along axis 1 of a convolution's input, along the last of a matrix product's; undefined for a transposed Gemm input. */
export function readBy({ node, weight, channels }: LinearLayer): InputChannels | undefined {
  const { dims } = weight.tensor;
  const [first = 1, second = 1] = dims;
  const inner = elementCount(dims.slice(1));
  switch (node.op) {
    case 'Conv': {
      // W: [Cout, Cin / group, ...]: the group of the output row says where its inputs begin.
      const group = intAttr(node, 'group', 1);
      const rows = channels / group;
      const spatial = elementCount(dims.slice(2));
      return {
        channels: second * group,
        channelOf: (k) => Math.floor(Math.floor(k / inner) / rows) * second + Math.floor((k % inner) / spatial),
      };
    }
    case 'ConvTranspose':
      return { channels: first, channelOf: (k) => Math.floor(k / inner) };
    case 'Gemm':
      if (intAttr(node, 'transA', 0) === 1) return undefined;
      return intAttr(node, 'transB', 0) === 1
        ? { channels: second, channelOf: (k) => k % second }
        : { channels: first, channelOf: (k) => Math.floor(k / second) };
    case 'MatMul':
      return { channels: first, channelOf: (k) => Math.floor(k / second) };
    default:
      return undefined;
  }
}
