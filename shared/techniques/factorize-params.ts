/** Owns the parameters of factorize and where its methods come from. */
import type { Fields } from '../base/fields.ts';
import { text } from '../base/text.ts';
import type { Citation } from './declare.ts';
import { shareRemoved } from './field-parts.ts';

export const factorizeParams = {
  by: {
    kind: 'choice',
    label: text('Rank by', '랭크 기준'),
    options: [
      { value: 'ratio', label: text('share of each layer’s weights', '층별 가중치 비율') },
      { value: 'energy', label: text('energy kept', '남는 에너지') },
      { value: 'macs', label: text('share of the model’s MACs', '모델 전체 MAC 비율') },
      { value: 'parameters', label: text('share of the model’s parameters', '모델 전체 파라미터 비율') },
    ],
    default: 'ratio',
  },
  ratio: {
    ...shareRemoved,
    default: 0.5,
    when: { field: 'by', is: ['ratio', 'macs', 'parameters'] },
  },
  energy: {
    kind: 'number',
    label: text('Energy kept', '남길 에너지'),
    help: text(
      'Sum of squared singular values that stay. Layers that would not get cheaper stay whole.',
      '남는 특잇값 제곱의 합입니다. 줄어들지 않는 층은 그대로 둡니다.',
    ),
    min: 0.1,
    max: 1,
    step: 0.01,
    default: 0.9,
    unit: 'share',
    when: { field: 'by', is: ['energy'] },
  },
  convolution: {
    kind: 'choice',
    label: text('Convolutions as', '합성곱 분해'),
    help: text(
      'Matrices and 1x1 convolutions always split in two (SVD).',
      '행렬과 1x1 합성곱은 항상 둘로 나눕니다(SVD).',
    ),
    options: [
      { value: 'channel', label: text('k x k with fewer outputs, then 1x1', '출력이 적은 k x k, 이어서 1x1') },
      { value: 'spatial', label: text('k x 1, then 1 x k', 'k x 1, 이어서 1 x k') },
      { value: 'tucker', label: text('1x1, k x k, 1x1 (Tucker-2)', '1x1, k x k, 1x1 (Tucker-2)') },
      { value: 'cp', label: text('1x1, k x 1, 1 x k per channel, 1x1 (CP)', '1x1, 채널별 k x 1과 1 x k, 1x1 (CP)') },
    ],
    default: 'channel',
  },
} as const satisfies Fields;

export const factorizeCites: readonly Citation[] = [
  {
    title: 'Exploiting Linear Structure Within Convolutional Networks for Efficient Evaluation',
    authors: 'Denton, Zaremba, Bruna, LeCun, Fergus',
    year: 2014,
    where: 'NIPS 2014, arXiv:1404.0736',
  },
  {
    title: 'Speeding up Convolutional Neural Networks with Low Rank Expansions',
    authors: 'Jaderberg, Vedaldi, Zisserman',
    year: 2014,
    where: 'BMVC 2014, arXiv:1405.3866',
  },
  {
    title: 'Accelerating Very Deep Convolutional Networks for Classification and Detection',
    authors: 'Zhang, Zou, He, Sun',
    year: 2016,
    where: 'TPAMI 2016, arXiv:1505.06798',
  },
  {
    title: 'Compression of Deep Convolutional Neural Networks for Fast and Low Power Mobile Applications',
    authors: 'Kim, Park, Yoo, Choi, Yang, Shin',
    year: 2016,
    where: 'ICLR 2016, arXiv:1511.06530',
  },
  {
    title: 'Speeding-up Convolutional Neural Networks Using Fine-tuned CP-Decomposition',
    authors: 'Lebedev, Ganin, Rakhuba, Oseledets, Lempitsky',
    year: 2015,
    where: 'ICLR 2015, arXiv:1412.6553',
  },
];
