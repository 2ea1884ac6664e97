/**
 * Owns the technique prune-channels: removes whole channels, the weakest by L1 or L2 norm, from every graph that the
 * channel groups understand. Dense kernels run faster on what is left.
 */
import { type ChannelGroup, channelGroups } from '../analysis/channel-groups.ts';
import { lazy } from '../base/lazy.ts';
import { type Text, text } from '../base/text.ts';
import type { Node } from '../ir/model.ts';
import { isNone } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { type Amount, type Decision, unitsToRemove } from './channel-count.ts';
import { type Criterion, ranking } from './channel-rank.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { type Removal, sliceChannels } from './slice-channels.ts';

const makesChannels = (node: Node): boolean => {
  const rule = opOf(node)?.channels;
  return rule !== undefined && !isNone(rule) && rule.makes !== undefined;
};

function fits(node: Node, c: Pick<StepContext, 'model' | 'facts'>): Fit {
  if (!makesChannels(node))
    return {
      fits: false,
      reason: text(`${node.op} makes no channels from weights`, `${node.op}은(는) 가중치로 채널을 만들지 않습니다`),
    };
  const made = channelGroups(c.model, c.facts).madeBy.get(node.id) ?? [];
  if (made.some((g) => g.frozen === undefined && g.units > 1)) return { fits: true };
  const reason = whyNot(made);
  return { fits: false, reason: text(reason, `제거할 수 없음: ${reason}`) };
}

function whyNot(made: readonly ChannelGroup[]): string {
  if (made.length === 0) return 'its weight is not a constant, or an axis has no known size';
  const frozen = made.find((g) => g.frozen !== undefined)?.frozen;
  return frozen === undefined ? 'only one channel is left' : `${frozen.reason} (${frozen.where})`;
}

const amountOf = (params: StepContext['params']): Amount => ({
  ratio: Number(params.ratio ?? 0),
  ...(params.count === undefined ? {} : { count: Number(params.count) }),
  multipleOf: Number(params.multipleOf ?? 1),
});

function layerOf(node: Node, made: readonly ChannelGroup[], decisions: ReadonlyMap<ChannelGroup, Decision>): Taken {
  const open = made.filter((g) => g.frozen === undefined && g.units > 1);
  if (open.length === 0) return { id: node.id, taken: false, reason: whyNot(made) };
  const before = made.reduce((n, g) => n + g.units * g.channelsPerUnit, 0);
  const gone = open.reduce((n, g) => n + (decisions.get(g)?.units ?? 0) * g.channelsPerUnit, 0);
  const with_ = new Set(open.flatMap((g) => g.makers.map((m) => m.node.id)));
  const together = with_.size > 1 ? `, together with ${with_.size - 1} other${with_.size > 2 ? 's' : ''}` : '';
  return { id: node.id, taken: true, what: `${before} -> ${before - gone} channels${together}` };
}

function limitNotes(decisions: ReadonlyMap<ChannelGroup, Decision>, multipleOf: number): readonly Text[] {
  const named = (limit: Decision['limit']): string[] =>
    [...decisions].filter(([, d]) => d.limit === limit).map(([g]) => g.id);
  const list = (ids: readonly string[]): string =>
    ids.length > 3 ? `${ids.slice(0, 3).join(', ')} + ${ids.length - 3}` : ids.join(', ');
  const one = named('one-stays');
  const none = named('no-multiple');
  return [
    ...(one.length === 0
      ? []
      : [
          text(
            `At least one channel stays: more was asked than can go from ${list(one)}.`,
            `채널은 하나 이상 남습니다. 요청이 너무 큽니다: ${list(one)}.`,
          ),
        ]),
    ...(none.length === 0
      ? []
      : [
          text(
            `Left whole, because no smaller width is a multiple of ${multipleOf}: ${list(none)}.`,
            `${multipleOf}의 배수로 줄일 수 없어 그대로 둡니다: ${list(none)}.`,
          ),
        ]),
  ];
}

/** What goes from which group, and what becomes of each selected layer. */
export function planChannels(c: StepContext): { readonly removals: readonly Removal[] } & Omit<Rewrite, 'model'> {
  const groups = channelGroups(c.model, c.facts);
  const amount = amountOf(c.params);
  const criterion: Criterion = c.params.criterion === 'l2' ? 'l2' : 'l1';
  const decisions = new Map<ChannelGroup, Decision>();
  const layers: Taken[] = [];
  const candidates = c.selected.filter(makesChannels);
  for (const node of candidates)
    for (const group of groups.madeBy.get(node.id) ?? [])
      if (group.frozen === undefined && group.units > 1 && !decisions.has(group))
        decisions.set(group, unitsToRemove(group, amount));
  for (const node of candidates) layers.push(layerOf(node, groups.madeBy.get(node.id) ?? [], decisions));
  const removals = [...decisions].map(
    ([group, { units }]): Removal => ({
      group,
      count: units,
      units: lazy(() => ranking(c.model, groups, group, criterion).subarray(0, units)),
    }),
  );
  return { removals, layers, notes: limitNotes(decisions, amount.multipleOf) };
}

function rewrite(c: StepContext): Rewrite {
  const { removals, layers, notes } = planChannels(c);
  return { model: sliceChannels(c.model, c.facts, channelGroups(c.model, c.facts), removals), layers, notes };
}

export const pruneChannels: Technique = {
  id: 'prune-channels',
  version: 1,
  title: text('Prune channels', '채널 가지치기'),
  summary: text(
    'Removes the weakest filters and everything that belongs to them. The network gets narrower and faster.',
    '가장 약한 필터와 거기에 딸린 것을 모두 제거합니다. 신경망이 더 좁고 빨라집니다.',
  ),
  cites: [
    {
      title: 'Pruning Filters for Efficient ConvNets',
      authors: 'Li, Kadav, Durdanovic, Samet, Graf',
      year: 2017,
      where: 'ICLR 2017, arXiv:1608.08710',
    },
    {
      title: 'DepGraph: Towards Any Structural Pruning',
      authors: 'Fang, Ma, Song, Mi, Wang',
      year: 2023,
      where: 'CVPR 2023, arXiv:2301.12900',
    },
  ],
  params: {
    ratio: {
      kind: 'number',
      label: text('Share removed', '제거 비율'),
      help: text('Of each group of channels that go together.', '함께 제거되는 채널 묶음마다 적용됩니다.'),
      min: 0,
      max: 1,
      step: 0.01,
      default: 0.3,
      unit: 'share',
    },
    count: {
      kind: 'number',
      label: text('Channels removed', '제거할 채널 수'),
      help: text('In place of the share: this many from each group.', '비율 대신 묶음마다 이 수만큼 제거합니다.'),
      min: 0,
      max: 1_000_000,
      step: 1,
      default: 1,
      integer: true,
      unit: 'count',
      optional: true,
    },
    criterion: {
      kind: 'choice',
      label: text('Weakest by', '기준'),
      options: [
        { value: 'l1', label: text('L1 norm', 'L1 노름') },
        { value: 'l2', label: text('L2 norm', 'L2 노름') },
      ],
      default: 'l1',
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
  fits,
  rewrite,
  knobs: ['ratio'],
  promises: ['same-io', 'fewer-parameters', 'fewer-macs', 'smaller-file'],
  cases: [
    { params: { ratio: 0.3 } },
    { params: { ratio: 0.5, criterion: 'l2', multipleOf: 4 } },
    { params: { count: 1 } },
  ],
  explain: () =>
    text(
      'Fewer channels mean smaller dense kernels, so time falls with MACs; odd widths can cost a little of it back.',
      '채널이 줄면 커널이 작아져 실행 시간도 줄어듭니다. 폭이 어중간하면 이득이 조금 줄 수 있습니다.',
    ),
  migrations: [],
};
