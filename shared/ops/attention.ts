/** Owns attention: ai.onnx Attention-23, RotaryEmbedding, and the fused com.microsoft forms. */

import { attr, intAttr, intsAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { attentionGradient, fusedAttentionGradient, multiHeadGradient, rotaryGradient } from './attention-gradient.ts';
import { fed, fixed, ints } from './case-values.ts';
import { type Facts, type NodeContext, none, type Op, type OpWork, type WorkContext } from './declare.ts';
import { family, freezeAll, likeInput, noGradientYet, noQuantize, perOutput, tensorFacts, times } from './rule.ts';

const heads = family({
  domain: '',
  parameters: {},
  work: { none: 'counted by its own rule' },
  gradient: noGradientYet,
  channels: freezeAll('the channels of an attention are its heads'),
  quantize: noQuantize,
});
const microsoft = family({
  domain: 'com.microsoft',
  parameters: {},
  work: { none: 'counted by its own rule' },
  gradient: noGradientYet,
  channels: freezeAll('the channels of an attention are its heads'),
  quantize: noQuantize,
});

const sum = (a: Dim | undefined, b: Dim | undefined): Dim => {
  if (b === 0) return a ?? null;
  if (a === 0) return b ?? null;
  return typeof a === 'number' && typeof b === 'number' ? a + b : null;
};
const part = (a: Dim | undefined, n: number): Dim => (typeof a === 'number' && n > 0 && a % n === 0 ? a / n : null);

/** Sizes of scaled dot products: queries x keys. */
interface Scores {
  readonly batch: Dim;
  readonly heads: Dim;
  readonly queries: Dim;
  readonly keys: Dim;
  /** Width of one head of Q and K, and of V. */
  readonly width: Dim;
  readonly valueWidth: Dim;
}

/** Q K' and scores x V; the softmax is other work (five operations a score). */
function attentionWork(s: Scores, projections: number | null = 0): OpWork {
  const scores = times(s.batch, s.heads, s.queries, s.keys);
  const inner = times(
    scores,
    typeof s.width === 'number' && typeof s.valueWidth === 'number' ? s.width + s.valueWidth : null,
  );
  const macs = inner === null || projections === null ? null : inner + projections;
  return { kernel: 'attention', macs, otherOps: times(scores, 5) };
}

// ---------------------------------------------------------------- ai.onnx Attention-23

interface Standard extends Scores {
  readonly flat: boolean;
  readonly keyHeads: Dim;
}

/** Q: [B, heads, S, E] or [B, S, heads * E] with q_num_heads; K, V alike; past K, V are inputs 4 and 5. */
function standard(c: NodeContext): Standard | undefined {
  const [q, k, v] = c.inputs.map((i) => i?.shape);
  if (!q || !k || !v) return undefined;
  const flat = q.length === 3;
  const qh = intAttr(c.node, 'q_num_heads', 1);
  const kh = intAttr(c.node, 'kv_num_heads', 1);
  const past = c.inputs[4] === undefined ? 0 : (c.inputs[4].shape?.[2] ?? null);
  return {
    flat,
    batch: q[0] ?? null,
    heads: flat ? qh : (q[1] ?? null),
    keyHeads: flat ? kh : (k[1] ?? null),
    queries: (flat ? q[1] : q[2]) ?? null,
    keys: sum(flat ? k[1] : k[2], past),
    width: flat ? part(q[2], qh) : (q[3] ?? null),
    valueWidth: flat ? part(v[2], kh) : (v[3] ?? null),
  };
}

const inferStandard = (c: NodeContext): readonly Facts[] => {
  const s = standard(c);
  const elem = c.inputs[0]?.elem ?? null;
  const facts = (shape: readonly Dim[]): Facts => tensorFacts(c, elem, s === undefined ? null : shape);
  const out = s?.flat
    ? [s.batch, s.queries, times(s.heads, s.valueWidth)]
    : [s?.batch ?? null, s?.heads ?? null, s?.queries ?? null, s?.valueWidth ?? null];
  const cache = (width: Dim): readonly Dim[] => [s?.batch ?? null, s?.keyHeads ?? null, s?.keys ?? null, width];
  return [
    facts(out),
    facts(cache(s?.width ?? null)),
    facts(cache(s?.valueWidth ?? null)),
    facts([s?.batch ?? null, s?.heads ?? null, s?.queries ?? null, s?.keys ?? null]),
  ].slice(0, c.node.outputs.length);
};

const unknownScores: Scores = { batch: null, heads: null, queries: null, keys: null, width: null, valueWidth: null };

// ---------------------------------------------------------------- com.microsoft

/** Attention: x [B, S, D], weights [D, 3 * hidden]; past and present [2, B, heads, T, hidden / heads]. */
function fused(c: NodeContext): Scores & { readonly input: Dim; readonly hidden: Dim; readonly columns: Dim } {
  const [x, w] = c.inputs.map((i) => i?.shape);
  const n = intAttr(c.node, 'num_heads', 1);
  const columns = w?.[1] ?? null;
  const sizes = intsAttr(c.node, 'qkv_hidden_sizes');
  const qk = sizes?.[0] ?? part(columns, 3);
  const hidden = sizes?.[2] ?? part(columns, 3);
  const past = c.inputs[4] === undefined ? 0 : (c.inputs[4].shape?.[3] ?? null);
  return {
    batch: x?.[0] ?? null,
    heads: n,
    queries: x?.[1] ?? null,
    keys: sum(x?.[1], past),
    width: part(qk, n),
    valueWidth: part(hidden, n),
    input: x?.[2] ?? null,
    hidden,
    columns,
  };
}

const inferFused = (c: NodeContext): readonly Facts[] => {
  const s = fused(c);
  const elem = c.inputs[0]?.elem ?? null;
  return [
    tensorFacts(c, elem, [s.batch, s.queries, s.hidden]),
    tensorFacts(c, elem, [2, s.batch, s.heads, s.keys, s.width]),
  ].slice(0, c.node.outputs.length);
};

/** MultiHeadAttention: query [B, S, D], key [B, L, D] or [B, heads, L, E], value alike; packed forms give no shape. */
function multiHead(c: NodeContext): Scores | undefined {
  const [q, k, v] = c.inputs.map((i) => i?.shape);
  const n = intAttr(c.node, 'num_heads', 1);
  if (q?.length !== 3 || !k || !v) return undefined;
  const past = c.inputs[6] === undefined ? 0 : (c.inputs[6].shape?.[2] ?? null);
  const keys = k.length === 4 ? k[2] : k[1];
  return {
    batch: q[0] ?? null,
    heads: n,
    queries: q[1] ?? null,
    keys: sum(keys, past),
    width: part(q[2], n),
    valueWidth: v.length === 4 ? (v[3] ?? null) : part(v[2], n),
  };
}

const inferMultiHead = (c: NodeContext): readonly Facts[] => {
  const s = multiHead(c);
  const elem = c.inputs[0]?.elem ?? null;
  const facts = (shape: readonly Dim[]): Facts => tensorFacts(c, elem, s === undefined ? null : shape);
  const a = s ?? unknownScores;
  return [
    facts([a.batch, a.queries, times(a.heads, a.valueWidth)]),
    facts([a.batch, a.heads, a.keys, a.width]),
    facts([a.batch, a.heads, a.keys, a.valueWidth]),
  ].slice(0, c.node.outputs.length);
};

/** GroupQueryAttention: query [B, S, heads * E], key [B, S, kv_heads * E]; past [B, kv_heads, P, E]. */
function grouped(c: NodeContext): Scores & { readonly keyHeads: number } {
  const [q, k] = c.inputs.map((i) => i?.shape);
  const n = intAttr(c.node, 'num_heads', 1);
  const keyHeads = intAttr(c.node, 'kv_num_heads', 1);
  // Q, K and V packed into the query where key is omitted.
  const width = c.inputs[1] === undefined ? part(q?.[2], n + 2 * keyHeads) : part(q?.[2], n);
  const past = c.inputs[3] === undefined ? 0 : null;
  const keys = sum(k?.[1] ?? q?.[1], past);
  return { batch: q?.[0] ?? null, heads: n, keyHeads, queries: q?.[1] ?? null, keys, width, valueWidth: width };
}

const inferGrouped = (c: NodeContext): readonly Facts[] => {
  const s = grouped(c);
  const elem = c.inputs[0]?.elem ?? null;
  const cache = tensorFacts(c, elem, [s.batch, s.keyHeads, s.keys, s.width]);
  return [tensorFacts(c, elem, [s.batch, s.queries, times(s.heads, s.width)]), cache, cache].slice(
    0,
    c.node.outputs.length,
  );
};

const fusedWork = (c: WorkContext): OpWork => {
  const s = fused(c);
  return attentionWork(s, times(s.batch, s.queries, s.input, s.columns));
};

const rotary = (c: NodeContext): readonly Facts[] => likeInput(c);

/** Angles of three places and two pairs. */
const angles = [0, 0, 1, 0.01, 2, 0.02];
const cosines = (dims: readonly number[]) => fixed('float', angles.map(Math.cos), dims);
const sines = (dims: readonly number[]) => fixed('float', angles.map(Math.sin), dims);

export const attentionOps: readonly Op[] = [
  heads('Attention', [23, 24], inferStandard, {
    gradient: attentionGradient,
    work: (c) => attentionWork(standard(c) ?? unknownScores),
    cases: [
      {
        name: 'fewer key heads, causal, capped',
        opset: 23,
        attributes: [attr.int('is_causal', 1), attr.float('scale', 0.7), attr.float('softcap', 2)],
        inputs: [fed(2, 4, 3, 2), fed(2, 2, 3, 2), fed(2, 2, 3, 2)],
        macs: 2 * 4 * 3 * 3 * 4,
      },
      {
        name: 'masks',
        opset: 23,
        inputs: [fed(1, 2, 2, 4), fed(1, 2, 3, 4), fed(1, 2, 3, 4), fixed('bool', [1, 0, 1, 1, 1, 0], [2, 3])],
        macs: 2 * 2 * 3 * 8,
      },
      {
        name: 'four axes',
        opset: 23,
        inputs: [fed(1, 2, 3, 4), fed(1, 2, 5, 4), fed(1, 2, 5, 6)],
        // 1 x 2 heads x 3 queries x 5 keys x (4 + 6)
        macs: 300,
      },
      {
        name: 'three axes',
        opset: 23,
        attributes: [attr.int('q_num_heads', 2), attr.int('kv_num_heads', 2)],
        inputs: [fed(1, 3, 8), fed(1, 5, 8), fed(1, 5, 8)],
        macs: 240,
      },
      {
        name: 'with a cache',
        opset: 23,
        inputs: [fed(1, 2, 3, 4), fed(1, 2, 5, 4), fed(1, 2, 5, 4), undefined, fed(1, 2, 6, 4), fed(1, 2, 6, 4)],
        outputs: 3,
        macs: 1 * 2 * 3 * 11 * 8,
      },
    ],
  }),
  heads('RotaryEmbedding', [23], rotary, {
    gradient: rotaryGradient(2),
    work: perOutput('elementwise', 3),
    cases: [{ name: 'four axes', opset: 23, inputs: [fed(1, 2, 3, 4), cosines([1, 3, 2]), sines([1, 3, 2])] }],
  }),
  microsoft('Attention', [1], inferFused, {
    parameters: { 1: 'weight', 2: 'bias' },
    gradient: fusedAttentionGradient,
    work: fusedWork,
    cases: [
      {
        name: 'self attention',
        attributes: [attr.int('num_heads', 2)],
        inputs: [fed(1, 3, 8), fed(8, 24), fed(24)],
        // projections 3 x 8 x 24, scores 2 heads x 3 x 3 x (4 + 4)
        macs: 576 + 144,
      },
      {
        name: 'past and present',
        attributes: [attr.int('num_heads', 2), attr.int('unidirectional', 1)],
        inputs: [fed(1, 3, 8), fed(8, 24), fed(24), undefined, fed(2, 1, 2, 5, 4)],
        outputs: 2,
        macs: 576 + 2 * 3 * 8 * 8,
      },
    ],
  }),
  microsoft('MultiHeadAttention', [1], inferMultiHead, {
    gradient: multiHeadGradient,
    work: (c) => attentionWork(multiHead(c) ?? unknownScores),
    cases: [
      {
        name: 'a bias, causal',
        attributes: [attr.int('num_heads', 2), attr.int('unidirectional', 1)],
        inputs: [fed(1, 3, 8), fed(1, 3, 8), fed(1, 3, 8), fed(24)],
        macs: 2 * 3 * 3 * 8,
      },
      {
        name: 'query, key, value',
        attributes: [attr.int('num_heads', 2)],
        inputs: [fed(1, 3, 8), fed(1, 5, 8), fed(1, 5, 8)],
        macs: 2 * 3 * 5 * 8,
      },
    ],
  }),
  microsoft('GroupQueryAttention', [1], inferGrouped, {
    gradient: none('it decodes with a cache of its own'),
    work: (c) => attentionWork(grouped(c)),
    cases: [
      {
        name: 'two key heads',
        attributes: [attr.int('num_heads', 4), attr.int('kv_num_heads', 2)],
        inputs: [fed(1, 3, 16), fed(1, 3, 8), fed(1, 3, 8)],
        norun: 'wants a cache of its own',
        shapes: [[1, 3, 16]],
        macs: 4 * 3 * 3 * 8,
      },
    ],
  }),
  microsoft('RotaryEmbedding', [1], rotary, {
    gradient: rotaryGradient(3),
    work: perOutput('elementwise', 3),
    cases: [
      { name: 'caches', inputs: [fed(1, 2, 3, 4), ints([0, 1, 2], [1, 3]), cosines([3, 2]), sines([3, 2])] },
      { name: 'shape only', inputs: [fed(1, 2, 3, 4)], norun: 'takes caches', shapes: [[1, 2, 3, 4]] },
    ],
  }),
];
