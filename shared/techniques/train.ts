/** Owns the technique train: fine-tunes the model as it stands, masks kept; what recovers accuracy after a compression. */
import { text } from '../base/text.ts';
import type { Technique } from './declare.ts';
import { badTrainParams, trainFields, trainSettingsOf } from './train-fields.ts';
import { fitsTraining } from './trainable-layers.ts';
import { inTrainedForm, learningLayers, learningNotes, learningOf, scalesField } from './trained-form.ts';

const start = { epochs: 5, learningRate: 0.01 };

export const train: Technique = {
  id: 'train',
  group: 'train',
  formula: 'v ← μ·v + ∇L(w);  w ← w − η·v',
  version: 1,
  title: text('Train', '학습'),
  summary: text(
    'Fine-tunes the weights of the selected layers on the training samples; zeros of pruned weights stay zeros. The best epoch on validation is kept.',
    '학습 샘플로 선택한 레이어의 가중치를 미세 조정합니다. 가지치기로 0이 된 가중치는 0으로 남고, 검증에서 가장 좋은 에폭을 남깁니다.',
  ),
  cites: [
    {
      title: 'Learning both Weights and Connections for Efficient Neural Networks',
      authors: 'Han, Pool, Tran, Dally',
      year: 2015,
      where: 'NIPS, section 3',
    },
    {
      title: 'Learned Step Size Quantization',
      authors: 'Esser, McKinstry, Bablani, Appuswamy, Modha',
      year: 2020,
      where: 'ICLR 2020, arXiv:1902.08153',
    },
  ],
  params: { ...trainFields(start), scales: scalesField },
  validate: badTrainParams,
  exactness: () => 'shape',
  needs: { training: true },
  fits: fitsTraining,
  rewrite: (c) => {
    const layers = learningLayers(c);
    return { model: c.model, layers, notes: learningNotes(c, layers) };
  },
  train: (c) => ({
    ...trainSettingsOf(c.params, start),
    ...learningOf(c),
  }),
  ...inTrainedForm,
  knobs: ['epochs'],
  promises: ['same-io', 'same-parameters', 'same-macs'],
  cases: [{ params: { epochs: 1 } }],
  explain: () =>
    text(
      'Changes the values of weights, never their number: size and speed stay as they are.',
      '가중치의 값만 바꾸고 개수는 바꾸지 않습니다. 크기와 속도는 그대로입니다.',
    ),
  migrations: [],
};
