/** Owns outputsDifference: how far two runs' outputs are apart. */
import type { RunTensor } from '#shared/ports/runtime.ts';

function difference(a: RunTensor, b: RunTensor | undefined): number {
  if (b === undefined || a.data.length !== b.data.length) return Number.MAX_VALUE;
  let worst = 0;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i], b.data[i]];
    if (x === y) continue;
    const [p, q] = [Number(x), Number(y)];
    if (Number.isNaN(p) && Number.isNaN(q)) continue;
    const gap = Math.abs(p - q);
    worst = Math.max(worst, Number.isFinite(gap) ? gap : Number.MAX_VALUE);
  }
  return worst;
}

type Outputs = Readonly<Record<string, RunTensor>>;

/** Largest absolute difference; MAX_VALUE where an output is gone, has another size, or is a number on one side only. */
export const outputsDifference = (before: Outputs, after: Outputs): number =>
  Object.entries(before).reduce((worst, [name, t]) => Math.max(worst, difference(t, after[name])), 0);
