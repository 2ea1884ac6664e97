/**
 * Owns the technique scale-width: MobileNet's width multiplier (Howard et al. 2017, section 3.3) for any network. Below 1 every group
 * of channels keeps its strongest; above 1 it grows by copies, the outputs unchanged.
 */
import { type ChannelGroup, channelGroups } from '../analysis/channel-groups.ts';
import { lazy } from '../base/lazy.ts';
import { text } from '../base/text.ts';
import { unitsToRemove } from './channel-count.ts';
import { ranking } from './channel-rank.ts';
import type { Rewrite, StepContext, Technique } from './declare.ts';
import { pruneChannels } from './prune-channels.ts';
import { type Removal, sliceChannels } from './slice-channels.ts';
import { grow, makesChannels } from './widen.ts';

/** Groups whose weakest channels go, in the order of the nodes that make them. */
function shrink(c: StepContext, width: number, multipleOf: number): Rewrite {
  const groups = channelGroups(c.model, c.facts);
  const removals = new Map<ChannelGroup, Removal>();
  const nodes = c.selected.filter(makesChannels);
  for (const node of nodes)
    for (const group of groups.madeBy.get(node.id) ?? []) {
      if (group.frozen !== undefined || group.units < 2 || removals.has(group)) continue;
      const { units: count } = unitsToRemove(group, { ratio: 1 - width, multipleOf });
      removals.set(group, {
        group,
        count,
        units: lazy(() => ranking(c.model, groups, group, 'l2').subarray(0, count)),
      });
    }
  const layers = nodes.map((node) => {
    const fit = pruneChannels.fits(node, c);
    if (!fit.fits) return { id: node.id, taken: false as const, reason: fit.reason.en };
    const made = groups.madeBy.get(node.id) ?? [];
    const before = made.reduce((n, g) => n + g.units * g.channelsPerUnit, 0);
    const gone = made.reduce((n, g) => n + (removals.get(g)?.count ?? 0) * g.channelsPerUnit, 0);
    return { id: node.id, taken: true as const, what: `${before} -> ${before - gone} channels` };
  });
  return { model: sliceChannels(c.model, c.facts, groups, [...removals.values()]), layers, notes: [] };
}

export const scaleWidth: Technique = {
  id: 'scale-width',
  group: 'scale',
  formula: 'C → α·C;  MACs → ≈ α²·MACs',
  version: 1,
  title: text('Scale width', '폭 조절'),
  summary: text(
    'One multiplier for the channels of the whole network: below 1 the strongest stay, above 1 they are copied.',
    '신경망 전체의 채널 수에 하나의 배수를 적용합니다. 1보다 작으면 강한 채널만 남기고, 크면 복제합니다.',
  ),
  cites: [
    {
      title: 'MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications',
      authors: 'Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam',
      year: 2017,
      where: 'arXiv:1704.04861, section 3.3',
    },
  ],
  params: {
    width: {
      kind: 'number',
      label: text('Width multiplier', '폭 배수'),
      min: 0.05,
      max: 4,
      step: 0.05,
      default: 0.75,
      unit: 'none',
    },
    multipleOf: {
      kind: 'choice',
      label: text('Keep a multiple of', '배수 유지'),
      options: [1, 4, 8, 16].map((n) => ({ value: n, label: text(String(n), String(n)) })),
      default: 1,
    },
  },
  exactness: () => 'shape',
  needs: {},
  fits: pruneChannels.fits,
  rewrite: (c) => {
    const width = Number(c.params.width ?? 0.75);
    const multipleOf = Number(c.params.multipleOf ?? 1);
    return width > 1 ? grow(c, width, multipleOf, 0.3) : shrink(c, width, multipleOf);
  },
  knobs: ['width'],
  promises: ['same-io'],
  cases: [{ params: { width: 0.5 } }, { params: { width: 0.75, multipleOf: 4 } }, { params: { width: 2 } }],
  explain: (params) =>
    Number(params.width ?? 1) > 1
      ? text(
          'Wider and slower, with the same answers until it is trained on.',
          '더 넓고 느려지며, 더 학습시키기 전까지 답은 같습니다.',
        )
      : text(
          'MACs and parameters fall with about the square of the multiplier. Train afterwards: accuracy falls first.',
          '연산량과 파라미터는 배수의 제곱쯤으로 줄어듭니다. 정확도가 먼저 떨어지니 이어서 학습시키세요.',
        ),
  migrations: [],
};
