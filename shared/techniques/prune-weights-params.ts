/** Owns the parameters of prune-weights and where its criteria and patterns come from. */
import type { Fields } from '../base/fields.ts';
import { text } from '../base/text.ts';
import type { Citation } from './declare.ts';
import { batch, epochs, learningRate, samplesSeen, shareRemoved } from './field-parts.ts';

const gradual = { field: 'timing', is: ['gradual'] } as const;

export const pruneWeightsParams = {
  ratio: {
    ...shareRemoved,
    default: 0.5,
    when: { field: 'pattern', is: ['free', '1x4', '4x4'] },
  },
  scope: {
    kind: 'choice',
    label: text('Smallest of', '범위'),
    help: text(
      'By sensitivity: weights that the answers depend on lose less. Measured on validation samples.',
      '민감도별: 결과에 큰 영향을 주는 가중치는 적게 줄입니다. 검증 샘플로 측정합니다.',
    ),
    options: [
      { value: 'layer', label: text('each layer', '층마다') },
      { value: 'global', label: text('all selected layers', '선택한 층 전체') },
      { value: 'sensitivity', label: text('each layer, by sensitivity', '층마다, 민감도에 따라') },
    ],
    default: 'layer',
    when: { field: 'pattern', is: ['free', '1x4', '4x4'] },
  },
  criterion: {
    kind: 'choice',
    label: text('Weakest by', '기준'),
    options: [
      { value: 'magnitude', label: text('magnitude', '절댓값') },
      { value: 'taylor', label: text('weight times gradient (data)', '가중치 × 기울기 (데이터)') },
      { value: 'random', label: text('chance (a baseline)', '무작위 (비교용)') },
    ],
    default: 'magnitude',
  },
  pattern: {
    kind: 'choice',
    label: text('Zeros', '0의 배치'),
    options: [
      { value: 'free', label: text('anywhere', '자유롭게') },
      { value: '2:4', label: text('2 of 4 inputs', '입력 4개 중 2개') },
      { value: '1:4', label: text('3 of 4 inputs', '입력 4개 중 3개') },
      { value: '1x4', label: text('blocks of 1 x 4', '1 x 4 블록') },
      { value: '4x4', label: text('blocks of 4 x 4', '4 x 4 블록') },
    ],
    default: 'free',
  },
  timing: {
    kind: 'choice',
    label: text('When', '시점'),
    help: text(
      'Gradually: the share rises along a cubic curve while the model trains.',
      '점진적으로: 학습하는 동안 비율이 3차 곡선을 따라 올라갑니다.',
    ),
    options: [
      { value: 'once', label: text('at once', '한 번에') },
      { value: 'gradual', label: text('gradually, while training', '학습하며 점진적으로') },
    ],
    default: 'once',
  },
  epochs: {
    ...epochs,
    default: 10,
    when: gradual,
  },
  until: {
    kind: 'number',
    label: text('Share reached after', '목표 도달 시점'),
    help: text('Of the training; the rest recovers.', '학습 기간 중 비율입니다. 나머지는 회복에 씁니다.'),
    min: 0.1,
    max: 0.95,
    step: 0.05,
    default: 0.6,
    unit: 'share',
    when: gradual,
  },
  batch: { ...batch, when: gradual },
  learningRate: {
    ...learningRate,
    default: 0.01,
    when: gradual,
  },
  taught: {
    kind: 'switch',
    label: text('The original teaches', '원본이 가르치기'),
    help: text(
      'Beside the labels, the answers of the model that entered the recipe, softened (temperature 3, 9 parts of 10).',
      '레이블과 함께 레시피에 처음 들어온 모델의 부드러운 답(온도 3, 비중 9할)도 배웁니다.',
    ),
    default: false,
    when: gradual,
  },
  samples: samplesSeen,
} as const satisfies Fields;

export const pruneWeightsCites: readonly Citation[] = [
  {
    title: 'Learning both Weights and Connections for Efficient Neural Networks',
    authors: 'Han, Pool, Tran, Dally',
    year: 2015,
    where: 'NeurIPS 2015, arXiv:1506.02626',
  },
  {
    title: 'To prune, or not to prune: exploring the efficacy of pruning for model compression',
    authors: 'Zhu, Gupta',
    year: 2017,
    where: 'equation 1, arXiv:1710.01878',
  },
  {
    title: 'Importance Estimation for Neural Network Pruning',
    authors: 'Molchanov, Mallya, Tyree, Frosio, Kautz',
    year: 2019,
    where: 'CVPR 2019, arXiv:1906.10771',
  },
  {
    title: 'Accelerating Sparse Deep Neural Networks',
    authors: 'Mishra, Latorre, Pool, Stosic, Stosic, Venkatesh, Yu, Micikevicius',
    year: 2021,
    where: 'arXiv:2104.08378',
  },
];
