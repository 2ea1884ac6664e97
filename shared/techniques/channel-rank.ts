/**
 * Owns how channel units are ranked by what their weights say: L1 or L2 norm (Li et al. 2017, section 3.1), distance to the other
 * filters (FPGM, He et al. 2019, eq. 6: near the geometric median is replaceable), BatchNorm scale (Liu et al. 2017), summed over
 * all makers of a unit. Reads weights, so it is only called from inside thunks.
 */
import type { ChannelGroup, ChannelGroups, GroupAxis } from '../analysis/channel-groups.ts';
import { elementCount } from '../ir/element-type.ts';
import type { Model } from '../ir/model.ts';
import { type Leaf, leafNumbers, leavesOf } from './leaf-tensors.ts';

export type WeightCriterion = 'l1' | 'l2' | 'geometric-median' | 'batchnorm';

/** A stored tensor of a group's makers, and the axis along which the group's units lie. */
interface Along {
  readonly leaf: Leaf;
  readonly axis: number;
  readonly units: GroupAxis;
}

/** The makers' weights, each stored tensor and axis once. */
function makerLeaves(model: Model, groups: ChannelGroups, group: ChannelGroup): readonly Along[] {
  const out: Along[] = [];
  const seen = new Set<string>();
  const mine = new Map(group.axes.map((a) => [a.axisClass, a]));
  for (const maker of group.makers) {
    const weightClass = groups.table.classOf(maker.weight);
    for (const leaf of leavesOf(model, maker.weight.value)) {
      const classes = leaf.tensor.dims.map((_, axis) => groups.table.classOf({ value: leaf.value, axis }));
      const direct = leaf.value === maker.weight.value ? maker.weight.axis : classes.indexOf(weightClass);
      const axis = direct >= 0 ? direct : classes.findIndex((c) => c !== undefined && mine.has(c));
      const units = mine.get(classes[axis] ?? -1);
      const key = `${leaf.value} ${axis}`;
      if (units === undefined || seen.has(key)) continue;
      seen.add(key);
      out.push({ leaf, axis, units });
    }
  }
  return out;
}

/** Sum of |w| or w^2 at each index of one axis. */
function sumsAlong(numbers: Float64Array, dims: readonly number[], axis: number, squared: boolean): Float64Array {
  const n = dims[axis] ?? 0;
  const inner = elementCount(dims.slice(axis + 1));
  const sums = new Float64Array(n);
  let at = 0;
  for (let i = 0; at < numbers.length; i = (i + 1) % n) {
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const w = numbers[at++] ?? 0;
      sum += squared ? w * w : Math.abs(w);
    }
    sums[i] = (sums[i] ?? 0) + sum;
  }
  return sums;
}

function norms(model: Model, along: readonly Along[], units: number, squared: boolean): Float64Array {
  const total = new Float64Array(units);
  for (const { leaf, axis, units: a } of along) {
    const sums = sumsAlong(leafNumbers(model, leaf), leaf.tensor.dims, axis, squared);
    for (let u = 0; u < units; u++) {
      let sum = 0;
      for (let k = 0; k < a.perUnit; k++) sum += sums[a.indices[u * a.perUnit + k] ?? 0] ?? 0;
      total[u] = (total[u] ?? 0) + (squared ? Math.sqrt(sum) : sum);
    }
  }
  return total;
}

/** Rows [units, width]: all weights of each unit in one tensor. */
function unitRows(model: Model, { leaf, axis, units: a }: Along, units: number): Float64Array {
  const numbers = leafNumbers(model, leaf);
  const { dims } = leaf.tensor;
  const n = dims[axis] ?? 1;
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  const width = outer * inner * a.perUnit;
  const rows = new Float64Array(units * width);
  let to = 0;
  for (let u = 0; u < units; u++)
    for (let k = 0; k < a.perUnit; k++) {
      const index = a.indices[u * a.perUnit + k] ?? 0;
      for (let o = 0; o < outer; o++)
        for (let i = 0; i < inner; i++) rows[to++] = numbers[(o * n + index) * inner + i] ?? 0;
    }
  return rows;
}

/** Per unit, the sum of the distances to all other units. */
function distances(model: Model, along: readonly Along[], units: number): Float64Array {
  const total = new Float64Array(units);
  for (const one of along) {
    const rows = unitRows(model, one, units);
    const width = rows.length / Math.max(1, units);
    for (let a = 0; a < units; a++)
      for (let b = a + 1; b < units; b++) {
        let sum = 0;
        for (let k = 0; k < width; k++) {
          const d = (rows[a * width + k] ?? 0) - (rows[b * width + k] ?? 0);
          sum += d * d;
        }
        const distance = Math.sqrt(sum);
        total[a] = (total[a] ?? 0) + distance;
        total[b] = (total[b] ?? 0) + distance;
      }
  }
  return total;
}

/** The scales of the normalisations that these channels run through; empty where there is none. */
export function normScales(model: Model, groups: ChannelGroups, group: ChannelGroup): readonly Along[] {
  const mine = new Map(group.axes.map((a) => [a.axisClass, a]));
  return model.graph.nodes.flatMap((node) => {
    if (node.op !== 'BatchNormalization' && node.op !== 'InstanceNormalization') return [];
    const value = node.inputs[1] ?? '';
    const units = mine.get(groups.table.classOf({ value, axis: 0 }) ?? -1);
    if (units === undefined) return [];
    return leavesOf(model, value).flatMap((leaf) =>
      leaf.tensor.dims.length === 1 ? [{ leaf, axis: 0, units } satisfies Along] : [],
    );
  });
}

/** A score per unit, higher is stronger; `batchnorm` falls back to L1 where no normalisation follows. */
export function weightScores(
  model: Model,
  groups: ChannelGroups,
  group: ChannelGroup,
  criterion: WeightCriterion,
): Float64Array {
  const along = makerLeaves(model, groups, group);
  switch (criterion) {
    case 'l1':
    case 'l2':
      return norms(model, along, group.units, criterion === 'l2');
    case 'geometric-median':
      return distances(model, along, group.units);
    case 'batchnorm': {
      const scales = normScales(model, groups, group);
      return norms(model, scales.length > 0 ? scales : along, group.units, false);
    }
  }
}

/** Units from the weakest to the strongest, ties by index; NaN counts as strongest. */
export function ascending(scores: ArrayLike<number>): Int32Array {
  const of = (u: number): number => {
    const s = scores[u] ?? 0;
    return Number.isNaN(s) ? Number.POSITIVE_INFINITY : s;
  };
  return Int32Array.from({ length: scores.length }, (_, u) => u).sort((a, b) => {
    const [x, y] = [of(a), of(b)];
    return x === y ? a - b : x - y;
  });
}

const memo = new WeakMap<ChannelGroup, Map<WeightCriterion, Int32Array>>();

/** Units of a group from the weakest to the strongest by their weights. Computed once. */
export function ranking(
  model: Model,
  groups: ChannelGroups,
  group: ChannelGroup,
  criterion: WeightCriterion,
): Int32Array {
  let byCriterion = memo.get(group);
  if (byCriterion === undefined) {
    byCriterion = new Map();
    memo.set(group, byCriterion);
  }
  const known = byCriterion.get(criterion) ?? ascending(weightScores(model, groups, group, criterion));
  byCriterion.set(criterion, known);
  return known;
}
