/**
 * Owns the technique prune-heads: removes whole attention heads (Michel et al. 2019): their queries, keys and values, and what the
 * output projection reads of them. The widths that other layers see stay.
 */
import type { ChannelGroup } from '../analysis/channel-groups.ts';
import type { EvidenceRequest } from '../analysis/evidence.ts';
import { type Text, text } from '../base/text.ts';
import type { Node } from '../ir/model.ts';
import { isNone } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { type Decision, unitsToRemove } from './channel-count.ts';
import { observes, removalOf, scoresRequest } from './channel-evidence.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { samplesSeen, shareRemoved } from './field-parts.ts';
import { withFixedTargets } from './fixed-targets.ts';
import { type HeadGroups, headGroups } from './head-groups.ts';
import { sliceChannels } from './slice-channels.ts';

const projects = (node: Node): boolean => {
  const rule = opOf(node)?.channels;
  return rule !== undefined && !isNone(rule) && rule.makes !== undefined;
};

const isOpen = (g: ChannelGroup): boolean => g.frozen === undefined && g.units > 1;

const headsMadeBy = (groups: HeadGroups, node: Node): readonly ChannelGroup[] =>
  groups.heads.filter((g) => g.makers.some((m) => m.node.id === node.id));

function whyNot(groups: HeadGroups, made: readonly ChannelGroup[]): string {
  if (groups.attentions.length === 0) return 'the model has no attention: no softmax weighs a product';
  if (made.length === 0) return 'it makes no queries, keys or values of an attention whose heads are told apart';
  const frozen = made.find((g) => g.frozen !== undefined)?.frozen;
  return frozen === undefined ? 'the attention has one head' : `${frozen.reason} (${frozen.where})`;
}

function fits(node: Node, c: Pick<StepContext, 'model' | 'facts'>): Fit {
  if (!projects(node))
    return {
      fits: false,
      reason: text(`${node.op} projects nothing with weights`, `${node.op}은(는) 가중치로 투영하지 않습니다`),
    };
  const { model, facts } = withFixedTargets(c.model, c.facts);
  const groups = headGroups(model, facts);
  const made = headsMadeBy(groups, node);
  if (made.some(isOpen)) return { fits: true };
  const reason = whyNot(groups, made);
  return { fits: false, reason: text(reason, `헤드를 제거할 수 없음: ${reason}`) };
}

const openOf = (c: StepContext, groups: HeadGroups): readonly ChannelGroup[] => {
  const ids = new Set(c.selected.map((n) => n.id));
  return groups.heads.filter((g) => isOpen(g) && g.makers.some((m) => ids.has(m.node.id)));
};

const decisionOf = (c: StepContext, g: ChannelGroup): Decision =>
  unitsToRemove(
    { units: g.units, channelsPerUnit: 1 },
    {
      ratio: Number(c.params.ratio ?? 0),
      multipleOf: 1,
      ...(c.params.count === undefined ? {} : { count: Number(c.params.count) }),
    },
  );

function layerOf(c: StepContext, groups: HeadGroups, node: Node): Taken {
  const made = headsMadeBy(groups, node);
  const open = made.filter(isOpen);
  if (open.length === 0) return { id: node.id, taken: false, reason: whyNot(groups, made) };
  const before = open.reduce((n, g) => n + g.units, 0);
  const gone = open.reduce((n, g) => n + decisionOf(c, g).units, 0);
  return { id: node.id, taken: true, what: `${before} -> ${before - gone} heads` };
}

function notesOf(c: StepContext, open: readonly ChannelGroup[]): readonly Text[] {
  const limited = open.filter((g) => decisionOf(c, g).limit === 'one-stays').map((g) => g.id);
  if (limited.length === 0) return [];
  const shown = limited.length > 3 ? `${limited.slice(0, 3).join(', ')} + ${limited.length - 3}` : limited.join(', ');
  return [
    text(
      `At least one head stays: more was asked than can go from ${shown}.`,
      `헤드는 하나 이상 남습니다. 요청이 너무 큽니다: ${shown}.`,
    ),
  ];
}

function rewrite(given: StepContext): Rewrite {
  const c = { ...given, ...withFixedTargets(given.model, given.facts) };
  const groups = headGroups(c.model, c.facts);
  const open = openOf(c, groups);
  const removals = open.map((g) => removalOf(c, groups, g, decisionOf(c, g).units));
  return {
    model: sliceChannels(c.model, c.facts, groups, removals),
    layers: c.selected.filter(projects).map((node) => layerOf(c, groups, node)),
    notes: notesOf(c, open),
  };
}

function evidence(given: StepContext, round: number): EvidenceRequest | undefined {
  if (round > 0 || !observes(given.params)) return undefined;
  const c = { ...given, ...withFixedTargets(given.model, given.facts) };
  const groups = headGroups(c.model, c.facts);
  const open = openOf(c, groups);
  return open.length === 0 ? undefined : scoresRequest(c, groups, open);
}

/** Inside a node nothing is observed: the norm decides. */
const rewriteInside = (c: StepContext): Rewrite =>
  rewrite(observes(c.params) ? { ...c, params: { ...c.params, criterion: 'l1' } } : c);

export const pruneHeads: Technique = {
  id: 'prune-heads',
  group: 'prune',
  formula: 'MultiHead = Σ_h gate_h · head_h · W_h;  gate_h ∈ {0, 1}',
  version: 1,
  title: text('Prune attention heads', '어텐션 헤드 가지치기'),
  summary: text(
    'Removes the weakest heads of each attention, with their queries, keys, values and part of the output projection.',
    '어텐션마다 가장 약한 헤드를 질의, 키, 값, 출력 투영의 해당 부분과 함께 제거합니다.',
  ),
  cites: [
    {
      title: 'Are Sixteen Heads Really Better than One?',
      authors: 'Michel, Levy, Neubig',
      year: 2019,
      where: 'NeurIPS 2019, arXiv:1905.10650',
    },
    {
      title: 'Analyzing Multi-Head Self-Attention: Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned',
      authors: 'Voita, Talbot, Moiseev, Sennrich, Titov',
      year: 2019,
      where: 'ACL 2019, arXiv:1905.09418',
    },
  ],
  params: {
    ratio: {
      ...shareRemoved,
      help: text(
        'Of the heads of each attention; at least one stays.',
        '어텐션마다 헤드의 비율입니다. 하나 이상 남습니다.',
      ),
      default: 0.5,
    },
    count: {
      kind: 'number',
      label: text('Heads removed', '제거할 헤드 수'),
      help: text('In place of the share: this many from each attention.', '비율 대신 어텐션마다 이 수만큼 제거합니다.'),
      min: 0,
      max: 1024,
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
        { value: 'taylor', label: text('first-order Taylor (data)', '1차 테일러 (데이터)') },
        { value: 'activation', label: text('mean activation (data)', '평균 활성값 (데이터)') },
        { value: 'random', label: text('chance (a baseline)', '무작위 (비교용)') },
      ],
      default: 'l1',
    },
    samples: samplesSeen,
  },
  exactness: () => 'shape',
  needs: { evidence },
  fits,
  rewrite,
  rewriteInside,
  knobs: ['ratio'],
  promises: ['same-io', 'fewer-parameters', 'fewer-macs', 'smaller-file'],
  cases: [
    { params: { ratio: 0.5 } },
    { params: { count: 1, criterion: 'l2' } },
    { params: { ratio: 0.25, criterion: 'taylor', samples: 2 } },
    { params: { ratio: 0.5, criterion: 'activation', samples: 2 } },
    { params: { ratio: 1, criterion: 'random' } },
  ],
  explain: () =>
    text(
      'Fewer heads mean narrower projections and fewer products of queries and keys; time falls with MACs.',
      '헤드가 줄면 투영이 좁아지고 질의와 키의 곱이 줄어 실행 시간도 MAC과 함께 줄어듭니다.',
    ),
  migrations: [],
};
