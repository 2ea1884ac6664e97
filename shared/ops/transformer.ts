/** Owns what else the runtime fuses of transformers: embeddings, skip normalisations, Gelu forms, generation loops. */

import { attr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { embedGradient } from './attention-gradient.ts';
import { fed, fedAs } from './case-values.ts';
import { type Facts, type GradientRule, type NodeContext, none, type Op } from './declare.ts';
import { sizeOf } from './fold.ts';
import { biasGeluGradient, quickGeluGradient, skipNormGradient } from './fused-gradient.ts';
import {
  family,
  freezeAll,
  likeInput,
  noGradientYet,
  noQuantize,
  perOutput,
  sameAxis,
  tensorFacts,
  times,
} from './rule.ts';

const fused = family({
  domain: 'com.microsoft',
  parameters: {},
  work: perOutput('normalisation', 8),
  gradient: noGradientYet,
  channels: freezeAll('this operator normalises over the channels'),
  quantize: noQuantize,
});

/** ids [B, S], segments, word [V, D], position, segment tables, gamma, beta, mask -> [B, S, D], mask index [B], sum. */
const inferEmbed = (c: NodeContext): readonly Facts[] => {
  const [batch = null, length = null] = c.inputs[0]?.shape ?? [];
  const word = c.inputs[2];
  const out = tensorFacts(c, word?.elem ?? null, [batch, length, word?.shape?.[1] ?? null]);
  return [out, tensorFacts(c, 'int32', [batch]), out].slice(0, c.node.outputs.length);
};

/** Outputs 1 and 2 (mean and inverse deviation) are kept for training only; output 3 is the sum before. */
const inferSkip = (c: NodeContext): readonly Facts[] => {
  const [like = { elem: null, shape: null, constant: false }] = likeInput(c);
  const one = tensorFacts(c, 'float', like.shape === null ? null : [...like.shape.slice(0, -1), 1]);
  return [like, one, one, like].slice(0, c.node.outputs.length);
};

/** Sequences [B, return_sequences, max_length]; the loop's length depends on the data. */
const inferSearch = (c: NodeContext): readonly Facts[] => {
  const batch: Dim = c.inputs[0]?.shape?.[0] ?? null;
  const length = c.inputs[1]?.content?.[0] ?? null;
  const count = c.inputs[4]?.content?.[0] ?? null;
  const shape = c.node.op === 'BeamSearch' ? [batch, count, length] : [batch, length];
  return [tensorFacts(c, 'int32', shape), ...c.node.outputs.slice(1).map(() => tensorFacts(c, null, null))];
};

const gelu = (type: string, bias: boolean, gradient: GradientRule): Op =>
  fused(type, [1], likeInput, {
    gradient,
    parameters: bias ? { 1: 'bias' } : {},
    work: perOutput('elementwise', bias ? 9 : 8),
    channels: {
      relate: (c) => {
        const rank = c.inputs[0]?.shape?.length ?? 0;
        const size = c.inputs[0]?.shape?.[rank - 1];
        return [
          ...(c.inputs[0]?.shape ?? []).flatMap((_, i) => sameAxis(c, 0, i, 0, i)),
          ...(typeof size === 'number' && c.inputs[1]?.shape?.[0] === size
            ? [{ kind: 'same' as const, a: c.in(0, rank - 1), b: c.in(1, 0) }]
            : []),
        ];
      },
    },
    cases: [{ name: 'with bias', inputs: bias ? [fed(2, 3, 4), fed(4)] : [fed(2, 3, 4)] }],
  });

export const transformerOps: readonly Op[] = [
  fused('EmbedLayerNormalization', [1], inferEmbed, {
    parameters: { 2: 'weight', 3: 'weight', 4: 'weight', 5: 'scale', 6: 'scale' },
    gradient: embedGradient,
    cases: [
      {
        name: 'three tables',
        inputs: [
          fedAs('int32', [2, 3], [0, 4]),
          fedAs('int32', [2, 3], [0, 1]),
          fed(5, 8),
          fed(4, 8),
          fed(2, 8),
          fed(8),
          fed(8),
        ],
        outputs: 2,
      },
    ],
  }),
  fused('SkipLayerNormalization', [1], inferSkip, {
    gradient: skipNormGradient(true, { scale: 2, offset: 3, bias: 4 }),
    parameters: { 2: 'scale', 3: 'scale', 4: 'bias' },
    cases: [
      { name: 'a bias', inputs: [fed(2, 3, 4), fed(2, 3, 4), fed(4), fed(4), fed(4)] },
      { name: 'plain', inputs: [fed(2, 3, 4), fed(2, 3, 4), fed(4), fed(4)] },
    ],
  }),
  fused('SkipSimplifiedLayerNormalization', [1], inferSkip, {
    gradient: skipNormGradient(false, { scale: 2, bias: 3 }),
    parameters: { 2: 'scale', 3: 'bias' },
    cases: [
      { name: 'a bias', inputs: [fed(2, 3, 4), fed(2, 3, 4), fed(4), fed(4)] },
      { name: 'plain', inputs: [fed(2, 3, 4), fed(2, 3, 4), fed(4)] },
    ],
  }),
  gelu('FastGelu', true, biasGeluGradient(true)),
  gelu('BiasGelu', true, biasGeluGradient(false)),
  gelu('Gelu', false, biasGeluGradient(false)),
  gelu('QuickGelu', false, quickGeluGradient),
  fused(
    'GemmFastGelu',
    [1],
    (c) => {
      const x = c.inputs[0]?.shape;
      return [
        tensorFacts(c, c.inputs[0]?.elem ?? null, x ? [...x.slice(0, -1), c.inputs[1]?.shape?.[1] ?? null] : null),
      ];
    },
    {
      gradient: none('no kernel in the runtime'),
      parameters: { 1: 'weight', 2: 'bias' },
      work: (c) => ({
        kernel: 'matmul',
        macs: times(sizeOf(c.inputs[0]?.shape), c.inputs[1]?.shape?.[1]),
        otherOps: times(sizeOf(c.outputs[0]?.shape), 9),
      }),
      cases: [
        {
          name: 'plain',
          inputs: [fed(2, 3, 4), fed(4, 5)],
          norun: 'no kernel on the CPU',
          shapes: [[2, 3, 5]],
          macs: 120,
        },
      ],
    },
  ),
  ...['BeamSearch', 'GreedySearch', 'Sampling', 'WhisperBeamSearch'].map((type) =>
    fused(type, [1], inferSearch, {
      work: none('the number of decoded tokens depends on the data'),
      gradient: none('it decodes tokens one by one'),
      channels: freezeAll('channels do not cross into the decoder'),
      cases: [
        {
          name: 'lengths by constants',
          attributes: [attr.int('eos_token_id', 0), attr.int('pad_token_id', 0)],
          inputs: [fedAs('int32', [1, 4])],
          norun: 'wants a decoder',
        },
      ],
    }),
  ),
];
