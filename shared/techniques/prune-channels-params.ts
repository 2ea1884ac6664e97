/** Owns the parameters of prune-channels and where its criteria come from. */
import type { Fields } from '../base/fields.ts';
import { text } from '../base/text.ts';
import type { Citation } from './declare.ts';
import { samplesSeen, shareRemoved } from './field-parts.ts';

export const pruneChannelsParams = {
  ratio: {
    ...shareRemoved,
    help: text(
      'Of each group of channels that go together, or of the whole model (below).',
      '함께 제거되는 채널 묶음마다, 또는 아래에서 고른 모델 전체의 양에 적용됩니다.',
    ),
    default: 0.3,
  },
  of: {
    kind: 'choice',
    label: text('Share of', '비율의 기준'),
    help: text(
      'A goal for the whole model is solved over all groups; the result is at or just below it.',
      '모델 전체의 목표는 모든 묶음을 함께 계산하여 맞춥니다. 결과는 목표이거나 바로 아래입니다.',
    ),
    options: [
      { value: 'channels', label: text('each group’s channels', '묶음별 채널') },
      { value: 'macs', label: text('the model’s MACs', '모델 전체 MAC') },
      { value: 'parameters', label: text('the model’s parameters', '모델 전체 파라미터') },
    ],
    default: 'channels',
  },
  spread: {
    kind: 'choice',
    label: text('Spread', '배분'),
    help: text(
      'By sensitivity: groups that the answers depend on lose less. Measured on validation samples.',
      '민감도별: 결과에 큰 영향을 주는 묶음은 적게 줄입니다. 검증 샘플로 측정합니다.',
    ),
    options: [
      { value: 'uniform', label: text('the same everywhere', '모두 똑같이') },
      { value: 'sensitivity', label: text('by sensitivity', '민감도에 따라') },
    ],
    default: 'uniform',
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
      { value: 'geometric-median', label: text('geometric median', '기하 중앙값') },
      { value: 'batchnorm', label: text('BatchNorm scale', '배치 정규화 배율') },
      { value: 'taylor', label: text('first-order Taylor (data)', '1차 테일러 (데이터)') },
      { value: 'activation', label: text('mean activation (data)', '평균 활성값 (데이터)') },
      { value: 'lasso', label: text('LASSO on the next layer (data)', '다음 층 LASSO (데이터)') },
      { value: 'random', label: text('chance (a baseline)', '무작위 (비교용)') },
    ],
    default: 'l1',
  },
  reconstruct: {
    kind: 'switch',
    label: text('Refit the next layers (data)', '다음 층 다시 맞추기 (데이터)'),
    help: text(
      'Least squares on training samples, layer by layer, so that each gives what it gave before.',
      '학습 샘플로 층마다 최소제곱을 풀어 이전과 같은 출력을 내게 합니다.',
    ),
    default: false,
  },
  multipleOf: {
    kind: 'choice',
    label: text('Keep a multiple of', '배수 유지'),
    options: [1, 4, 8, 16].map((n) => ({ value: n, label: text(String(n), String(n)) })),
    default: 1,
  },
  samples: samplesSeen,
} as const satisfies Fields;

export const pruneChannelsCites: readonly Citation[] = [
  {
    title: 'Pruning Filters for Efficient ConvNets',
    authors: 'Li, Kadav, Durdanovic, Samet, Graf',
    year: 2017,
    where: 'ICLR 2017, arXiv:1608.08710',
  },
  {
    title: 'Channel Pruning for Accelerating Very Deep Neural Networks',
    authors: 'He, Zhang, Sun',
    year: 2017,
    where: 'ICCV 2017, arXiv:1707.06168',
  },
  {
    title: 'Pruning Convolutional Neural Networks for Resource Efficient Inference',
    authors: 'Molchanov, Tyree, Karras, Aila, Kautz',
    year: 2017,
    where: 'ICLR 2017, arXiv:1611.06440',
  },
  {
    title: 'Learning Efficient Convolutional Networks through Network Slimming',
    authors: 'Liu, Li, Shen, Huang, Yan, Zhang',
    year: 2017,
    where: 'ICCV 2017, arXiv:1708.06519',
  },
  {
    title: 'Filter Pruning via Geometric Median for Deep Convolutional Neural Networks Acceleration',
    authors: 'He, Liu, Wang, Hu, Yang',
    year: 2019,
    where: 'CVPR 2019, arXiv:1811.00250',
  },
  {
    title: 'DepGraph: Towards Any Structural Pruning',
    authors: 'Fang, Ma, Song, Mi, Wang',
    year: 2023,
    where: 'CVPR 2023, arXiv:2301.12900',
  },
];
