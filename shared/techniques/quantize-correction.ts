/**
 * Owns bias correction (Nagel et al. 2019, section 4.2): rounded weights shift the mean of a layer's outputs by (Wq - W) E[x], one number a
 * channel, and the bias takes that back. E[x] is the mean of each input channel over calibration samples; borders that a convolution pads
 * with zeros are counted like the rest.
 */
import type { ChannelAxis, EvidenceRequest } from '../analysis/evidence.ts';
import type { Model } from '../ir/model.ts';
import { linearLayer } from '../transforms/channel-scaling.ts';
import { readBy } from '../transforms/input-channels.ts';
import { evidenceOf, type StepContext } from './declare.ts';
import type { QuantLayer } from './quantize-layers.ts';

/** What a layer's bias must add; undefined where the layer can take no bias. */
export type Correction = (layer: QuantLayer) => ((rounded: () => Float64Array) => Float64Array) | undefined;

export const correctsBias = ({ params }: Pick<StepContext, 'params'>): boolean =>
  params.mode === 'static' && params.correctBias === true;

/** The axis of a layer's input whose means tell the shift. A MatMul takes a bias only as a Gemm, between matrices. */
function meansOf(c: Pick<StepContext, 'facts'>, { node, weight }: QuantLayer): ChannelAxis | undefined {
  const value = node.inputs[0] ?? '';
  if (node.op === 'MatMul' && (c.facts.get(value)?.shape?.length !== 2 || weight.tensor.dims.length !== 2))
    return undefined;
  return ['Conv', 'Gemm', 'MatMul'].includes(node.op) ? { value, axis: 1 } : undefined;
}

/** Channel means of the layers' inputs, on the model as it is quantized. */
export function correctionRequest(
  c: StepContext,
  model: Model,
  layers: Iterable<QuantLayer>,
): EvidenceRequest | undefined {
  if (!correctsBias(c)) return undefined;
  const means = new Map<string, ChannelAxis>();
  for (const layer of layers) {
    const axis = meansOf(c, layer);
    if (axis !== undefined) means.set(axis.value, axis);
  }
  if (means.size === 0) return undefined;
  return { samples: Number(c.params.samples ?? 128), model, channels: [...means.values()] };
}

/** The corrections that the parameters ask for. Their thunks fault `no-data` in a preview. */
export function correctionOf(c: StepContext, model: Model): Correction {
  if (!correctsBias(c)) return () => undefined;
  return (layer) => {
    const axis = meansOf(c, layer);
    const linear = linearLayer(model.graph, layer.node);
    const read = linear === undefined ? undefined : readBy(linear);
    if (axis === undefined || linear === undefined || read === undefined) return undefined;
    return (rounded) => {
      const { mean } = evidenceOf(c).channel(axis);
      const exact = layer.numbers();
      const is = rounded();
      const out = new Float64Array(linear.channels);
      for (let k = 0; k < exact.length; k++) {
        const o = linear.channelOf(k);
        out[o] = (out[o] ?? 0) + ((exact[k] ?? 0) - (is[k] ?? 0)) * (mean[read.channelOf(k)] ?? 0);
      }
      return out;
    };
  };
}
