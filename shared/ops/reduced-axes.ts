/** Owns which axes a reduction takes: attribute before, input since 13 (ReduceSum) or 18; all where none are given. */
import { intAttr } from '../ir/attribute.ts';
import type { NodeContext } from './declare.ts';
import { axisAt, intsSetting } from './rule.ts';

/** null where they are not known. */
export function reducedAxes(c: NodeContext): ReadonlySet<number> | null {
  const rank = c.inputs[0]?.shape?.length;
  const axes = intsSetting(c, 'axes', 1);
  if (rank === undefined || axes === null) return null;
  if (axes !== undefined && axes.length > 0) return new Set(axes.map((a) => axisAt(a, rank)));
  if (intAttr(c.node, 'noop_with_empty_axes', 0) === 1) return new Set();
  return new Set(Array.from({ length: rank }, (_, i) => i));
}
