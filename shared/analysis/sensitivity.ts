/**
 * Owns sensitivity: how much a part of the model (a layer, a coupled group) loses when it alone is compressed by some amounts.
 * Trials on validation samples are asked as evidence; what comes back is a rising curve per part.
 */
import type { Model } from '../ir/model.ts';
import type { Evidence, Trial, TrialScore } from './evidence.ts';

/** One part, and the model in which that part alone is compressed by an amount. */
export interface Probe {
  readonly key: string;
  /** Ascending, above 0. */
  readonly amounts: readonly number[];
  readonly at: (amount: number) => Model;
}

export interface SensitivityPoint {
  readonly amount: number;
  /**
   * Noise over signal of the model's output, 0 for no change, never falling with the amount: it tells parts apart where a few
   * hundred samples show no difference in accuracy.
   */
  readonly loss: number;
  readonly score: TrialScore;
}

export interface SensitivityCurve {
  readonly key: string;
  readonly points: readonly SensitivityPoint[];
}

const trialKey = (key: string, amount: number): string => `${key} @ ${amount}`;

/** What to ask samples for. */
export const sensitivityTrials = (probes: readonly Probe[]): readonly Trial[] =>
  probes.flatMap((p) => p.amounts.map((a) => ({ key: trialKey(p.key, a), model: () => p.at(a) })));

/** Noise over signal: 0 for no change; NaN or infinite where the output is no number. */
export const lossOf = (score: Pick<TrialScore, 'sqnrDb'>): number => 10 ** (-score.sqnrDb / 10);

/** The curves that the trials of `sensitivityTrials` gave. */
export function sensitivityCurves(
  probes: readonly Pick<Probe, 'key' | 'amounts'>[],
  evidence: Pick<Evidence, 'trial'>,
): readonly SensitivityCurve[] {
  return probes.map(({ key, amounts }) => {
    let top = 0;
    return {
      key,
      points: amounts.map((amount) => {
        const score = evidence.trial(trialKey(key, amount));
        const loss = lossOf(score);
        top = Math.max(top, Number.isNaN(loss) ? Number.POSITIVE_INFINITY : loss);
        return { amount, loss: top, score };
      }),
    };
  });
}

/** The largest amount whose loss stays within `limit`, linear between the points; the last amount where all do. */
export function amountWithin(curve: SensitivityCurve, limit: number): number {
  let [amount, loss] = [0, 0];
  for (const p of curve.points) {
    if (p.loss > limit) {
      const room = p.loss - loss;
      return Number.isFinite(room) && room > 0 ? amount + ((p.amount - amount) * (limit - loss)) / room : amount;
    }
    [amount, loss] = [p.amount, p.loss];
  }
  return amount;
}

/** The loudest finite noise that any curve shows. */
const loudest = (curves: readonly SensitivityCurve[]): number =>
  curves.flatMap((c) => c.points.map((p) => p.loss)).reduce((a, b) => (Number.isFinite(b) ? Math.max(a, b) : a), 0);

/** Efforts above this go beyond what the trials measured. */
const measured = 0.9;

/**
 * The share of each part at effort t, 0 to 1: all parts to where their noise reaches one level. t moves that level over eight powers
 * of ten up to the loudest, then on from the largest amount tried to all.
 */
export function sharesBySensitivity(curves: readonly SensitivityCurve[]): (key: string, t: number) => number {
  const byKey = new Map(curves.map((c) => [c.key, c]));
  const top = Math.max(loudest(curves), 1e-9);
  return (key, t) => {
    const curve = byKey.get(key);
    if (curve === undefined || t <= 0) return 0;
    if (t < measured) return amountWithin(curve, top * 10 ** (-8 * (1 - t / measured)));
    const last = amountWithin(curve, top);
    return last + ((1 - last) * (t - measured)) / (1 - measured);
  };
}
