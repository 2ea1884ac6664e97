/** Owns Softmax, LogSoftmax, Hardmax: over one axis from 13 on, over all axes from `axis` on before. */
import { attr, intAttr } from '../ir/attribute.ts';
import { fed } from './case-values.ts';
import { type ChannelContext, type ChannelRelation, type NodeContext, none, type Op, type OpCase } from './declare.ts';
import { logSoftmaxGradient, softmaxGradient } from './layout-gradient.ts';
import { axisAt, family, likeInput, noGradientYet, noQuantize, perOutput, sameAxis } from './rule.ts';

/** Axes whose elements share one normalisation. */
export function softmaxAxes(c: NodeContext): readonly number[] {
  const rank = c.inputs[0]?.shape?.length ?? 0;
  const axis = axisAt(intAttr(c.node, 'axis', c.version >= 13 ? -1 : 1), rank);
  if (c.version >= 13) return [axis];
  return Array.from({ length: Math.max(rank - axis, 0) }, (_, i) => axis + i);
}

/** Fewer entries along a normalised axis change all the others: that axis must stay. */
function relate(c: ChannelContext): readonly ChannelRelation[] {
  const shared = new Set(softmaxAxes(c));
  return (c.inputs[0]?.shape ?? []).flatMap((_, axis): ChannelRelation[] =>
    shared.has(axis)
      ? [
          { kind: 'freeze', slot: c.in(0, axis), reason: `${c.node.op} normalises over this axis` },
          ...sameAxis(c, 0, axis, 0, axis),
        ]
      : sameAxis(c, 0, axis, 0, axis),
  );
}

const soft = family({
  domain: '',
  parameters: {},
  work: perOutput('elementwise', 3),
  gradient: noGradientYet,
  channels: { relate },
  quantize: noQuantize,
});

const cases: readonly OpCase[] = [
  { name: 'last axis', inputs: [fed(2, 3, 4)] },
  { name: 'axis 1', attributes: [attr.int('axis', 1)], inputs: [fed(2, 3, 4)] },
  { name: 'from axis 1 on, opset 11', opset: 11, inputs: [fed(2, 3, 4)] },
  { name: 'negative axis, opset 11', opset: 11, attributes: [attr.int('axis', -1)], inputs: [fed(2, 3)] },
  { name: 'opset 7', opset: 7, attributes: [attr.int('axis', 0)], inputs: [fed(2, 3)] },
];

export const softmaxOps: readonly Op[] = [
  soft('Softmax', [1, 11, 13], likeInput, { gradient: softmaxGradient, cases }),
  soft('LogSoftmax', [1, 11, 13], likeInput, { gradient: logSoftmaxGradient, cases }),
  soft('Hardmax', [1, 11, 13], likeInput, { gradient: none('its result jumps from class to class'), cases }),
];
