/** Owns matrix products: Gemm, MatMul. */
import { attr, intAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed } from './case-values.ts';
import type { ChannelContext, ChannelRelation, Facts, InferContext, Op, OpWork, Slot, WorkContext } from './declare.ts';
import { broadcastShapes, sizeOf } from './fold.ts';
import { gemmGradient, matMulGradient } from './matmul-gradient.ts';
import { family, noGradientYet, tensorFacts, times } from './rule.ts';

const transA = (c: { readonly node: InferContext['node'] }): boolean => intAttr(c.node, 'transA', 0) !== 0;
const transB = (c: { readonly node: InferContext['node'] }): boolean => intAttr(c.node, 'transB', 0) !== 0;

/** A: [M, K] or [K, M]; B: [K, N] or [N, K] -> [M, N]. Gemm-1 to 6 flatten nothing: A is a matrix. */
export function inferGemm(c: InferContext): readonly Facts[] {
  const [a, b] = c.inputs;
  const m = a?.shape?.[transA(c) ? 1 : 0] ?? null;
  const n = b?.shape?.[transB(c) ? 0 : 1] ?? null;
  return [tensorFacts(c, a?.elem ?? b?.elem ?? null, [m, n])];
}

export function gemmWork(c: WorkContext): OpWork {
  const out = sizeOf(c.outputs[0]?.shape);
  const k = c.inputs[0]?.shape?.[transA(c) ? 0 : 1] ?? c.inputs[1]?.shape?.[transB(c) ? 1 : 0];
  return { kernel: 'matmul', macs: times(out, k), otherOps: c.inputs[2] === undefined ? 0 : out };
}

export function gemmRelations(c: ChannelContext): readonly ChannelRelation[] {
  const out: ChannelRelation[] = [
    { kind: 'same', a: c.in(0, transA(c) ? 0 : 1), b: c.in(1, transB(c) ? 1 : 0) },
    { kind: 'same', a: c.in(1, transB(c) ? 0 : 1), b: c.out(0, 1) },
    { kind: 'same', a: c.in(0, transA(c) ? 1 : 0), b: c.out(0, 0) },
  ];
  // C broadcasts to [M, N], aligned from the right.
  const bias = c.inputs[2]?.shape;
  bias?.forEach((d, axis) => {
    if (d !== 1) out.push({ kind: 'same', a: c.in(2, axis), b: c.out(0, axis + 2 - bias.length) });
  });
  return out.filter((r) => r.kind !== 'same' || known(c, r.a) === known(c, r.b));
}

/** Size of a slot of this node where known; unequal or unknown sizes are not related. */
function known(c: ChannelContext, slot: Slot): Dim {
  const i = c.node.inputs.indexOf(slot.value);
  const shape = i >= 0 ? c.inputs[i]?.shape : c.outputs[c.node.outputs.indexOf(slot.value)]?.shape;
  return shape?.[slot.axis] ?? null;
}

/** MatMul of numpy: [... M, K] x [... K, N]; a vector counts as a row on the left and a column on the right. */
export function matMulShape(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] | null {
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const batch = broadcastShapes([left.slice(0, -2), right.slice(0, -2)]);
  if (batch === null) return null;
  return [
    ...batch,
    ...(a.length === 1 ? [] : [left.at(-2) ?? null]),
    ...(b.length === 1 ? [] : [right.at(-1) ?? null]),
  ];
}

export function inferMatMul(c: InferContext): readonly Facts[] {
  const [a, b] = c.inputs;
  return [tensorFacts(c, a?.elem ?? b?.elem ?? null, a?.shape && b?.shape ? matMulShape(a.shape, b.shape) : null)];
}

export function matMulWork(c: WorkContext): OpWork {
  const k = c.inputs[0]?.shape?.at(-1) ?? c.inputs[1]?.shape?.at(-2);
  return { kernel: 'matmul', macs: times(sizeOf(c.outputs[0]?.shape), k), otherOps: 0 };
}

export function matMulRelations(c: ChannelContext): readonly ChannelRelation[] {
  const a = c.inputs[0]?.shape;
  const b = c.inputs[1]?.shape;
  const y = c.outputs[0]?.shape;
  if (!a || !b || !y || a.length === 0 || b.length === 0) return [];
  const out: ChannelRelation[] = [];
  const join = (s: Slot, size: Dim | undefined, t: Slot, other: Dim | undefined): void => {
    if (typeof size === 'number' && size === other) out.push({ kind: 'same', a: s, b: t });
  };
  join(c.in(0, a.length - 1), a.at(-1), c.in(1, Math.max(b.length - 2, 0)), b[Math.max(b.length - 2, 0)]);
  if (a.length > 1) {
    const row = y.length - (b.length === 1 ? 1 : 2);
    join(c.in(0, a.length - 2), a.at(-2), c.out(0, row), y[row]);
  }
  if (b.length > 1) join(c.in(1, b.length - 1), b.at(-1), c.out(0, y.length - 1), y.at(-1));
  // Batch axes broadcast from the right; an axis of size 1 is not related.
  for (const [k, shape] of [a, b].entries())
    for (let i = 0; i < shape.length - 2; i++) {
      const j = y.length - (a.length === 1 || b.length === 1 ? 1 : 2) - (shape.length - 2 - i);
      if (shape[i] !== 1) join(c.in(k, i), shape[i], c.out(0, j), y[j]);
    }
  return out;
}

/** Which side holds the constant matrix; the right one where both or neither do. */
const weightSide = (c: { readonly inputs: InferContext['inputs'] }): 0 | 1 =>
  c.inputs[0]?.constant === true && c.inputs[1]?.constant !== true ? 0 : 1;

const product = family({
  domain: '',
  parameters: { 0: 'weight', 1: 'weight' },
  work: matMulWork,
  gradient: noGradientYet,
  channels: { relate: matMulRelations },
  quantize: {
    role: 'compute',
    data: 0,
    weight: 1,
    weightAxis: (c) => {
      const rank = c.inputs[1]?.shape?.length;
      return rank === undefined || rank < 2 ? undefined : rank - 1;
    },
  },
});

export const matMulOps: readonly Op[] = [
  product('Gemm', [1, 6, 7, 9, 11, 13], inferGemm, {
    gradient: gemmGradient,
    parameters: { 0: 'weight', 1: 'weight', 2: 'bias' },
    work: gemmWork,
    channels: {
      relate: gemmRelations,
      makes: (c) => {
        const side = weightSide(c);
        if (c.inputs[side]?.constant !== true) return undefined;
        const bias = c.inputs[2]?.shape;
        const axis = side === 1 ? 1 : 0;
        const biasAxis = bias ? bias.length - 2 + axis : -1;
        const weight = side === 1 ? c.in(1, transB(c) ? 0 : 1) : c.in(0, transA(c) ? 1 : 0);
        const speaks = biasAxis >= 0 && bias?.[biasAxis] !== 1;
        return { weight, output: c.out(0, axis), ...(speaks ? { bias: c.in(2, biasAxis) } : {}) };
      },
    },
    quantize: {
      role: 'compute',
      data: 0,
      weight: 1,
      bias: 2,
      weightAxis: (c) => (transB(c) ? 0 : 1),
    },
    cases: [
      { name: 'plain', inputs: [fed(2, 3), fed(3, 4), fed(4)], macs: 24 },
      {
        name: 'transB, alpha, beta',
        attributes: [attr.int('transB', 1), attr.float('alpha', 0.5), attr.float('beta', 2)],
        inputs: [fed(2, 3), fed(4, 3), fed(1, 4)],
        macs: 24,
      },
      {
        name: 'transA, no bias',
        opset: 11,
        attributes: [attr.int('transA', 1)],
        inputs: [fed(3, 2), fed(3, 4)],
        macs: 24,
      },
      {
        name: 'both transposed',
        opset: 9,
        attributes: [attr.int('transA', 1), attr.int('transB', 1)],
        inputs: [fed(3, 2), fed(4, 3), fed(2, 1)],
        macs: 24,
      },
      { name: 'bias by row and scalar', opset: 7, inputs: [fed(2, 3), fed(3, 4), fed(1)], macs: 24 },
      {
        name: 'broadcast attribute',
        opset: 6,
        attributes: [attr.int('broadcast', 1)],
        inputs: [fed(2, 3), fed(3, 4), fed(4)],
        macs: 24,
        norun: 'the runtime starts at 7',
        shapes: [[2, 4]],
      },
    ],
  }),
  product('MatMul', [1, 9, 13], inferMatMul, {
    gradient: matMulGradient,
    channels: {
      relate: matMulRelations,
      makes: (c) => {
        const side = weightSide(c);
        const w = c.inputs[side];
        const y = c.outputs[0]?.shape;
        if (w?.constant !== true || !w.shape || w.shape.length < 2 || !y) return undefined;
        if (side === 1) return { weight: c.in(1, w.shape.length - 1), output: c.out(0, y.length - 1) };
        const other = c.inputs[1]?.shape?.length;
        const row = y.length - (other === 1 ? 1 : 2);
        return { weight: c.in(0, w.shape.length - 2), output: c.out(0, row) };
      },
    },
    cases: [
      { name: 'matrices', inputs: [fed(2, 3), fed(3, 4)], macs: 24 },
      { name: 'batches broadcast', inputs: [fed(5, 1, 2, 3), fed(4, 3, 6)], macs: 5 * 4 * 2 * 3 * 6 },
      { name: 'vector left', inputs: [fed(3), fed(2, 3, 4)], macs: 24 },
      { name: 'vector right', opset: 9, inputs: [fed(2, 2, 3), fed(3)], macs: 12 },
      { name: 'two vectors', opset: 1, inputs: [fed(3), fed(3)], macs: 3 },
    ],
  }),
];
