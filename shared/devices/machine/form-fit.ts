/** Owns what is learnt of one form of kernel: a roofline and, where enough samples say so, a correction by size. */
import { quantileSorted } from 'simple-statistics';
import { fitRoofline, type RooflineParts, rooflineMs, type Timed } from './roofline-fit.ts';
import type { RuntimeKernel } from './runtime-kernel.ts';
import { fitSmooth, type SmoothFit, smoothAt } from './smooth-fit.ts';

export interface FormFit {
  readonly samples: number;
  readonly parts: RooflineParts;
  /** undefined: the roofline alone is better, by leaving each sample out. */
  readonly smooth?: SmoothFit;
  /** Standard deviation of the logarithm of measured over estimated: each sample left out, and of the roofline alone. */
  readonly error: number;
  readonly roughError: number;
}

export interface FittedForm {
  readonly fit: FormFit;
  /** Logarithm of each sample over what the others say of it. */
  readonly leftOut: readonly number[];
}

export interface Estimate {
  readonly ms: number;
  /** Standard deviation of the logarithm of what it will turn out as, over `ms`. */
  readonly error: number;
}

/** Fewer samples than this tell no more than a roofline. */
const fewest = 10;
/** A correction beyond this factor is an accident of the samples. */
const most = Math.log(8);

/** By the middle of the deviations, so that a disturbed sample does not speak for all. */
function deviation(list: readonly number[]): number {
  const sorted = list.map(Math.abs).sort((a, b) => a - b);
  const robust = sorted.length === 0 ? 0.5 : 1.4826 * quantileSorted(sorted, 0.5);
  return Math.max(0.02, robust);
}

/** Refits without what lies far from it: twice, since one disturbed sample draws the first fit to itself. */
function steadyRoofline(samples: readonly Timed[]): RooflineParts {
  let parts = fitRoofline(samples);
  for (let round = 0; round < 2; round++) {
    const off = samples.map(({ kernel, ms }) => Math.log(ms / rooflineMs(parts, kernel)));
    const limit = 3 * deviation(off);
    const kept = samples.filter((_, i) => Math.abs(off[i] ?? 0) <= limit);
    if (kept.length === samples.length || kept.length < fewest / 2) break;
    parts = fitRoofline(kept);
  }
  return parts;
}

/** At least one sample. */
export function fitForm(samples: readonly Timed[]): FittedForm {
  const parts = steadyRoofline(samples);
  const deviations = samples.map(({ kernel, ms }) => Math.log(ms / rooflineMs(parts, kernel)));
  const roughError = Math.max(deviation(deviations), samples.length < fewest ? 0.25 : 0);
  const rough: FormFit = { samples: samples.length, parts, error: roughError, roughError };
  if (samples.length < fewest) return { fit: rough, leftOut: deviations };
  const points = samples.map((s) => s.kernel.sizes);
  const first = fitSmooth(points, deviations);
  // Samples that the others contradict strongly were disturbed while they were timed.
  const limit = 5 * deviation(first.leftOut);
  const kept = first.leftOut.map((e) => Math.abs(e) <= limit);
  const smooth = kept.every((k) => k)
    ? first
    : fitSmooth(
        points.filter((_, i) => kept[i]),
        deviations.filter((_, i) => kept[i]),
      );
  const error = deviation(smooth.leftOut);
  if (error >= roughError) return { fit: rough, leftOut: deviations };
  return { fit: { ...rough, smooth: smooth.fit, error }, leftOut: first.leftOut };
}

export function estimateForm(fit: FormFit, kernel: RuntimeKernel): Estimate {
  const base = rooflineMs(fit.parts, kernel);
  if (fit.smooth === undefined) return { ms: base, error: fit.roughError };
  const { value, nearest } = smoothAt(fit.smooth, kernel.sizes);
  // A correction counts as far as there are samples near: beyond them the roofline's own error holds.
  const error = Math.sqrt(nearest * fit.error ** 2 + (1 - nearest) * fit.roughError ** 2);
  return { ms: base * Math.exp(Math.min(most, Math.max(-most, value))), error };
}
