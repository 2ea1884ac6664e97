/** Owns the base of every estimate: time as a sum of work over rates, with no negative part, by relative least squares. */
import type { RuntimeKernel } from './runtime-kernel.ts';

/** Milliseconds: of the call itself, a multiply-accumulate, a byte moved, a byte of weights. None is negative. */
export type RooflineParts = readonly [call: number, mac: number, byte: number, weightByte: number];

const partsOf = (k: RuntimeKernel): readonly number[] => [1, k.macs, k.bytes, k.weightBytes];

/** Milliseconds of a kernel: it grows with each of its parts. */
export const rooflineMs = (parts: RooflineParts, k: RuntimeKernel): number =>
  partsOf(k).reduce((sum, x, j) => sum + x * (parts[j] ?? 0), 0);

export interface Timed {
  readonly kernel: RuntimeKernel;
  readonly ms: number;
}

const rounds = 400;

/**
 * Non-negative least squares of relative errors, sum of ((t - p) / t)^2, by coordinate descent (Franc, Hlavac and Navara
 * 2005); the problem is convex, so it ends at the best.
 */
export function fitRoofline(samples: readonly Timed[]): RooflineParts {
  const rows = samples.map(({ kernel, ms }) => partsOf(kernel).map((x) => x / ms));
  const width = 4;
  // Normal equations, columns scaled to one so that the descent is not slowed by units.
  const scale = Array.from({ length: width }, (_, j) => Math.sqrt(rows.reduce((s, r) => s + (r[j] ?? 0) ** 2, 0)) || 1);
  const gram = scale.map((a, i) =>
    scale.map((b, j) => rows.reduce((s, r) => s + ((r[i] ?? 0) / a) * ((r[j] ?? 0) / b), 0)),
  );
  const right = scale.map((a, i) => rows.reduce((s, r) => s + (r[i] ?? 0) / a, 0));
  const c = scale.map(() => 0);
  for (let round = 0; round < rounds; round++)
    for (let j = 0; j < width; j++) {
      const pull = (right[j] ?? 0) - (gram[j] ?? []).reduce((s, g, i) => s + (i === j ? 0 : g * (c[i] ?? 0)), 0);
      c[j] = Math.max(0, pull / ((gram[j]?.[j] ?? 0) || 1));
    }
  const part = (j: number): number => (c[j] ?? 0) / (scale[j] ?? 1);
  return [part(0), part(1), part(2), part(3)];
}
