/** Owns broadcasting operators' common answers: shapes (also the axis attribute of opset 1 to 6) and channels. */
import { intAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import type { ChannelContext, ChannelRelation, ChannelRule, NodeContext } from './declare.ts';
import { broadcastShapes } from './fold.ts';
import { axisAt } from './rule.ts';

/** Input shapes as they meet: under Add-1 to 6, B stands at `axis` of A (default: the end) and gets ones behind it. */
export function alignedShapes(c: NodeContext): readonly (readonly Dim[] | null)[] {
  const shapes = c.inputs.map((i) => i?.shape ?? null);
  const axis = legacyAxis(c);
  const [a, b] = shapes;
  if (axis === undefined || !a || !b) return shapes;
  return [a, [...b, ...Array.from({ length: Math.max(a.length - axis - b.length, 0) }, () => 1)]];
}

function legacyAxis(c: NodeContext): number | undefined {
  if (c.version >= 7 || intAttr(c.node, 'broadcast', 0) === 0) return undefined;
  const axis = intAttr(c.node, 'axis');
  const rank = c.inputs[0]?.shape?.length;
  return axis === undefined || rank === undefined ? undefined : axisAt(axis, rank);
}

export const broadcastShape = (c: NodeContext): readonly Dim[] | null =>
  c.inputs.length === 0 ? null : broadcastShapes(alignedShapes(c));

/** Each axis of each input is the output's axis it is aligned with, unless it is broadcast (size 1). */
export const broadcastChannels: ChannelRule = {
  relate: (c: ChannelContext): readonly ChannelRelation[] => {
    const out = c.outputs[0]?.shape;
    if (!out) return [];
    return alignedShapes(c).flatMap((shape, k): ChannelRelation[] => {
      const own = c.inputs[k]?.shape;
      if (!shape || !own) return [];
      return own.flatMap((d, i): ChannelRelation[] => {
        const axis = i + out.length - shape.length;
        return typeof d === 'number' && d === out[axis] && d !== 1
          ? [{ kind: 'same', a: c.in(k, i), b: c.out(0, axis) }]
          : [];
      });
    });
  },
};
