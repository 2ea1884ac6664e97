/** Owns the gradients of Gemm and MatMul. */
import { attr, floatAttr, intAttr } from '../ir/attribute.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { reshapeTo, transposeBy, withDy, xShape, yShape } from './gradient-rule.ts';

const gemm = (c: GradientContext, a: string, b: string, transA: boolean, transB: boolean, alpha: number): string =>
  c.one(
    'Gemm',
    [a, b],
    [attr.int('transA', transA ? 1 : 0), attr.int('transB', transB ? 1 : 0), attr.float('alpha', alpha)],
  );

/** Y = alpha A' B' + beta C */
export const gemmGradient: GradientRule = withDy((c, dy) => {
  const ta = intAttr(c.node, 'transA', 0) === 1;
  const tb = intAttr(c.node, 'transB', 0) === 1;
  const alpha = floatAttr(c.node, 'alpha', 1);
  const beta = floatAttr(c.node, 'beta', 1);
  const da = (): string => (ta ? gemm(c, c.x(1), dy, tb, true, alpha) : gemm(c, dy, c.x(1), false, !tb, alpha));
  const db = (): string => (tb ? gemm(c, dy, c.x(0), true, ta, alpha) : gemm(c, c.x(0), dy, !ta, false, alpha));
  const dc = (): string => {
    const sum = c.unbroadcast(dy, c.outputs[0]?.shape ?? null, c.inputs[2]?.shape ?? null);
    return beta === 1 ? sum : c.one('Mul', [sum, c.floats([beta], [])]);
  };
  return [c.wants(0) ? da() : undefined, c.wants(1) ? db() : undefined, c.wants(2) ? dc() : undefined];
});

/** Swaps the last two axes. */
const turned = (c: GradientContext, value: string, rank: number): string =>
  transposeBy(c, value, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);

/** Batches broadcast; a vector on a side stands as a matrix while the gradient is made. */
export const matMulGradient: GradientRule = withDy((c, dy) => {
  const [a, b, y] = [xShape(c), xShape(c, 1), yShape(c)];
  const a2 = a.length === 1 ? [1, ...a] : a;
  const b2 = b.length === 1 ? [...b, 1] : b;
  const batch = y.slice(0, y.length - (a.length === 1 ? 0 : 1) - (b.length === 1 ? 0 : 1));
  const rows = a2.at(-2) ?? 1;
  const columns = b2.at(-1) ?? 1;
  const full = [...batch, rows, columns];
  const g = full.length === y.length && full.every((d, i) => d === y[i]) ? dy : reshapeTo(c, dy, full);
  const x = (k: number, dims: readonly number[], own: readonly number[]): string =>
    own.length === 1 ? reshapeTo(c, c.x(k), dims) : c.x(k);
  const back = (grad: string, from: readonly number[], to: readonly number[], own: readonly number[]): string => {
    const sum = c.unbroadcast(grad, from, to);
    return own.length === 1 ? reshapeTo(c, sum, own) : sum;
  };
  const da = (): string =>
    back(c.one('MatMul', [g, turned(c, x(1, b2, b), b2.length)]), [...batch, rows, a2.at(-1) ?? 1], a2, a);
  const db = (): string => {
    // A matrix shared by all samples: one product over samples and rows, instead of a matrix per sample.
    const inner = a2.at(-1) ?? 1;
    if (b2.length === 2 && a2.length > 2) {
      const flatX = reshapeTo(c, c.x(0), [-1, inner]);
      return back(gemm(c, flatX, reshapeTo(c, g, [-1, columns]), true, false, 1), b2, b2, b);
    }
    return back(c.one('MatMul', [turned(c, x(0, a2, a), a2.length), g]), [...batch, inner, columns], b2, b);
  };
  return [c.wants(0) ? da() : undefined, c.wants(1) ? db() : undefined];
});
