/**
 * Owns how the axes of a tensor correspond before and after a reshape: runs of axes with equal products, and what
 * that means for channels.
 */
import type { Dim } from '../ir/model.ts';
import type { ChannelContext, ChannelRelation, Facts } from './declare.ts';

/** Axes `from` of the input together hold what axes `to` of the output hold. Axes of size 1 are left out. */
export interface Run {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

interface Axis {
  readonly axis: number;
  readonly dim: Dim;
}
const axesOf = (shape: readonly Dim[]): readonly Axis[] =>
  shape.map((dim, axis) => ({ axis, dim })).filter((a) => a.dim !== 1);

/** How far a cut came: whole, or up to where sizes are unknown. */
export interface Cut {
  readonly runs: readonly Run[];
  /** Leading axes that hold the same elements, of which no more is known; undefined: none are left over. */
  readonly rest?: Run;
}

/**
 * The shortest run that ends before axis i of a and axis j of b, equal in product; undefined where a size is not known on the way.
 * Both counts are of axes left.
 */
function lastRun(a: readonly Axis[], i: number, b: readonly Axis[], j: number): readonly [number, number] | undefined {
  let [p, q] = [1, 1];
  let [left, right] = [i, j];
  do {
    const next = p <= q ? a[--left] : b[--right];
    if (typeof next?.dim !== 'number') return undefined;
    if (p <= q) p *= next.dim;
    else q *= next.dim;
  } while (p !== q || left === i || right === j);
  return [left, right];
}

/**
 * Trailing runs of equal products, as far as sizes are known ([N, 7, 8] -> [?, 8]: the 8). What leads holds the same elements on
 * both sides, since both shapes hold equally many.
 */
function matchFromEnd(a: readonly Axis[], b: readonly Axis[]): Cut | undefined {
  const runs: Run[] = [];
  let [i, j] = [a.length, b.length];
  for (;;) {
    const cut = lastRun(a, i, b, j);
    if (cut === undefined) break;
    const [left, right] = cut;
    runs.unshift({ from: a.slice(left, i).map((x) => x.axis), to: b.slice(right, j).map((x) => x.axis) });
    [i, j] = cut;
  }
  if (runs.length === 0) return undefined;
  const open = (axes: readonly Axis[]): boolean => axes.some((x) => typeof x.dim !== 'number');
  // With every size known on one side, the shapes do not hold equally many: nothing is to be believed of them.
  if (!open(a.slice(0, i)) && !open(b.slice(0, j))) return undefined;
  return { runs, rest: { from: a.slice(0, i).map((x) => x.axis), to: b.slice(0, j).map((x) => x.axis) } };
}

/**
 * Cuts two shapes of equal size into the shortest runs of equal products. An unknown or symbolic dimension matches only
 * one unknown dimension alone (a batch that stays itself); where that fails, the trailing axes are cut as far as they are known.
 * undefined: no such cut.
 */
export function matchReshape(before: readonly Dim[], after: readonly Dim[]): Cut | undefined {
  const a = axesOf(before);
  const b = axesOf(after);
  const runs = matchWhole(a, b);
  return runs === undefined ? matchFromEnd(a, b) : { runs };
}

function matchWhole(a: readonly Axis[], b: readonly Axis[]): readonly Run[] | undefined {
  const runs: Run[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const x = a[i];
    const y = b[j];
    if (x === undefined || y === undefined) return undefined;
    if (typeof x.dim !== 'number' || typeof y.dim !== 'number') {
      if (typeof x.dim === 'number' || typeof y.dim === 'number' || x.dim !== y.dim) return undefined;
      runs.push({ from: [x.axis], to: [y.axis] });
      i++;
      j++;
      continue;
    }
    const from = [x.axis];
    const to = [y.axis];
    let p: number = x.dim;
    let q: number = y.dim;
    i++;
    j++;
    while (p !== q) {
      const next = p < q ? a[i++] : b[j++];
      if (next === undefined || typeof next.dim !== 'number') return undefined;
      if (p < q) {
        p *= next.dim;
        from.push(next.axis);
      } else {
        q *= next.dim;
        to.push(next.axis);
      }
    }
    runs.push({ from, to });
  }
  return runs;
}

const product = (shape: readonly Dim[], axes: readonly number[]): number =>
  axes.reduce((n, axis) => n * Number(shape[axis] ?? 1), 1);

/** Which of the axes that one axis is split into its channels lie along, as a position among them. */
export type SplitAlong = (parts: number) => number;

/** [g * c] -> [g, c]: the minor axis. [C * H * W] -> [C, H, W]: the major one, as images are unflattened. */
const asChannels: SplitAlong = (parts) => (parts === 2 ? 1 : 0);

/** Relations of a reshape from input 0 to output 0. */
export function reshapeRelations(c: ChannelContext, along: SplitAlong = asChannels): readonly ChannelRelation[] {
  const before = c.inputs[0]?.shape;
  const after = c.outputs[0]?.shape;
  if (!before || !after) return [];
  const cut = matchReshape(before, after);
  if (cut === undefined) return freezeBoth(c, before, after, 'a Reshape whose axes do not correspond');
  return [...mixedAxes(c, cut.rest), ...cut.runs.flatMap((run) => runRelations(c, before, after, run, along))];
}

const mixedAxes = (c: ChannelContext, run: Run | undefined): readonly ChannelRelation[] => [
  ...(run?.from ?? []).map((axis): ChannelRelation => ({ kind: 'freeze', slot: c.in(0, axis), reason: mixed })),
  ...(run?.to ?? []).map((axis): ChannelRelation => ({ kind: 'freeze', slot: c.out(0, axis), reason: mixed })),
];

function runRelations(
  c: ChannelContext,
  before: readonly Dim[],
  after: readonly Dim[],
  run: Run,
  along: SplitAlong,
): readonly ChannelRelation[] {
  const { from, to } = run;
  const [f] = from;
  const [t] = to;
  if (f === undefined || t === undefined) return [];
  if (from.length === 1 && to.length === 1)
    return typeof before[f] === 'number' ? [{ kind: 'same', a: c.in(0, f), b: c.out(0, t) }] : [];
  if (to.length === 1)
    // [C, H, W] -> [C * H * W]: each axis repeats in the merged one.
    return from.map((axis, k) => ({
      kind: 'repeat',
      of: c.in(0, axis),
      big: c.out(0, t),
      outer: product(before, from.slice(0, k)),
      inner: product(before, from.slice(k + 1)),
    }));
  if (from.length === 1) {
    const k = along(to.length);
    return [
      {
        kind: 'repeat',
        of: c.out(0, to[k] ?? t),
        big: c.in(0, f),
        outer: product(after, to.slice(0, k)),
        inner: product(after, to.slice(k + 1)),
      },
      ...to
        .filter((_, i) => i !== k)
        .map(
          (axis): ChannelRelation => ({
            kind: 'freeze',
            slot: c.out(0, axis),
            reason: 'a Reshape splits the channels and this axis counts the parts',
          }),
        ),
    ];
  }
  return mixedAxes(c, run);
}

const mixed = 'a Reshape mixes these axes';

function freezeBoth(
  c: ChannelContext,
  before: readonly Dim[],
  after: readonly Dim[],
  reason: string,
): readonly ChannelRelation[] {
  return [
    ...before.map((_, axis): ChannelRelation => ({ kind: 'freeze', slot: c.in(0, axis), reason })),
    ...after.map((_, axis): ChannelRelation => ({ kind: 'freeze', slot: c.out(0, axis), reason })),
  ];
}

/**
 * A target shape with the sizes that stay: numbers replaced, a symbol written as 0 where Reshape then copies the input's
 * dimension, one unknown as -1. undefined where that cannot be written. `raw` is what the target says now (0, -1 kept).
 * With allowzero a 0 means 0, so a symbol becomes the one -1.
 */
export function adaptedTarget(
  raw: Facts['content'],
  output: readonly Dim[],
  input: readonly Dim[] | null,
  keptSize: (axis: number) => number | undefined,
  allowZero = false,
): readonly number[] | undefined {
  const target = output.map((dim, axis): number | null => {
    const said = raw?.[axis];
    const size = keptSize(axis);
    if (said === 0 || said === -1) return said;
    if (size !== undefined) return size;
    if (typeof dim === 'number') return dim;
    return !allowZero && input !== null && dim !== null && input[axis] === dim ? 0 : null;
  });
  const holes = target.filter((d) => d === null).length;
  if (holes > 1 || (holes === 1 && target.includes(-1))) return undefined;
  return target.map((d) => d ?? -1);
}
