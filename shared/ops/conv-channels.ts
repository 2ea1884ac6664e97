/** Owns how channels run through convolutions: plain, grouped, depthwise, transposed. */
import { attr, intAttr } from '../ir/attribute.ts';
import type { AdaptContext, ChannelContext, ChannelRelation, ChannelRule, NodeAdaptation } from './declare.ts';
import { frozen } from './rule.ts';

interface Sizes {
  readonly group: number;
  /** Input channels, output channels. */
  readonly cin: number;
  readonly cout: number;
}

/** W: [Cout, Cin/g, ...], or [Cin, Cout/g, ...] where transposed. undefined: a size is not known. */
function sizesOf(c: ChannelContext, transposed: boolean): Sizes | undefined {
  const group = intAttr(c.node, 'group', 1);
  const w = c.inputs[1]?.shape;
  const [major, minor] = w ?? [];
  if (typeof major !== 'number' || typeof minor !== 'number' || group < 1) return undefined;
  return transposed ? { group, cin: major, cout: minor * group } : { group, cin: minor * group, cout: major };
}

const biasOf = (c: ChannelContext) => ((c.node.inputs[2] ?? '') === '' ? undefined : c.in(2, 0));

const isDepthwise = (s: Sizes): boolean => s.group > 1 && s.group === s.cin;

function relate(c: ChannelContext, transposed: boolean): readonly ChannelRelation[] {
  const s = sizesOf(c, transposed);
  const x = c.in(0, 1);
  const y = c.out(0, 1);
  if (s === undefined) return frozen(c, 'the weight of this convolution has an unknown size');
  const out: ChannelRelation[] = [];
  const bias = biasOf(c);
  if (bias !== undefined) out.push({ kind: 'same', a: bias, b: y });
  if (s.group === 1) {
    out.push(
      { kind: 'same', a: c.in(1, transposed ? 1 : 0), b: y },
      { kind: 'same', a: c.in(1, transposed ? 0 : 1), b: x },
    );
    return out;
  }
  if (isDepthwise(s)) return [...out, ...depthwise(c, s, transposed)];
  // Grouped: every group keeps the same number of channels, so that the weight stays one block. Index i of a group's own
  // channels stands at g * n + i in the whole, for every group g.
  const within = { value: `#${c.node.id}/outputs of a group`, axis: 0 };
  const inner = { value: `#${c.node.id}/inputs of a group`, axis: 0 };
  if (transposed)
    return [
      ...out,
      { kind: 'repeat', of: c.in(1, 1), big: y, outer: s.group, inner: 1 },
      { kind: 'repeat', of: inner, big: x, outer: s.group, inner: 1 },
      { kind: 'same', a: c.in(1, 0), b: x },
    ];
  return [
    ...out,
    { kind: 'same', a: c.in(1, 0), b: y },
    { kind: 'repeat', of: within, big: y, outer: s.group, inner: 1 },
    { kind: 'repeat', of: c.in(1, 1), big: x, outer: s.group, inner: 1 },
  ];
}

/** One input channel per group; `multiplier` outputs each, index c * multiplier + r. Groups leave with their channel. */
function depthwise(c: ChannelContext, s: Sizes, transposed: boolean): readonly ChannelRelation[] {
  const x = c.in(0, 1);
  const y = c.out(0, 1);
  const multiplier = s.cout / s.cin;
  const reach: ChannelRelation =
    multiplier === 1 ? { kind: 'same', a: x, b: y } : { kind: 'repeat', of: x, big: y, outer: 1, inner: multiplier };
  // W: [Cin * multiplier, 1, ...]; transposed [Cin, multiplier, ...], whose second axis holds all groups alike.
  return transposed ? [reach, { kind: 'same', a: c.in(1, 0), b: x }] : [reach, { kind: 'same', a: c.in(1, 0), b: y }];
}

function adapt(c: AdaptContext, transposed: boolean): NodeAdaptation {
  const s = sizesOf(c, transposed);
  if (s === undefined || !isDepthwise(s)) return {};
  const kept = c.kept(c.in(0, 1));
  return kept === undefined ? {} : { attributes: [attr.int('group', kept.length)] };
}

export const convChannels = (transposed: boolean): ChannelRule => ({
  relate: (c) => relate(c, transposed),
  adapt: (c) => adapt(c, transposed),
  makes: (c) => {
    const s = sizesOf(c, transposed);
    if (s === undefined) return undefined;
    const grouped = transposed && s.group > 1;
    if (grouped) return undefined;
    const bias = biasOf(c);
    return {
      weight: c.in(1, transposed ? 1 : 0),
      output: c.out(0, 1),
      ...(bias === undefined ? {} : { bias }),
    };
  },
});
