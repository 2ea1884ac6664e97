/** Owns reordered(): the rules of a float operator applied to its quantized form, whose inputs stand elsewhere. */

import type { ElementType } from '../ir/element-type.ts';
import type {
  AdaptContext,
  ChannelContext,
  ChannelRelation,
  ChannelRule,
  InferContext,
  InferRule,
  WorkRule,
} from './declare.ts';

/** Input k of the float operator is input `at[k]` of the quantized one; undefined: it has none. */
export type Places = readonly (number | undefined)[];

function moved<C extends InferContext | ChannelContext | AdaptContext>(c: C, at: Places): C {
  const given = at.map((k) => (k === undefined ? undefined : c.inputs[k]));
  const names = at.map((k) => (k === undefined ? '' : (c.node.inputs[k] ?? '')));
  const node = { ...c.node, inputs: names };
  const base = { ...c, node, inputs: given };
  return 'in' in c ? { ...base, in: (k: number, axis: number) => c.in(at[k] ?? 0, axis) } : base;
}

/** The float rule's shapes with the element type that `elem` says. */
export const inferMoved =
  (rule: InferRule, at: Places, elem: (c: InferContext) => ElementType | null): InferRule =>
  (c) =>
    rule(moved(c, at)).map(({ shape, constant }) => ({ elem: elem(c), shape, constant }));

export const workMoved =
  (rule: WorkRule, at: Places): WorkRule =>
  (c) => {
    const given = at.map((k) => (k === undefined ? undefined : c.inputs[k]));
    return rule({ ...c, inputs: given });
  };

/** The float rule's relations, and per-channel scales and zero points along `axis` of the weight. */
export const channelsMoved = (
  rule: ChannelRule,
  at: Places,
  scales: { readonly inputs: readonly number[]; readonly weight: number; readonly axis: (c: ChannelContext) => number },
): ChannelRule => {
  const { adapt, makes } = rule;
  return {
    relate: (c) => [
      ...rule.relate(moved(c, at)),
      ...scales.inputs.flatMap((k): readonly ChannelRelation[] => {
        const axis = scales.axis(c);
        const own = c.inputs[k]?.shape;
        const size = c.inputs[scales.weight]?.shape?.[axis];
        return own?.length === 1 && typeof size === 'number' && size === own[0] && size > 1
          ? [{ kind: 'same', a: c.in(scales.weight, axis), b: c.in(k, 0) }]
          : [];
      }),
    ],
    ...(adapt === undefined ? {} : { adapt: (c: AdaptContext) => adapt(moved(c, at)) }),
    ...(makes === undefined ? {} : { makes: (c: ChannelContext) => makes(moved(c, at)) }),
  };
};
