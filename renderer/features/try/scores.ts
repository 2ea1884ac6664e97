/** Owns how a model's outputs are read for the screen: class shares where they are scores, and the distance of two outputs. */
import type { RunTensor } from '#shared/ports/runtime.ts';
import { classCount, floatsOf } from '#shared/training/class-scores.ts';

export type Outputs = Readonly<Record<string, RunTensor>>;

export interface Shares {
  /** Class and share, largest first. */
  readonly top: readonly { readonly index: number; readonly share: number }[];
  /** The model gave scores, and softmax made shares of them. */
  readonly softmaxed: boolean;
}

const isShares = (v: Float32Array): boolean => {
  const sum = v.reduce((a, b) => a + b, 0);
  return Math.abs(sum - 1) < 1e-3 && v.every((x) => x >= 0 && x <= 1);
};

/** The `most` likely classes of the first output; undefined where it holds no class scores of one sample. */
export function sharesOf(outputs: Outputs, most = 5): Shares | undefined {
  const first = Object.values(outputs)[0];
  const classes = first === undefined || first.type === 'string' ? undefined : classCount(first.dims, 1);
  if (first === undefined || classes === undefined || classes < 2) return undefined;
  const scores = floatsOf(first);
  const plain = isShares(scores);
  const peak = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const total = scores.reduce((a, b) => a + Math.exp(b - peak), 0);
  const share = (v: number): number => (plain ? v : Math.exp(v - peak) / total);
  const top = Array.from(scores, (score, index) => ({ index, score }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, most)
    .map(({ index, score }) => ({ index, share: share(score) }));
  return { top, softmaxed: !plain };
}

/** Largest absolute difference over the outputs that both have; null where none can be compared. */
export function largestDifference(a: Outputs, b: Outputs): number | null {
  let worst: number | null = null;
  for (const [name, x] of Object.entries(a)) {
    const y = b[name];
    if (y === undefined || x.type === 'string' || x.data.length !== y.data.length) continue;
    const [p, q] = [floatsOf(x), floatsOf(y)];
    for (let i = 0; i < p.length; i++) worst = Math.max(worst ?? 0, Math.abs((p[i] ?? 0) - (q[i] ?? 0)));
  }
  return worst;
}

/** Signal to noise of `b` against `a` over all outputs in dB; Infinity where equal, null where they cannot be compared. */
export function noiseDb(a: Outputs, b: Outputs): number | null {
  let power = 0;
  let noise = 0;
  for (const [name, x] of Object.entries(a)) {
    const y = b[name];
    if (y === undefined || x.type === 'string' || x.data.length !== y.data.length) return null;
    const [p, q] = [floatsOf(x), floatsOf(y)];
    for (let i = 0; i < p.length; i++) {
      power += (p[i] ?? 0) ** 2;
      noise += ((p[i] ?? 0) - (q[i] ?? 0)) ** 2;
    }
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(power / noise);
}
