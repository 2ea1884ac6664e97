/**
 * Owns the two-stage factorisations, all by singular values: Gemm and MatMul; convolutions over channels (k x k with r outputs, then
 * 1x1; Denil et al. 2013, Zhang et al. 2015) and over space (k x 1 with r outputs, then 1 x k; Jaderberg et al. 2014).
 */

import { lazy } from '../base/lazy.ts';
import { attr, intAttr } from '../ir/attribute.ts';
import type { Attribute } from '../ir/model.ts';
import { windowOf } from '../ops/window.ts';
import type { FactorForm, LinearWeight, Stage } from './factor-form.ts';
import { type Matrix, spectrum } from './spectrum.ts';

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Spatial sizes around a convolution; null where one is not known. */
export interface Area {
  /** Spatial sizes of input and output. */
  readonly input: readonly number[] | null;
  readonly output: readonly number[] | null;
}

export interface ConvShape {
  readonly group: number;
  /** Outputs and inputs of one group. */
  readonly outputs: number;
  readonly inputs: number;
  readonly kernel: readonly number[];
}

export function convShape({ node, dims }: LinearWeight): ConvShape {
  const group = intAttr(node, 'group', 1);
  const [o = 1, c = 1, ...kernel] = dims;
  return { group, outputs: o / group, inputs: c, kernel };
}

/** Attributes of a convolution that takes over the window of `source` along the axes in `axes`, and is 1 wide along the others. */
export function windowAttributes(
  source: Pick<LinearWeight, 'node'>,
  kernel: readonly number[],
  axes: readonly number[],
  group?: number,
): readonly Attribute[] {
  const rank = kernel.length;
  const w = windowOf(source.node, rank);
  const mine = (list: readonly number[], i: number, other: number): number =>
    axes.includes(i) ? (list[i] ?? other) : other;
  const spread = (list: readonly number[], other: number): number[] => kernel.map((_, i) => mine(list, i, other));
  const size = kernel.map((k, i) => (axes.includes(i) ? k : 1));
  const fixed = w.autoPad === 'NOTSET';
  const begins = kernel.map((_, i) => (axes.includes(i) ? (w.pads[i] ?? 0) : 0));
  const ends = kernel.map((_, i) => (axes.includes(i) ? (w.pads[i + rank] ?? 0) : 0));
  return [
    attr.ints('kernel_shape', size),
    attr.ints('strides', spread(w.strides, 1)),
    attr.ints('dilations', spread(w.dilations, 1)),
    ...(group === undefined ? [] : [attr.int('group', group)]),
    ...(fixed ? [attr.ints('pads', [...begins, ...ends])] : [attr.string('auto_pad', w.autoPad)]),
  ];
}

const times = (...parts: readonly (number | null)[]): number | null =>
  parts.reduce<number | null>((a, b) => (a === null || b === null ? null : a * b), 1);
const plus = (...parts: readonly (number | null)[]): number | null =>
  parts.reduce<number | null>((a, b) => (a === null || b === null ? null : a + b), 0);
export const positions = (dims: readonly number[] | null): number | null => (dims === null ? null : product(dims));
export { plus, times };

/** Spectra of the groups' matrices together: a rank is the same in every group. */
function spectra(count: number, matrix: (group: number) => Matrix) {
  const all = Array.from({ length: count }, (_, g) => spectrum(() => matrix(g)));
  const energies = lazy(() => {
    const each = all.map((s) => s.energies());
    return Float64Array.from({ length: each[0]?.length ?? 0 }, (_, k) => each.reduce((sum, e) => sum + (e[k] ?? 0), 0));
  });
  const kept = (rank: number): number => {
    const total = energies().reduce((a, b) => a + b, 0);
    return total === 0
      ? 1
      : energies()
          .subarray(0, rank)
          .reduce((a, b) => a + b, 0) / total;
  };
  return {
    kept,
    error: (rank: number) => Math.sqrt(Math.max(0, 1 - kept(rank))),
    factors: (rank: number) => all.map((s) => s.factors(rank)),
  };
}

/** Weight of Gemm or MatMul as [K, N] in two: [K, r] and [r, N]. `rows`: how many rows the layer multiplies. */
export function matrixForm(weight: LinearWeight, rows: number | null): FactorForm {
  const { node, dims } = weight;
  const turned = node.op === 'Gemm' && intAttr(node, 'transB', 0) === 1;
  const [first = 1, second = 1] = dims;
  const [k, n] = turned ? [second, first] : [first, second];
  const s = spectra(1, () => {
    const v = weight.values();
    if (!turned) return { rows: k, columns: n, data: v };
    const data = new Float64Array(k * n);
    for (let i = 0; i < k; i++) for (let j = 0; j < n; j++) data[i * n + j] = v[j * k + i] ?? 0;
    return { rows: k, columns: n, data };
  });
  const transA = node.op === 'Gemm' && intAttr(node, 'transA', 0) === 1;
  return {
    name: 'svd',
    full: { weights: k * n, macs: times(rows, k * n) },
    maxRank: Math.min(k, n),
    cost: (r) => ({ weights: r * (k + n), macs: times(rows, r * (k + n)) }),
    kept: s.kept,
    error: s.error,
    words: (r) => `${k} x ${n} -> rank ${r}`,
    stages: (r): readonly Stage[] => {
      const factors = lazy(() => s.factors(r)[0]);
      const head: Stage = transA
        ? { op: 'Gemm', attributes: [attr.int('transA', 1)], dims: [k, r], values: () => factors()?.left.data ?? [] }
        : { op: 'MatMul', attributes: [], dims: [k, r], values: () => factors()?.left.data ?? [] };
      const scaled = node.attributes.filter((a) => a.name === 'alpha' || a.name === 'beta');
      const tail = { dims: [r, n], values: () => factors()?.right.data ?? [] };
      return [
        head,
        node.op === 'Gemm' ? { op: 'Gemm', attributes: scaled, ...tail } : { op: 'MatMul', attributes: [], ...tail },
      ];
    },
  };
}

/** W: [O, C, k...] as [O, C k] a group: the whole window with r outputs, then 1 x 1 to O. */
export function channelForm(weight: LinearWeight, area: Area): FactorForm {
  const shape = convShape(weight);
  const { group, outputs: o, inputs: c, kernel } = shape;
  const cells = product(kernel);
  const columns = c * cells;
  const s = spectra(group, (g) => ({
    rows: o,
    columns,
    data: weight.values().slice(g * o * columns, (g + 1) * o * columns),
  }));
  const out = positions(area.output);
  const axes = kernel.map((_, i) => i);
  const pointwise = cells === 1;
  return {
    name: pointwise ? 'svd' : 'channel',
    full: { weights: group * o * columns, macs: times(out, group * o * columns) },
    maxRank: Math.min(o, columns),
    cost: (r) => ({ weights: group * r * (columns + o), macs: times(out, group * r * (columns + o)) }),
    kept: s.kept,
    error: s.error,
    words: (r) => `${kernel.join('x')} with ${group * r} outputs, then 1x1 (rank ${r})`,
    stages: (r) => {
      const factors = lazy(() => s.factors(r));
      const joined = (part: 'left' | 'right') => (): Float64Array => {
        const each = factors().map((f) => f[part].data);
        const all = new Float64Array(each.reduce((n, d) => n + d.length, 0));
        each.reduce((at, d) => {
          all.set(d, at);
          return at + d.length;
        }, 0);
        return all;
      };
      return [
        {
          op: 'Conv',
          attributes: windowAttributes(weight, kernel, axes, group),
          dims: [group * r, c, ...kernel],
          values: joined('right'),
        },
        {
          op: 'Conv',
          attributes: windowAttributes(weight, kernel, [], group),
          dims: [group * o, r, ...kernel.map(() => 1)],
          values: joined('left'),
        },
      ];
    },
  };
}

/** W: [O, C, kh, kw] as [C kh, O kw] a group: kh x 1 with r outputs, then 1 x kw. */
export function spatialForm(weight: LinearWeight, area: Area): FactorForm {
  const { group, outputs: o, inputs: c, kernel } = convShape(weight);
  const [kh = 1, kw = 1] = kernel;
  const at = (g: number, out: number, ch: number, i: number, j: number): number =>
    (((g * o + out) * c + ch) * kh + i) * kw + j;
  const s = spectra(group, (g) => {
    const w = weight.values();
    const data = new Float64Array(c * kh * o * kw);
    for (let ch = 0; ch < c; ch++)
      for (let i = 0; i < kh; i++)
        for (let out = 0; out < o; out++)
          for (let j = 0; j < kw; j++) data[((ch * kh + i) * o + out) * kw + j] = w[at(g, out, ch, i, j)] ?? 0;
    return { rows: c * kh, columns: o * kw, data };
  });
  const out = positions(area.output);
  const between = area.input === null || area.output === null ? null : (area.output[0] ?? 1) * (area.input[1] ?? 1);
  return {
    name: 'spatial',
    full: { weights: group * o * c * kh * kw, macs: times(out, group * o * c * kh * kw) },
    maxRank: Math.min(c * kh, o * kw),
    cost: (r) => ({
      weights: group * r * (c * kh + o * kw),
      macs: plus(times(between, group * r * c * kh), times(out, group * r * o * kw)),
    }),
    kept: s.kept,
    error: s.error,
    words: (r) => `${kh}x1 with ${group * r} outputs, then 1x${kw} (rank ${r})`,
    stages: (r) => {
      const factors = lazy(() => s.factors(r));
      const down = (): Float64Array => {
        const all = new Float64Array(group * r * c * kh);
        factors().forEach(({ left }, g) => {
          for (let q = 0; q < r; q++)
            for (let k = 0; k < c * kh; k++) all[(g * r + q) * c * kh + k] = left.data[k * r + q] ?? 0;
        });
        return all;
      };
      const across = (): Float64Array => {
        const all = new Float64Array(group * o * r * kw);
        factors().forEach(({ right }, g) => {
          for (let n = 0; n < o; n++)
            for (let q = 0; q < r; q++)
              for (let j = 0; j < kw; j++)
                all[((g * o + n) * r + q) * kw + j] = right.data[q * o * kw + n * kw + j] ?? 0;
        });
        return all;
      };
      return [
        {
          op: 'Conv',
          attributes: windowAttributes(weight, kernel, [0], group),
          dims: [group * r, c, kh, 1],
          values: down,
        },
        {
          op: 'Conv',
          attributes: windowAttributes(weight, kernel, [1], group),
          dims: [group * o, r, 1, kw],
          values: across,
        },
      ];
    },
  };
}
