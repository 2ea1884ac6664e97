/**
 * Owns the technique prune-channels: removes whole channels, the weakest by a criterion of the literature, from every graph that
 * the channel groups understand. Dense kernels run faster on what is left.
 */
import { type ChannelGroup, type ChannelGroups, channelGroups } from '../analysis/channel-groups.ts';
import type { EvidenceRequest } from '../analysis/evidence.ts';
import { type Text, text } from '../base/text.ts';
import type { Node } from '../ir/model.ts';
import { isNone } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { type Amounts, amountsEach, amountsFor, bySensitivity, type Goal, uniform } from './channel-amounts.ts';
import type { Decision } from './channel-count.ts';
import {
  criterionOf,
  curvesOf,
  observes,
  removalOf,
  roundOf,
  samplesOf,
  scoresRequest,
  stagesOf,
  trialsRequest,
} from './channel-evidence.ts';
import { normScales } from './channel-rank.ts';
import { refitRequest, refits, refitted } from './channel-refit.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { withFixedTargets } from './fixed-targets.ts';
import { pruneChannelsCites, pruneChannelsParams } from './prune-channels-params.ts';
import { type Removal, sliceChannels } from './slice-channels.ts';

const makesChannels = (node: Node): boolean => {
  const rule = opOf(node)?.channels;
  return rule !== undefined && !isNone(rule) && rule.makes !== undefined;
};

const isOpen = (g: ChannelGroup): boolean => g.frozen === undefined && g.units > 1;

function fits(node: Node, c: Pick<StepContext, 'model' | 'facts'>): Fit {
  if (!makesChannels(node))
    return {
      fits: false,
      reason: text(`${node.op} makes no channels from weights`, `${node.op}은(는) 가중치로 채널을 만들지 않습니다`),
    };
  const { model, facts } = withFixedTargets(c.model, c.facts);
  const made = channelGroups(model, facts).madeBy.get(node.id) ?? [];
  if (made.some(isOpen)) return { fits: true };
  const reason = whyNot(made);
  return { fits: false, reason: text(reason, `제거할 수 없음: ${reason}`) };
}

function whyNot(made: readonly ChannelGroup[]): string {
  if (made.length === 0) return 'its weight is not a constant, or an axis has no known size';
  const frozen = made.find((g) => g.frozen !== undefined)?.frozen;
  return frozen === undefined ? 'only one channel is left' : `${frozen.reason} (${frozen.where})`;
}

function layerOf(node: Node, made: readonly ChannelGroup[], decisions: ReadonlyMap<ChannelGroup, Decision>): Taken {
  const open = made.filter(isOpen);
  if (open.length === 0) return { id: node.id, taken: false, reason: whyNot(made) };
  const before = made.reduce((n, g) => n + g.units * g.channelsPerUnit, 0);
  const gone = open.reduce((n, g) => n + (decisions.get(g)?.units ?? 0) * g.channelsPerUnit, 0);
  const with_ = new Set(open.flatMap((g) => g.makers.map((m) => m.node.id)));
  const together = with_.size > 1 ? `, together with ${with_.size - 1} other${with_.size > 2 ? 's' : ''}` : '';
  return { id: node.id, taken: true, what: `${before} -> ${before - gone} channels${together}` };
}

const multipleOf = (c: StepContext): number => Number(c.params.multipleOf ?? 1);

const shortList = (ids: readonly string[]): string =>
  ids.length > 3 ? `${ids.slice(0, 3).join(', ')} + ${ids.length - 3}` : ids.join(', ');

function limitNotes(c: StepContext, { decisions, short }: Amounts): readonly Text[] {
  const named = (limit: Decision['limit']): string[] => {
    const found: string[] = [];
    for (const [g, d] of decisions) if (d.limit === limit) found.push(g.id);
    return found;
  };
  const [one, none] = [named('one-stays'), named('no-multiple')];
  const notes: Text[] = [];
  if (one.length > 0)
    notes.push(
      text(
        `At least one channel stays: more was asked than can go from ${shortList(one)}.`,
        `채널은 하나 이상 남습니다. 요청이 너무 큽니다: ${shortList(one)}.`,
      ),
    );
  if (none.length > 0)
    notes.push(
      text(
        `Left whole, because no smaller width is a multiple of ${multipleOf(c)}: ${shortList(none)}.`,
        `${multipleOf(c)}의 배수로 줄일 수 없어 그대로 둡니다: ${shortList(none)}.`,
      ),
    );
  if (short === 'unreachable')
    notes.push(
      text(
        'The goal is out of reach: what is not selected, or cannot go, costs more than was to be left.',
        '목표에 도달할 수 없습니다. 선택하지 않았거나 제거할 수 없는 부분이 남길 양보다 큽니다.',
      ),
    );
  return notes;
}

/** What a person should know of how the weakest were found. */
function criterionNotes(c: StepContext, groups: ChannelGroups, open: readonly ChannelGroup[]): readonly Text[] {
  if (criterionOf(c.params) !== 'batchnorm') return [];
  const without = open.filter((g) => normScales(c.model, groups, g).length === 0).map((g) => g.id);
  if (without.length === 0) return [];
  return [
    text(
      `No normalisation follows, so the L1 norm decides: ${shortList(without)}.`,
      `뒤에 정규화가 없어 L1 노름으로 정합니다: ${shortList(without)}.`,
    ),
  ];
}

interface Choice {
  readonly groups: ChannelGroups;
  readonly open: readonly ChannelGroup[];
  readonly candidates: readonly Node[];
}

function choiceOf(c: StepContext): Choice {
  const groups = channelGroups(c.model, c.facts);
  const candidates = c.selected.filter(makesChannels);
  const open = new Set(candidates.flatMap((n) => (groups.madeBy.get(n.id) ?? []).filter(isOpen)));
  return { groups, open: [...open], candidates };
}

function amountsOf(c: StepContext, { groups, open }: Choice): Amounts {
  const context = { model: c.model, facts: c.facts, groups, open };
  const ratio = Number(c.params.ratio ?? 0);
  const goal = (c.params.of ?? 'channels') as Goal;
  const curves = c.params.spread === 'sensitivity' ? curvesOf(c, groups, open) : undefined;
  if (goal === 'channels' && curves === undefined)
    return amountsEach(context, {
      ratio,
      ...(c.params.count === undefined ? {} : { count: Number(c.params.count) }),
      multipleOf: multipleOf(c),
    });
  return amountsFor(context, goal, ratio, multipleOf(c), curves === undefined ? uniform : bySensitivity(curves));
}

/** What goes from which group, and what becomes of each selected layer. */
export function planChannels(c: StepContext): { readonly removals: readonly Removal[] } & Omit<Rewrite, 'model'> {
  const choice = choiceOf(c);
  const { groups, open, candidates } = choice;
  const amounts = amountsOf(c, choice);
  const { decisions } = amounts;
  const unknown = 'the work of this model depends on sizes that are not set';
  return {
    removals: [...decisions].map(([group, { units }]) => removalOf(c, groups, group, units)),
    layers: candidates.map((node) =>
      amounts.short === 'unknown'
        ? { id: node.id, taken: false, reason: unknown }
        : layerOf(node, groups.madeBy.get(node.id) ?? [], decisions),
    ),
    notes: [...limitNotes(c, amounts), ...criterionNotes(c, groups, open)],
  };
}

/** The step on a model whose Reshapes have constant targets: nothing then counts what will be cut. */
const fixed = (c: StepContext): StepContext => ({ ...c, ...withFixedTargets(c.model, c.facts) });

const roundsOf = (c: StepContext) => ({
  original: roundOf(c.params, 'scores'),
  first: stagesOf(c.params).length,
});

function evidence(given: StepContext, round: number): EvidenceRequest | undefined {
  const c = fixed(given);
  const stages = stagesOf(c.params);
  const { groups, open } = choiceOf(c);
  if (open.length === 0) return undefined;
  const stage = stages[round];
  if (stage === 'scores') return scoresRequest(c, groups, open);
  if (stage === 'trials') return trialsRequest(c, groups, open);
  if (c.params.reconstruct !== true) return undefined;
  const { removals } = planChannels(c);
  const layers = refits(c, groups, removals);
  return refitRequest(c, groups, removals, layers, round - stages.length, samplesOf(c.params), roundsOf(c));
}

function rewrite(given: StepContext): Rewrite {
  const c = fixed(given);
  const { removals, layers, notes } = planChannels(c);
  const groups = channelGroups(c.model, c.facts);
  if (c.params.reconstruct !== true) return { model: sliceChannels(c.model, c.facts, groups, removals), layers, notes };
  const found = refits(c, groups, removals);
  const refit = text(
    `${found.length} layers that read the pruned channels are refitted by least squares.`,
    `제거된 채널을 읽는 층 ${found.length}개를 최소제곱으로 다시 맞춥니다.`,
  );
  return {
    model: refitted(c, groups, removals, found, found.length, roundsOf(c)),
    layers,
    notes: [...notes, refit],
  };
}

/** Inside a node nothing is observed, and a goal is the whole model's: the norm decides, the same share of every group. */
function rewriteInside(c: StepContext): Rewrite {
  const criterion = observes(c.params) ? 'l1' : c.params.criterion;
  return rewrite({ ...c, params: { ...c.params, criterion, of: 'channels', spread: 'uniform', reconstruct: false } });
}

export const pruneChannels: Technique = {
  id: 'prune-channels',
  group: 'prune',
  formula: 's_c = Σ |W_c|;  C ← top_k(s),  k = ⌈(1 − r)·n⌉',
  version: 1,
  title: text('Prune channels', '채널 가지치기'),
  summary: text(
    'Removes the weakest filters and everything that belongs to them. The network gets narrower and faster.',
    '가장 약한 필터와 거기에 딸린 것을 모두 제거합니다. 신경망이 더 좁고 빨라집니다.',
  ),
  cites: pruneChannelsCites,
  params: pruneChannelsParams,
  validate: (params) =>
    params.count !== undefined && (params.of !== 'channels' || params.spread === 'sensitivity')
      ? text(
          'count goes with the same share of every group, not with a goal or with sensitivity',
          '개수는 그룹마다 같은 비율일 때만 쓸 수 있고 목표나 민감도와는 함께 쓸 수 없습니다',
        )
      : undefined,
  exactness: (params) => (params.spread === 'sensitivity' ? 'training' : 'shape'),
  needs: { evidence },
  fits,
  rewrite,
  rewriteInside,
  knobs: ['ratio'],
  promises: ['same-io', 'fewer-parameters', 'fewer-macs', 'smaller-file'],
  cases: [
    { params: { ratio: 0.3 } },
    { params: { ratio: 0.5, criterion: 'l2', multipleOf: 4 } },
    { params: { ratio: 0.4, criterion: 'geometric-median' } },
    { params: { ratio: 0.4, criterion: 'batchnorm', of: 'macs' } },
    { params: { ratio: 0.5, criterion: 'random', of: 'parameters' } },
    { params: { ratio: 0.4, criterion: 'activation', spread: 'sensitivity', samples: 2 } },
    { params: { ratio: 0.4, criterion: 'taylor', samples: 2 } },
    { params: { ratio: 0.4, criterion: 'lasso', reconstruct: true, samples: 8 } },
  ],
  explain: () =>
    text(
      'Fewer channels mean smaller dense kernels, so time falls with MACs; odd widths can cost a little of it back.',
      '채널이 줄면 커널이 작아져 실행 시간도 줄어듭니다. 폭이 어중간하면 이득이 조금 줄 수 있습니다.',
    ),
  migrations: [],
};
