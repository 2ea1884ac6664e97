/**
 * Owns the technique widen (Net2WiderNet): layers with more channels that compute exactly what they did, as a start for
 * training a larger network.
 */
import { type ChannelGroup, channelGroups } from '../analysis/channel-groups.ts';
import { text } from '../base/text.ts';
import type { Node } from '../ir/model.ts';
import { isNone } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { copyChannels, drawSources, growthBarrier } from './copy-channels.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import type { Growth } from './grow-order.ts';

export const makesChannels = (node: Node): boolean => {
  const rule = opOf(node)?.channels;
  return rule !== undefined && !isNone(rule) && rule.makes !== undefined;
};

type Where = Pick<StepContext, 'model' | 'facts'>;

/** Groups of a node that can grow, or why none can. */
export function growable(node: Node, c: Where): readonly ChannelGroup[] | string {
  const groups = channelGroups(c.model, c.facts);
  const made = groups.madeBy.get(node.id) ?? [];
  if (made.length === 0) return 'its weight is not a constant, or an axis has no known size';
  const barriers = made.map((g) => growthBarrier(c.model, c.facts, groups, g));
  const open = made.filter((_, k) => barriers[k] === undefined);
  if (open.length > 0) return open;
  const why = barriers.find((b) => b !== undefined);
  return why === undefined ? 'no channels' : `${why.reason} (${why.where})`;
}

function fits(node: Node, c: Where): Fit {
  if (!makesChannels(node))
    return {
      fits: false,
      reason: text(`${node.op} makes no channels from weights`, `${node.op}은(는) 가중치로 채널을 만들지 않습니다`),
    };
  const open = growable(node, c);
  return typeof open === 'string' ? { fits: false, reason: text(open, `넓힐 수 없음: ${open}`) } : { fits: true };
}

/** Units that a group gets, so that it has `factor` times as many channels, a multiple where it can be. */
export function unitsToAdd(
  group: Pick<ChannelGroup, 'units' | 'channelsPerUnit'>,
  factor: number,
  multipleOf: number,
): number {
  const { units, channelsPerUnit } = group;
  const wanted = Math.max(units, Math.round(units * factor));
  if (multipleOf === 1) return wanted - units;
  // Multiples repeat after `multipleOf` units at the latest.
  for (let more = 0; more <= multipleOf; more++)
    for (const k of [wanted + more, wanted - more])
      if (k >= units && (k * channelsPerUnit) % multipleOf === 0) return k - units;
  return wanted - units;
}

const channels = (groups: readonly ChannelGroup[], unitsOf: (g: ChannelGroup) => number): number =>
  groups.reduce((n, g) => n + unitsOf(g) * g.channelsPerUnit, 0);

/** What became of one selected node once its groups have grown. */
export function grownLayer(
  node: Node,
  c: Where,
  added: ReadonlyMap<ChannelGroup, number>,
  torn: ReadonlySet<ChannelGroup>,
): Taken {
  const open = growable(node, c);
  if (typeof open === 'string') return { id: node.id, taken: false, reason: open };
  if (open.every((g) => torn.has(g)))
    return {
      id: node.id,
      taken: false,
      reason: 'copies cannot stand beside their channels: a shuffle, Slice or grouped convolution needs another order',
    };
  const made = channelGroups(c.model, c.facts).madeBy.get(node.id) ?? [];
  const before = channels(made, (g) => g.units);
  const after = channels(made, (g) => g.units + (torn.has(g) ? 0 : (added.get(g) ?? 0)));
  const others = new Set(open.flatMap((g) => g.makers.map((m) => m.node.id))).size - 1;
  const together = others > 0 ? `, together with ${others} other${others > 1 ? 's' : ''}` : '';
  return { id: node.id, taken: true, what: `${before} -> ${after} channels${together}` };
}

/** Growths of the groups that the selected nodes make. */
export function planGrowth(
  c: Where & Pick<StepContext, 'selected' | 'seed'>,
  factor: number,
  multipleOf: number,
): readonly Growth[] {
  const growths = new Map<ChannelGroup, Growth>();
  for (const node of c.selected.filter(makesChannels)) {
    const open = growable(node, c);
    if (typeof open === 'string') continue;
    for (const group of open)
      if (!growths.has(group))
        growths.set(group, { group, sources: drawSources(group, unitsToAdd(group, factor, multipleOf), c.seed) });
  }
  return [...growths.values()];
}

/** Grows the selected layers; what `widen` and `scale-width` share. */
export function grow(c: StepContext, factor: number, multipleOf: number, uneven: number): Rewrite {
  const growths = planGrowth(c, factor, multipleOf);
  const { model, torn } = copyChannels(c.model, c.facts, growths, { uneven, seed: c.seed });
  const added = new Map(growths.map((g) => [g.group, g.sources.length]));
  return { model, layers: c.selected.filter(makesChannels).map((n) => grownLayer(n, c, added, torn)), notes: [] };
}

export const widen: Technique = {
  id: 'widen',
  group: 'scale',
  formula: 'W′_j = W_g(j);  W″_j = W_g(j) / |{i : g(i) = g(j)}|',
  version: 1,
  title: text('Widen', '넓히기'),
  summary: text(
    'More channels from copies of those there are, the outputs unchanged: a head start for training a larger network.',
    '있는 채널을 복제해 늘리되 출력은 그대로입니다. 더 큰 신경망을 이어서 학습할 출발점이 됩니다.',
  ),
  cites: [
    {
      title: 'Net2Net: Accelerating Learning via Knowledge Transfer',
      authors: 'Chen, Goodfellow, Shlens',
      year: 2016,
      where: 'ICLR 2016, section 2.2, arXiv:1511.05641',
    },
  ],
  params: {
    factor: {
      kind: 'number',
      label: text('Times as wide', '폭 배수'),
      help: text('Of each group of channels that go together.', '함께 움직이는 채널 묶음마다 적용됩니다.'),
      min: 1,
      max: 8,
      step: 0.05,
      default: 1.5,
      unit: 'none',
    },
    multipleOf: {
      kind: 'choice',
      label: text('Make a multiple of', '배수 맞춤'),
      options: [1, 4, 8, 16].map((n) => ({ value: n, label: text(String(n), String(n)) })),
      default: 1,
    },
    noise: {
      kind: 'number',
      label: text('Unlikeness of copies', '복제 채널의 차이'),
      help: text(
        'Copies of a channel count unequally by up to this share, so that training moves them apart. The outputs stay the same.',
        '복제된 채널이 이 비율까지 서로 다르게 반영되어 학습하면서 갈라집니다. 출력은 그대로입니다.',
      ),
      min: 0,
      max: 0.9,
      step: 0.05,
      default: 0.3,
      unit: 'share',
    },
  },
  exactness: () => 'shape',
  needs: {},
  fits,
  rewrite: (c) =>
    grow(c, Number(c.params.factor ?? 1.5), Number(c.params.multipleOf ?? 1), Number(c.params.noise ?? 0)),
  knobs: ['factor'],
  promises: ['same-io', 'function-preserved'],
  cases: [
    { params: { factor: 1.5 } },
    { params: { factor: 2.3, noise: 0, multipleOf: 4 } },
    { params: { factor: 3, noise: 0.9 } },
  ],
  explain: () =>
    text(
      'The network gets larger and slower, and answers as before; train it, then prune or distil what it learnt.',
      '신경망이 커지고 느려지지만 답은 그대로입니다. 학습시킨 뒤 가지치기나 증류로 다시 줄이세요.',
    ),
  migrations: [],
};
