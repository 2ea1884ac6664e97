/** Owns reading class scores: the answer of a sample, its rank of the true class, and the interval of a share. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { bfloatToNumber, halfToNumber } from '../ir/values.ts';
import type { RunTensor } from '../ports/runtime.ts';

/** Numbers of a run's output, whatever its type. */
export function floatsOf(tensor: RunTensor): Float32Array {
  const { data, type } = tensor;
  if (data instanceof Float32Array) return data;
  if (type === 'float16') return Float32Array.from(data as Uint16Array, halfToNumber);
  if (type === 'bfloat16') return Float32Array.from(data as Uint16Array, bfloatToNumber);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number);
  if (type === 'string') throw new Fault('unsupported', text('the output is text', '출력이 문자열입니다'));
  return Float32Array.from(data as Float64Array);
}

/** Scores per sample where the output is [N, classes, 1...]; undefined where it is none. */
export function classCount(dims: readonly number[], samples: number): number | undefined {
  if (dims[0] !== samples) return dims.length === 1 && samples === 1 ? dims[0] : undefined;
  const wide = dims.slice(1).filter((d) => d !== 1);
  return wide.length === 1 ? wide[0] : undefined;
}

/** Index of the largest score in row n; the first of equals. NaN never wins. */
export function argmax(scores: Float32Array, n: number, classes: number): number {
  let best = 0;
  let top = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) {
    const v = scores[n * classes + c] ?? Number.NaN;
    if (v > top) {
      top = v;
      best = c;
    }
  }
  return best;
}

/** How many classes score at least as high as `label` in row n, itself left out (0: it is the answer; ties count against it). */
export function rankOf(label: number, scores: Float32Array, n: number, classes: number): number {
  const own = scores[n * classes + label];
  if (own === undefined || label >= classes || Number.isNaN(own)) return classes;
  let rank = 0;
  for (let c = 0; c < classes; c++) if (c !== label && (scores[n * classes + c] ?? 0) >= own) rank++;
  return rank;
}

/** Wilson's 95 % score interval of a share (Wilson 1927), as shares. */
export function wilson95(hits: number, total: number): [number, number] {
  if (total === 0) return [0, 1];
  const z = 1.959963984540054;
  const p = hits / total;
  const centre = p + (z * z) / (2 * total);
  const spread = z * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total));
  const scale = 1 + (z * z) / total;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}
