/** Owns the parameters that every step with a training of its own may show, and the settings that they ask for. */
import type { Fields, FieldValues } from '../base/fields.ts';
import { type Text, text } from '../base/text.ts';
import { augmentFields, augmentOf } from '../training/augment.ts';
import type { LossSettings, TrainSettings } from '../training/settings.ts';
import { batch, epochs, learningRate } from './field-parts.ts';

const share = { kind: 'number', min: 0, max: 1, step: 0.01, unit: 'share' } as const;

/** `learningRate`, `epochs` and `weightDecay` as the technique starts with them. */
export const trainFields = (start: { readonly epochs: number; readonly learningRate: number }): Fields => ({
  epochs: { ...epochs, default: start.epochs },
  batch,
  optimizer: {
    kind: 'choice',
    label: text('Optimizer', '최적화 방법'),
    options: [
      { value: 'sgd', label: text('SGD with momentum', '모멘텀 SGD') },
      { value: 'adam', label: text('Adam', 'Adam') },
      { value: 'adamw', label: text('AdamW', 'AdamW') },
    ],
    default: 'sgd',
  },
  learningRate: { ...learningRate, default: start.learningRate },
  momentum: {
    kind: 'number',
    label: text('Momentum', '모멘텀'),
    min: 0,
    max: 0.999,
    step: 0.01,
    default: 0.9,
    unit: 'none',
    when: { field: 'optimizer', is: ['sgd'] },
  },
  nesterov: {
    kind: 'switch',
    label: text('Nesterov momentum', '네스테로프 모멘텀'),
    default: false,
    when: { field: 'optimizer', is: ['sgd'] },
  },
  weightDecay: {
    kind: 'number',
    label: text('Weight decay', '가중치 감쇠'),
    help: text(
      'On weights alone: biases and normalisation are spared.',
      '가중치에만 적용하고 편향과 정규화에는 적용하지 않습니다.',
    ),
    min: 0,
    max: 1,
    step: 0.0001,
    default: 0.0001,
    unit: 'none',
  },
  schedule: {
    kind: 'choice',
    label: text('Schedule', '학습률 일정'),
    help: text(
      'How the learning rate falls: along a cosine to zero, by a tenth at half and at three quarters, or not at all.',
      '학습률을 낮추는 방식: 코사인을 따라 0까지, 절반과 4분의 3 지점에서 10분의 1로, 또는 낮추지 않음.',
    ),
    options: [
      { value: 'cosine', label: text('Cosine', '코사인') },
      { value: 'step', label: text('Step', '계단') },
      { value: 'constant', label: text('Constant', '일정') },
    ],
    default: 'cosine',
  },
  warmUp: {
    ...share,
    label: text('Warm-up', '워밍업'),
    help: text(
      'Share of the training over which the learning rate rises from zero.',
      '학습률이 0에서 시작해 올라가는 구간의 비율입니다.',
    ),
    max: 0.5,
    default: 0,
  },
  clipNorm: {
    kind: 'number',
    label: text('Largest gradient norm', '기울기 노름 상한'),
    help: text(
      'Gradients longer than this together are scaled down to it; 0 leaves them.',
      '모든 기울기를 합친 길이가 이 값을 넘으면 줄입니다. 0이면 그대로 둡니다.',
    ),
    min: 0,
    max: 100,
    step: 0.1,
    default: 0,
    unit: 'none',
  },
  patience: {
    kind: 'number',
    label: text('Patience', '조기 종료 대기'),
    help: text(
      'Stops after so many epochs that were no better on validation; 0 never stops early.',
      '검증 성적이 이만큼의 에폭 동안 나아지지 않으면 멈춥니다. 0이면 끝까지 학습합니다.',
    ),
    min: 0,
    max: 1000,
    step: 1,
    default: 0,
    integer: true,
    unit: 'epochs',
  },
  loss: {
    kind: 'choice',
    label: text('Loss', '손실'),
    help: text(
      'By itself: binary cross-entropy for an output that ends in a sigmoid, squared error where an output without labels is no class score, else cross-entropy.',
      '자동: 출력이 시그모이드로 끝나면 이진 교차 엔트로피, 레이블이 없고 출력이 클래스 점수가 아니면 제곱 오차, 그 밖에는 교차 엔트로피입니다.',
    ),
    options: [
      { value: 'auto', label: text('By the output', '출력에 따라') },
      { value: 'cross-entropy', label: text('Cross-entropy', '교차 엔트로피') },
      { value: 'binary-cross-entropy', label: text('Binary cross-entropy', '이진 교차 엔트로피') },
      { value: 'mean-squared-error', label: text('Squared error', '제곱 오차') },
    ],
    default: 'auto',
  },
  labelSmoothing: {
    ...share,
    label: text('Label smoothing', '레이블 스무딩'),
    help: text(
      'Share of each label that is spread evenly over all classes.',
      '레이블 가운데 모든 클래스에 고르게 나누는 비율입니다.',
    ),
    max: 0.5,
    default: 0,
  },
  balance: {
    kind: 'switch',
    label: text('Balance classes', '클래스 균형 맞추기'),
    help: text(
      'Rare classes count more, inverse to how often they stand in the training samples.',
      '학습 샘플에 드문 클래스일수록 더 크게 반영합니다.',
    ),
    default: false,
  },
  classWeights: {
    kind: 'text',
    label: text('Class weights', '클래스 가중치'),
    help: text(
      'One factor a class on the loss of its samples, in the order of the classes, separated by commas; empty: all count alike.',
      '클래스 순서대로 손실에 곱할 값을 쉼표로 구분해 적습니다. 비우면 모두 같게 반영합니다.',
    ),
    default: '',
    when: { field: 'balance', is: [false] },
  },
  output: {
    kind: 'text',
    label: text('Output', '출력'),
    help: text('Name of the output to train; the first by default.', '학습할 출력의 이름. 비우면 첫 번째 출력입니다.'),
    default: '',
    names: 'output',
  },
  ...augmentFields,
});

/** The class weights that parameters give, as numbers; empty: none. */
const factorsOf = (params: FieldValues): readonly number[] => {
  const said = String(params.classWeights ?? '').trim();
  return said === '' ? [] : said.split(',').map((s) => (s.trim() === '' ? Number.NaN : Number(s)));
};

/** Why the parameters of a training cannot be taken, for a technique's `validate`. */
export function badTrainParams(params: FieldValues): Text | undefined {
  const factors = factorsOf(params);
  const fine =
    factors.every((f) => f >= 0 && Number.isFinite(f)) && (factors.length === 0 || factors.some((f) => f > 0));
  if (fine) return undefined;
  const said = String(params.classWeights);
  return text(
    `class weights are numbers of 0 or more, one a class, not all 0: ${said}`,
    `클래스 가중치는 클래스마다 하나씩 0 이상의 수로 적고, 모두 0이어서는 안 됩니다: ${said}`,
  );
}

function lossOf(params: FieldValues): LossSettings {
  const factors = factorsOf(params);
  const kinds = ['cross-entropy', 'binary-cross-entropy', 'mean-squared-error'] as const;
  return {
    kind: kinds.find((k) => k === params.loss) ?? 'auto',
    labelSmoothing: Number(params.labelSmoothing ?? 0),
    ...(params.balance === true ? { classWeights: 'balanced' } : factors.length === 0 ? {} : { classWeights: factors }),
  };
}

/** The output that the parameters name; undefined: the first. */
export const outputOf = (params: FieldValues): string | undefined =>
  typeof params.output === 'string' && params.output !== '' ? params.output : undefined;

/** What the parameters ask for; `start` where they are silent. */
export function trainSettingsOf(
  params: FieldValues,
  start: { readonly epochs: number; readonly learningRate: number },
): TrainSettings {
  const output = outputOf(params);
  return {
    epochs: Number(params.epochs ?? start.epochs),
    batch: Number(params.batch ?? 64),
    optimizer: (['adam', 'adamw'] as const).find((o) => o === params.optimizer) ?? 'sgd',
    learningRate: Number(params.learningRate ?? start.learningRate),
    momentum: Number(params.momentum ?? 0.9),
    nesterov: params.nesterov === true,
    weightDecay: Number(params.weightDecay ?? 0),
    schedule: (['constant', 'step'] as const).find((s) => s === params.schedule) ?? 'cosine',
    warmUp: Number(params.warmUp ?? 0),
    clipNorm: Number(params.clipNorm ?? 0),
    patience: Number(params.patience ?? 0),
    loss: lossOf(params),
    augment: augmentOf(params) ?? false,
    ...(output === undefined ? {} : { output }),
  };
}
