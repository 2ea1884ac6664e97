/**
 * Owns the factorisations of a convolution as a tensor: Tucker-2 (1x1, k x k core, 1x1; Kim et al. 2016, by HOSVD) and CP (1x1, k x 1
 * and 1 x k per channel, 1x1; Lebedev et al. 2015, by alternating least squares).
 */

import { lazy } from '../base/lazy.ts';
import { product } from '../base/low-rank.ts';
import { rng } from '../base/random.ts';
import { type CpFactors, cpFactors } from './cp-decomposition.ts';
import type { FactorForm, LinearWeight } from './factor-form.ts';
import { type Area, convShape, plus, positions, times, windowAttributes } from './factor-matrix.ts';
import { alongInputs, byInput } from './kernel-algebra.ts';
import { spectrum, squaredNorm, transposed } from './spectrum.ts';

const cellsOf = (kernel: readonly number[]): number => kernel.reduce((a, b) => a * b, 1);

/** W: [O, C, k...] with ranks r of the outputs and r C / O of the inputs. One group. */
export function tuckerForm(weight: LinearWeight, area: Area): FactorForm {
  const { outputs: o, inputs: c, kernel } = convShape(weight);
  const cells = cellsOf(kernel);
  const inner = (r: number): number => Math.max(1, Math.min(c, Math.round((c * r) / o)));
  const byOutput = spectrum(() => ({ rows: o, columns: c * cells, data: weight.values() }));
  const byInputs = spectrum(() => ({ rows: c, columns: o * cells, data: byInput(weight.values(), o, c, cells) }));
  const total = lazy(() => squaredNorm(weight.values()));
  /** W seen through the two bases: [r, inner, k...]. */
  const coreOf = (r: number): Float64Array => {
    const ri = inner(r);
    const u = byOutput.basis(r);
    const half = product(u.data, weight.values(), r, o, c * cells);
    return alongInputs(byInputs.basis(ri).data, half, { outputs: r, from: c, to: ri, taps: cells });
  };
  const lost = (energies: Float64Array, rank: number): number => energies.subarray(rank).reduce((a, b) => a + b, 0);
  const [inArea, out] = [positions(area.input), positions(area.output)];
  return {
    name: 'tucker',
    full: { weights: o * c * cells, macs: times(out, o * c * cells) },
    maxRank: o,
    cost: (r) => {
      const ri = inner(r);
      return {
        weights: ri * c + r * ri * cells + o * r,
        macs: plus(times(inArea, ri * c), times(out, r * ri * cells), times(out, o * r)),
      };
    },
    // What the two projections lose together is at most the sum of what each loses.
    kept: (r) =>
      total() === 0
        ? 1
        : Math.max(0, 1 - (lost(byOutput.energies(), r) + lost(byInputs.energies(), inner(r))) / total()),
    error: (r) => (total() === 0 ? 0 : Math.sqrt(Math.max(0, 1 - squaredNorm(coreOf(r)) / total()))),
    words: (r) => `1x1 to ${inner(r)}, ${kernel.join('x')} to ${r}, 1x1 to ${o}`,
    stages: (r) => {
      const ri = inner(r);
      const ones = kernel.map(() => 1);
      const axes = kernel.map((_, i) => i);
      const plain = windowAttributes(weight, kernel, [], 1);
      return [
        { op: 'Conv', attributes: plain, dims: [ri, c, ...ones], values: () => byInputs.basis(ri).data },
        {
          op: 'Conv',
          attributes: windowAttributes(weight, kernel, axes, 1),
          dims: [r, ri, ...kernel],
          values: () => coreOf(r),
        },
        { op: 'Conv', attributes: plain, dims: [o, r, ...ones], values: () => transposed(byOutput.basis(r)).data },
      ];
    },
  };
}

/** W: [O, C, kh, kw] as a sum of r outer products. One group. */
export function cpForm(weight: LinearWeight, area: Area, seed: number): FactorForm {
  const { outputs: o, inputs: c, kernel } = convShape(weight);
  const [kh = 1, kw = 1] = kernel;
  const fits = new Map<number, CpFactors>();
  const fitted = (r: number): CpFactors => {
    const known = fits.get(r) ?? cpFactors(weight.values(), [o, c, kh, kw], r, rng(seed).fork(weight.node.id));
    fits.set(r, known);
    return known;
  };
  const [inArea, out] = [positions(area.input), positions(area.output)];
  const between = area.input === null || area.output === null ? null : (area.output[0] ?? 1) * (area.input[1] ?? 1);
  return {
    name: 'cp',
    full: { weights: o * c * kh * kw, macs: times(out, o * c * kh * kw) },
    maxRank: Math.max(o, c) * Math.max(kh, kw),
    cost: (r) => ({
      weights: r * (o + c + kh + kw),
      macs: plus(times(inArea, r * c), times(between, r * kh), times(out, r * kw), times(out, o * r)),
    }),
    error: (r) => fitted(r).error,
    words: (r) => `1x1, ${kh}x1 and 1x${kw} per channel, 1x1 (rank ${r})`,
    stages: (r) => {
      // Factors are [size, r]: rows by index. Convolutions want [r, size] but for the last.
      const rowed = (mode: 1 | 2 | 3, size: number) => (): Float64Array =>
        transposed({ rows: size, columns: r, data: fitted(r).modes[mode] }).data;
      return [
        { op: 'Conv', attributes: windowAttributes(weight, kernel, [], 1), dims: [r, c, 1, 1], values: rowed(1, c) },
        { op: 'Conv', attributes: windowAttributes(weight, kernel, [0], r), dims: [r, 1, kh, 1], values: rowed(2, kh) },
        { op: 'Conv', attributes: windowAttributes(weight, kernel, [1], r), dims: [r, 1, 1, kw], values: rowed(3, kw) },
        {
          op: 'Conv',
          attributes: windowAttributes(weight, kernel, [], 1),
          dims: [o, r, 1, 1],
          values: () => fitted(r).modes[0],
        },
      ];
    },
  };
}
