/** Owns what a Slice cuts and a Pad adds, by axis, wherever the version keeps it. */
import { intsAttr } from '../ir/attribute.ts';
import type { NodeContext, Scalar } from './declare.ts';
import { numbersOf } from './fold.ts';
import { axisAt } from './rule.ts';

/** One cut: bounds may be symbols or unknown. */
export interface Cut {
  readonly start: Scalar;
  readonly end: Scalar;
  readonly step: Scalar;
}

/** Cuts by axis, or undefined where the axes themselves are not known. */
export function cutsOf(c: NodeContext): ReadonlyMap<number, Cut> | undefined {
  const rank = c.inputs[0]?.shape?.length;
  if (rank === undefined) return undefined;
  const old = c.version < 10;
  const list = (name: string, k: number): readonly Scalar[] | undefined => {
    if (old) return intsAttr(c.node, name);
    const f = c.inputs[k];
    if (f === undefined) return undefined;
    const n = f.shape?.[0];
    return f.content ?? (typeof n === 'number' ? Array.from({ length: n }, () => null) : undefined);
  };
  const starts = list('starts', 1);
  const ends = list('ends', 2);
  if (starts === undefined || ends === undefined) return undefined;
  const axes = list('axes', 3) ?? starts.map((_, i) => i);
  const steps = old ? undefined : list('steps', 4);
  const cuts = new Map<number, Cut>();
  for (const [i, start] of starts.entries()) {
    const axis = axes[i];
    if (typeof axis !== 'number') return undefined;
    const step = c.inputs[4] === undefined || old ? 1 : (steps?.[i] ?? null);
    cuts.set(axisAt(axis, rank), { start, end: ends[i] ?? null, step });
  }
  return cuts;
}

/** First index, step and count of a cut on an axis of this size. */
export function window(
  cut: Cut,
  size: number,
): { readonly start: number; readonly step: number; readonly count: number } | undefined {
  const { start, end, step } = cut;
  if (typeof start !== 'number' || typeof end !== 'number' || typeof step !== 'number' || step === 0) return undefined;
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? size : size - 1;
  const clamp = (x: number, from: number): number => Math.min(Math.max(x < 0 ? x + size : x, from), high);
  const first = clamp(start, 0);
  const last = clamp(end, low);
  return { start: first, step, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/** Margins by axis: before and after; null where not known. */
export function marginsOf(c: NodeContext): readonly (readonly [Scalar, Scalar])[] | undefined {
  const rank = c.inputs[0]?.shape?.length;
  if (rank === undefined) return undefined;
  const pads: readonly Scalar[] | undefined =
    c.version < 11 ? (intsAttr(c.node, 'pads') ?? intsAttr(c.node, 'paddings')) : c.inputs[1]?.content;
  if (pads === undefined) return undefined;
  const axes = c.inputs[3] === undefined ? Array.from({ length: rank }, (_, i) => i) : numbersOf(c.inputs[3]);
  if (axes === undefined) return undefined;
  const out: [Scalar, Scalar][] = Array.from({ length: rank }, () => [0, 0]);
  for (const [i, axis] of axes.entries()) out[axisAt(axis, rank)] = [pads[i] ?? null, pads[i + axes.length] ?? null];
  return out;
}
