/**
 * Owns the gradients of attention, written out in products and a Softmax (Vaswani et al. 2017, eq. 1), and of what turns or
 * sums embeddings before it.
 */
import { text } from '../base/text.ts';
import { attr, floatAttr, intAttr, intsAttr } from '../ir/attribute.ts';
import { numbersTensor } from '../ir/values.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { add, dataOnly, minus, part, refuse, reshapeTo, scalar, times, transposeBy, xShape } from './gradient-rule.ts';

const has = (c: GradientContext, k: number): boolean => (c.node.inputs[k] ?? '') !== '';
/** What a masked score falls by: its share is zero in float. */
const far = -1e9;

/** Queries, keys and values as [B, heads, length, width], with their sizes. */
interface Heads {
  readonly name: string;
  readonly dims: readonly [number, number, number, number];
}

/** [B, S, heads * E] -> [B, heads, S, E]. */
function split(c: GradientContext, name: string, dims: readonly number[], heads: number): Heads {
  const [b = 1, s = 1, d = 1] = dims;
  const parts = reshapeTo(c, name, [b, s, heads, d / heads]);
  return { name: transposeBy(c, parts, [0, 2, 1, 3]), dims: [b, heads, s, d / heads] };
}

/** [B, heads, S, E] -> [B, S, heads * E]. */
const merge = (c: GradientContext, h: Heads): string =>
  reshapeTo(c, transposeBy(c, h.name, [0, 2, 1, 3]), [h.dims[0], h.dims[2], h.dims[1] * h.dims[3]]);

/** Earlier keys or values [B, heads, P, E] before these. */
function behind(c: GradientContext, past: string, length: number, h: Heads): Heads {
  const [b, n, s, e] = h.dims;
  return { name: c.one('Concat', [past, h.name], [attr.int('axis', 2)]), dims: [b, n, length + s, e] };
}

/** Fewer key heads than query heads: each serves a group (Ainslie et al. 2023). */
function repeated(c: GradientContext, h: Heads, heads: number): Heads {
  const [b, n, s, e] = h.dims;
  if (n === heads) return h;
  const wide = c.one('Expand', [reshapeTo(c, h.name, [b, n, 1, s, e]), c.ints([b, n, heads / n, s, e])]);
  return { name: reshapeTo(c, wide, [b, heads, s, e]), dims: [b, heads, s, e] };
}

/** [S, L]: a query sees keys up to its own place, `past` keys before the first query. */
function causal(c: GradientContext, queries: number, keys: number, past: number): string {
  const mask = new Float32Array(queries * keys);
  for (let i = 0; i < queries; i++) for (let j = 0; j < keys; j++) if (j > i + past) mask[i * keys + j] = far;
  return c.constant(numbersTensor('causal', 'float', [queries, keys], mask));
}

interface Setting {
  readonly scale: number;
  readonly softcap?: number;
  /** What is added to the scores. */
  readonly masks: readonly string[];
}

/** softmax(scale Q K' + masks) V: [B, heads, S, F]. */
function product(c: GradientContext, q: Heads, k: Heads, v: Heads, s: Setting): Heads {
  const keys = repeated(c, k, q.dims[1]);
  const values = repeated(c, v, q.dims[1]);
  let scores = times(c, c.one('MatMul', [q.name, transposeBy(c, keys.name, [0, 1, 3, 2])]), s.scale);
  if (s.softcap !== undefined) scores = times(c, c.one('Tanh', [times(c, scores, 1 / s.softcap)]), s.softcap);
  for (const mask of s.masks) scores = add(c, scores, mask);
  const shares = c.one('Softmax', [scores], [attr.int('axis', -1)]);
  const [b, n, length] = q.dims;
  return { name: c.one('MatMul', [shares, values.name]), dims: [b, n, length, values.dims[3]] };
}

const four = (dims: readonly number[]): Heads['dims'] => [dims[0] ?? 1, dims[1] ?? 1, dims[2] ?? 1, dims[3] ?? 1];

/** ai.onnx Attention-23; its scores as a further output are not followed. */
export const attentionGradient: GradientRule = (c) => {
  if (c.dy(3) !== undefined)
    return refuse(c, text('its scores are read by what is trained', '그 점수를 학습 대상이 읽습니다'));
  return c.through(() => {
    const flat = xShape(c).length === 3;
    const heads = (k: number, name: string): Heads => {
      const dims = xShape(c, k);
      return flat ? split(c, c.x(k), dims, intAttr(c.node, name, 1)) : { name: c.x(k), dims: four(dims) };
    };
    const q = heads(0, 'q_num_heads');
    const past = has(c, 4) ? (xShape(c, 4)[2] ?? 0) : 0;
    const [k0, v0] = [heads(1, 'kv_num_heads'), heads(2, 'kv_num_heads')];
    const k = has(c, 4) ? behind(c, c.x(4), past, k0) : k0;
    const v = has(c, 5) ? behind(c, c.x(5), past, v0) : v0;
    const masks: string[] = [];
    if (has(c, 3)) {
      const mask = c.x(3);
      const booleans = c.inputs[3]?.elem === 'bool';
      masks.push(booleans ? c.one('Where', [mask, scalar(c, 0), scalar(c, far)]) : mask);
    }
    if (intAttr(c.node, 'is_causal', 0) === 1) masks.push(causal(c, q.dims[2], k.dims[2], past));
    const softcap = floatAttr(c.node, 'softcap', 0);
    const y = product(c, q, k, v, {
      scale: floatAttr(c.node, 'scale', 1 / Math.sqrt(q.dims[3])),
      masks,
      ...(softcap > 0 ? { softcap } : {}),
    });
    return [flat ? merge(c, y) : y.name, k.name, v.name];
  });
};

/** com.microsoft MultiHeadAttention: query, key, value, bias, key padding, attention bias, past key, past value. */
export const multiHeadGradient: GradientRule = (c) => {
  if (!has(c, 1) || !has(c, 2) || xShape(c).length !== 3)
    return refuse(c, text('its query, key and value are packed', '질의·키·값이 한데 묶여 있습니다'));
  if (has(c, 4)) return refuse(c, text('it masks its keys', '키를 마스킹합니다'));
  const n = intAttr(c.node, 'num_heads', 1);
  return c.through(() => {
    const widths = [xShape(c), xShape(c, 1), xShape(c, 2)].map((d) => (d.length === 3 ? (d[2] ?? 1) : n * (d[3] ?? 1)));
    const starts = [0, widths[0] ?? 0, (widths[0] ?? 0) + (widths[1] ?? 0)];
    const heads = (k: number): Heads => {
      const dims = xShape(c, k);
      if (dims.length === 4) return { name: c.x(k), dims: four(dims) };
      const from = starts[k] ?? 0;
      const x = has(c, 3) ? add(c, c.x(k), part(c, c.x(3), 0, from, from + (widths[k] ?? 0))) : c.x(k);
      return split(c, x, dims, n);
    };
    const past = has(c, 6) ? (xShape(c, 6)[2] ?? 0) : 0;
    const q = heads(0);
    const k = past > 0 ? behind(c, c.x(6), past, heads(1)) : heads(1);
    const v = past > 0 ? behind(c, c.x(7), past, heads(2)) : heads(2);
    const masks = has(c, 5) ? [c.x(5)] : [];
    if (intAttr(c.node, 'unidirectional', 0) === 1) masks.push(causal(c, q.dims[2], k.dims[2], past));
    const scale = floatAttr(c.node, 'scale', 0) || 1 / Math.sqrt(q.dims[3]);
    return [merge(c, product(c, q, k, v, { scale, masks })), k.name, v.name];
  });
};

/** com.microsoft Attention: x, weights, bias, mask [B, L], past [2, B, heads, P, E], attention bias. */
export const fusedAttentionGradient: GradientRule = (c) => {
  if (has(c, 3) && xShape(c, 3).length !== 2)
    return refuse(c, text('the form of its mask is not followed', '마스크의 형태를 다루지 않습니다'));
  const n = intAttr(c.node, 'num_heads', 1);
  return c.through(() => {
    const [batch = 1, length = 1] = xShape(c);
    const columns = xShape(c, 1)[1] ?? 3;
    const sizes = intsAttr(c.node, 'qkv_hidden_sizes') ?? [columns / 3, columns / 3, columns / 3];
    const plain = c.one('MatMul', [c.x(0), c.x(1)]);
    const all = has(c, 2) ? add(c, plain, c.x(2)) : plain;
    let from = 0;
    const [q, k0, v0] = sizes.map((size) => {
      from += size;
      return split(c, part(c, all, 2, from - size, from), [batch, length, size], n);
    });
    if (q === undefined || k0 === undefined || v0 === undefined)
      return refuse(c, text('its sizes are not known', '크기를 알 수 없습니다'));
    const past = has(c, 4) ? (xShape(c, 4)[3] ?? 0) : 0;
    const earlier = (k: number, h: Heads): Heads =>
      past === 0 ? h : behind(c, reshapeTo(c, part(c, c.x(4), 0, k, k + 1), [batch, n, past, h.dims[3]]), past, h);
    const [k, v] = [earlier(0, k0), earlier(1, v0)];
    const masks = has(c, 5) ? [c.x(5)] : [];
    if (has(c, 3)) {
      const shown = c.one('Cast', [reshapeTo(c, c.x(3), [batch, 1, 1, k.dims[2]])], [attr.int('to', 1)]);
      masks.push(times(c, minus(c, scalar(c, 1), shown), -10_000));
    }
    if (intAttr(c.node, 'unidirectional', 0) === 1) masks.push(causal(c, length, k.dims[2], past));
    const scale = floatAttr(c.node, 'scale', 0) || 1 / Math.sqrt(q.dims[3]);
    const y = merge(c, product(c, q, k, v, { scale, masks }));
    const lift = (h: Heads): string => reshapeTo(c, h.name, [1, ...h.dims]);
    if (c.dy(1) === undefined) return [y];
    return [y, c.one('Concat', [lift(k), lift(v)], [attr.int('axis', 0)])];
  });
};

/** Pairs are turned by an angle; the gradient turns them back. `sin`: the input that holds the sines. */
export const rotaryGradient = (sin: number): GradientRule =>
  dataOnly((c, dy) => {
    if ([sin - 1, sin].some((k) => c.wants(k)))
      return refuse(c, text('its angles are not trained', '회전각은 학습하지 않습니다'));
    const negative = c.one('Neg', [c.x(sin)]);
    return c.again(c.node.inputs.map((name, k) => (k === 0 ? dy : k === sin ? negative : name)));
  });

/** com.microsoft EmbedLayerNormalization: word, position and segment tables summed, then normalised. */
export const embedGradient: GradientRule = (c) => {
  if (has(c, 7) || has(c, 8))
    return refuse(c, text('its mask and positions are not followed', '마스크와 위치를 다루지 않습니다'));
  return c.through(() => {
    const [, length = 1] = xShape(c);
    const rows = (table: number, ids: string): string => c.one('Gather', [c.x(table), ids]);
    const places = c.ints(Array.from({ length }, (_, i) => i));
    const both = add(c, rows(2, c.x(0)), rows(3, places));
    const sum = has(c, 4) && has(c, 1) ? add(c, both, rows(4, c.x(1))) : both;
    const epsilon = attr.float('epsilon', floatAttr(c.node, 'epsilon', 1e-12));
    return [c.one('LayerNormalization', [sum, c.x(5), c.x(6)], [attr.int('axis', -1), epsilon]), '', sum];
  });
};
