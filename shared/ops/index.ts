/** Owns the registry of operators: one line per family. */

import { activationOps } from './activation.ts';
import { attentionOps } from './attention.ts';
import { castOps } from './cast.ts';
import { classicalOps } from './classical.ts';
import { concatSplitOps } from './concat-split.ts';
import { constantOps } from './constant.ts';
import { controlOps } from './control.ts';
import { convOps } from './conv.ts';
import type { Op } from './declare.ts';
import { einsumOps } from './einsum.ts';
import { elementwiseOps } from './elementwise.ts';
import { fillOps } from './fill.ts';
import { gatherOps } from './gather.ts';
import { legacyOps } from './legacy.ts';
import { lossOps } from './loss.ts';
import { matMulOps } from './matmul.ts';
import { normalisationOps } from './normalisation.ts';
import { poolOps } from './pool.ts';
import { quantizeLinearOps } from './quantize-linear.ts';
import { quantizedMapOps } from './quantized-map.ts';
import { quantizedProductOps } from './quantized-product.ts';
import { randomOps } from './random.ts';
import { rearrangeOps } from './rearrange.ts';
import { recurrentOps } from './recurrent.ts';
import { reduceOps } from './reduce.ts';
import { reshapeOps } from './reshape.ts';
import { resizeOps } from './resize.ts';
import { scatterOps } from './scatter.ts';
import { sequenceOps } from './sequence.ts';
import { signalOps } from './signal.ts';
import { slicePadOps } from './slice-pad.ts';
import { softmaxOps } from './softmax.ts';
import { textOps } from './text.ts';
import { transformerOps } from './transformer.ts';
import { unaryOps } from './unary.ts';

/** In order of declaration; a test holds that no operator stands in two. */
export const families: readonly (readonly Op[])[] = [
  convOps,
  matMulOps,
  poolOps,
  normalisationOps,
  elementwiseOps,
  unaryOps,
  activationOps,
  softmaxOps,
  reshapeOps,
  rearrangeOps,
  concatSplitOps,
  slicePadOps,
  gatherOps,
  scatterOps,
  fillOps,
  constantOps,
  castOps,
  randomOps,
  reduceOps,
  einsumOps,
  resizeOps,
  recurrentOps,
  controlOps,
  sequenceOps,
  classicalOps,
  attentionOps,
  transformerOps,
  quantizeLinearOps,
  legacyOps,
  textOps,
  signalOps,
  quantizedProductOps,
  quantizedMapOps,
  lossOps,
];

const byDomain = new Map<string, Map<string, Op>>();
for (const family of families)
  for (const o of family) {
    const types = byDomain.get(o.domain) ?? new Map<string, Op>();
    byDomain.set(o.domain, types.set(o.type, o));
  }

/** Every declared operator. */
export const allOps = (): readonly Op[] => [...byDomain.values()].flatMap((types) => [...types.values()]);

/** The declaration of an operator; undefined for one we have no rule for (shown as "not counted", frozen). */
export const opOf = (node: { readonly op: string; readonly domain: string }): Op | undefined =>
  byDomain.get(node.domain === 'ai.onnx' ? '' : node.domain)?.get(node.op);
