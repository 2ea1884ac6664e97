/**
 * Owns the nearest kernels of a given form: separable, narrow on both sides (Tucker-2), and grouped on both sides (CP per pair of
 * groups). Kernels are [outputs, inputs, taps], row-major.
 */
import { lowRank, product } from '../../base/low-rank.ts';
import { alongInputs, byInput } from '../kernel-algebra.ts';
import { spectrum, transposed } from '../spectrum.ts';

export interface Kernel {
  readonly values: Float64Array;
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
}

export interface Separable {
  /** [inputs * rank, taps]: filters of input channel c stand at c * rank. */
  readonly depthwise: Float64Array;
  /** [outputs, inputs * rank] */
  readonly pointwise: Float64Array;
  /** What both together are. */
  readonly composite: Float64Array;
}

/** For each input channel, the nearest matrix [outputs, taps] of that rank: depthwise filters and their mixture (SVD). */
export function separable(k: Kernel, rank: number): Separable {
  const { values, outputs, inputs, taps } = k;
  const depthwise = new Float64Array(inputs * rank * taps);
  const pointwise = new Float64Array(outputs * inputs * rank);
  const composite = new Float64Array(values.length);
  for (let c = 0; c < inputs; c++) {
    const slice = new Float64Array(outputs * taps);
    for (let n = 0; n < outputs; n++)
      slice.set(values.subarray((n * inputs + c) * taps, (n * inputs + c + 1) * taps), n * taps);
    const cut = lowRank(slice, outputs, taps, rank);
    for (let r = 0; r < cut.rank; r++) {
      const row = c * rank + r;
      for (let t = 0; t < taps; t++) depthwise[row * taps + t] = cut.right[r * taps + t] ?? 0;
      for (let n = 0; n < outputs; n++) {
        const p = cut.left[n * cut.rank + r] ?? 0;
        pointwise[n * inputs * rank + row] = p;
        for (let t = 0; t < taps; t++) {
          const at = (n * inputs + c) * taps + t;
          composite[at] = (composite[at] ?? 0) + p * (cut.right[r * taps + t] ?? 0);
        }
      }
    }
  }
  return { depthwise, pointwise, composite };
}

export interface Tucker {
  /** [rank, inputs] */
  readonly reduce: Float64Array;
  /** [rank, rank, taps] */
  readonly core: Float64Array;
  /** [outputs, rank] */
  readonly expand: Float64Array;
  readonly composite: Float64Array;
}

/** Tucker-2 by the leading singular vectors of both unfoldings (Kim et al. 2016, section 3.1). `rank` is at most the smaller side. */
export function tucker2(k: Kernel, rank: number): Tucker {
  const { values, outputs, inputs, taps } = k;
  const reduce = basis(byInput(values, outputs, inputs, taps), inputs, outputs * taps, rank);
  const up = basis(values, outputs, inputs * taps, rank);
  const half = product(up, values, rank, outputs, inputs * taps);
  const core = alongInputs(reduce, half, { outputs: rank, from: inputs, to: rank, taps });
  const expand = transposed({ rows: rank, columns: outputs, data: up }).data;
  const back = transposed({ rows: rank, columns: inputs, data: reduce }).data;
  const wide = alongInputs(back, core, { outputs: rank, from: rank, to: inputs, taps });
  return { reduce, core, expand, composite: product(expand, wide, outputs, rank, inputs * taps) };
}

/** [rank, rows]: the strongest directions of the rows' space. */
export const basis = (data: Float64Array, rows: number, columns: number, rank: number): Float64Array =>
  spectrum(() => ({ rows, columns, data })).basis(rank).data;

export interface RankOne {
  /** [outputs], [inputs], [taps] */
  readonly out: Float64Array;
  readonly inp: Float64Array;
  readonly tap: Float64Array;
}

const norm = (v: Float64Array): number => Math.sqrt(v.reduce((s, x) => s + x * x, 0));

/** Sums a three-way array against two vectors, leaving one axis. */
function against(k: Kernel, axis: 'out' | 'inp' | 'tap', v: RankOne): Float64Array {
  const { values, outputs, inputs, taps } = k;
  const into = new Float64Array({ out: outputs, inp: inputs, tap: taps }[axis]);
  for (let n = 0; n < outputs; n++)
    for (let c = 0; c < inputs; c++)
      for (let t = 0; t < taps; t++) {
        const x = values[(n * inputs + c) * taps + t] ?? 0;
        const [o, i, p] = [v.out[n] ?? 0, v.inp[c] ?? 0, v.tap[t] ?? 0];
        const at = axis === 'out' ? n : axis === 'inp' ? c : t;
        into[at] = (into[at] ?? 0) + x * (axis === 'out' ? i * p : axis === 'inp' ? o * p : o * i);
      }
  return into;
}

/** Passes of the higher-order power method; it settles within a few. */
const passes = 8;

/**
 * Sums of rank-one parts, each the nearest to what the others left (Zhang and Golub 2001): a CP decomposition by deflation. The
 * power method starts from the singular vectors of the unfolding by outputs.
 */
export function cp(k: Kernel, rank: number): { readonly parts: readonly RankOne[]; readonly composite: Float64Array } {
  const { outputs, inputs, taps } = k;
  const left = Float64Array.from(k.values);
  const rest = { ...k, values: left };
  const parts: RankOne[] = [];
  for (let r = 0; r < rank; r++) {
    const cut = lowRank(left, outputs, inputs * taps, 1);
    const inner = lowRank(cut.right, inputs, taps, 1);
    let v: RankOne = { out: cut.left.slice(), inp: inner.left.slice(), tap: inner.right.slice() };
    let size = 0;
    for (let pass = 0; pass < passes; pass++)
      for (const axis of ['out', 'inp', 'tap'] as const) {
        const next = against(rest, axis, unit(v, axis));
        size = norm(next);
        v = { ...unit(v, axis), [axis]: next };
      }
    if (!(size > 0)) v = { out: new Float64Array(outputs), inp: new Float64Array(inputs), tap: new Float64Array(taps) };
    parts.push(v);
    for (let n = 0; n < outputs; n++)
      for (let c = 0; c < inputs; c++)
        for (let t = 0; t < taps; t++) {
          const at = (n * inputs + c) * taps + t;
          left[at] = (left[at] ?? 0) - (v.out[n] ?? 0) * (v.inp[c] ?? 0) * (v.tap[t] ?? 0);
        }
  }
  return { parts, composite: k.values.map((x, i) => x - (left[i] ?? 0)) };
}

/** The vectors of the other two axes at length 1. */
function unit(v: RankOne, axis: 'out' | 'inp' | 'tap'): RankOne {
  const one = (x: Float64Array): Float64Array => {
    const n = norm(x);
    return n > 0 ? x.map((y) => y / n) : x;
  };
  return {
    out: axis === 'out' ? v.out : one(v.out),
    inp: axis === 'inp' ? v.inp : one(v.inp),
    tap: axis === 'tap' ? v.tap : one(v.tap),
  };
}
