/** Owns the parameters of quantize: their fields, the opset that they need, and how their saving shows. */
import type { Fields, FieldValues } from '../base/fields.ts';
import { type Text, text } from '../base/text.ts';
import { isMixed, mixedFields } from './quantize-mixed.ts';
import { trainingFields, trainsQuantized } from './quantize-training.ts';

export const quantizeParams: Fields = {
  mode: {
    kind: 'choice',
    label: text('Mode', '방식'),
    options: [
      { value: 'static', label: text('Static (weights and activations)', '정적 (가중치와 활성값)') },
      { value: 'dynamic', label: text('Dynamic (activations as they come)', '동적 (활성값은 실행 시)') },
      { value: 'weight-only', label: text('Weights only (storage)', '가중치만 (저장)') },
    ],
    default: 'static',
  },
  bits: {
    kind: 'choice',
    label: text('Bits', '비트'),
    options: [8, 7, 6, 5, 4, 3, 2].map((value) => ({ value, label: text(`${value}`, `${value}`) })),
    default: 8,
    when: { field: 'mode', is: ['weight-only'] },
  },
  ...mixedFields,
  block: {
    kind: 'choice',
    label: text('Weights to a scale', '스케일당 가중치'),
    help: text(
      'Blocks along what one output sums over, each with a scale of its own; layers that they do not divide keep one scale a channel.',
      '출력 하나가 더하는 방향의 블록마다 스케일을 둡니다. 나누어지지 않는 레이어는 채널마다 하나를 씁니다.',
    ),
    options: [
      { value: 0, label: text('a channel', '채널') },
      ...[128, 64, 32, 16].map((value) => ({ value, label: text(`${value}`, `${value}`) })),
    ],
    default: 0,
    when: { field: 'mode', is: ['weight-only'] },
  },
  perChannel: { kind: 'switch', label: text('One scale per channel', '채널별 스케일'), default: true },
  symmetric: {
    kind: 'switch',
    label: text('Symmetric activations', '대칭 활성값'),
    help: text(
      'Zero in the middle of the grid (at its start behind a Relu), for accelerators.',
      '0을 격자 중앙에(Relu 뒤에서는 시작점에) 둡니다. 가속기를 위한 것입니다.',
    ),
    default: false,
    when: { field: 'mode', is: ['static'] },
  },
  calibration: {
    kind: 'choice',
    label: text('Ranges from', '범위 결정'),
    options: [
      { value: 'min-max', label: text('smallest and largest', '최소와 최대') },
      { value: 'percentile', label: text('99.99 percent of the values', '값의 99.99 %') },
      { value: 'entropy', label: text('least lost information (KL)', '정보 손실 최소 (KL)') },
      { value: 'mse', label: text('least squared error', '제곱 오차 최소') },
    ],
    default: 'min-max',
    when: { field: 'mode', is: ['static'] },
  },
  activationBits: {
    kind: 'choice',
    label: text('Bits of activations', '활성값 비트'),
    help: text(
      '16 bits lose next to nothing. They are for accelerators: the CPU has no kernels for them and computes in float.',
      '16비트는 손실이 거의 없습니다. 가속기용이며, CPU에는 커널이 없어 float로 계산합니다.',
    ),
    options: [8, 16].map((value) => ({ value, label: text(`${value}`, `${value}`) })),
    default: 8,
    when: { field: 'mode', is: ['static'] },
  },
  form: {
    kind: 'choice',
    label: text('Form in the file', '파일 안의 형식'),
    help: text(
      'QDQ: float operators between QuantizeLinear and DequantizeLinear, which runtimes fuse. QOperator: integer operators, for runtimes that fuse nothing.',
      'QDQ: QuantizeLinear와 DequantizeLinear 사이의 float 연산자를 런타임이 합칩니다. QOperator: 정수 연산자로, 합치지 않는 런타임에 씁니다.',
    ),
    options: [
      { value: 'qdq', label: text('QDQ', 'QDQ') },
      { value: 'qoperator', label: text('QOperator', 'QOperator') },
    ],
    default: 'qdq',
    when: { field: 'mode', is: ['static'] },
  },
  equalize: {
    kind: 'switch',
    label: text('Equalise neighbouring layers', '이웃 레이어 범위 맞추기'),
    help: text(
      'Shares out weight ranges between a layer and its readers first, channel by channel; what the model computes stays. Pays where channels differ much under one scale.',
      '먼저 레이어와 뒤따르는 레이어의 가중치 범위를 채널마다 나누어 맞춥니다. 모델의 계산은 그대로입니다. 스케일 하나에 범위가 크게 다른 채널이 있을 때 효과가 있습니다.',
    ),
    default: false,
    when: { field: 'mode', is: ['static'] },
  },
  correctBias: {
    kind: 'switch',
    label: text('Correct biases', '편향 보정'),
    help: text(
      'Takes back by how much rounded weights shift the mean of each output channel, measured on the calibration samples.',
      '반올림된 가중치 때문에 밀린 출력 채널의 평균을 보정 표본으로 재어 편향에서 되돌립니다.',
    ),
    default: false,
    when: { field: 'mode', is: ['static'] },
  },
  rounding: {
    kind: 'choice',
    label: text('Rounding of weights', '가중치 반올림'),
    help: text(
      'Adaptive (AdaRound): each weight goes up or down so that the layer gives what it gave on sampled inputs. Pays below 8 bits.',
      '적응형(AdaRound): 표본 입력에서 층의 출력이 유지되도록 가중치를 올리거나 내립니다. 8비트 미만에서 효과가 큽니다.',
    ),
    options: [
      { value: 'nearest', label: text('to the nearest', '가장 가까운 값') },
      { value: 'adaround', label: text('adaptive (AdaRound)', '적응형 (AdaRound)') },
    ],
    default: 'nearest',
    when: { field: 'mode', is: ['static', 'weight-only'] },
  },
  keep: {
    kind: 'choice',
    label: text('Leave layers in float', 'float로 남길 레이어'),
    help: text(
      'Layers that cost most stay float until validation samples meet the floor.',
      '검증 표본이 하한을 만족할 때까지 손실이 큰 레이어를 float로 남깁니다.',
    ),
    options: [
      { value: 'none', label: text('none', '없음') },
      { value: 'sqnr', label: text('until the output is close enough', '출력이 충분히 가까울 때까지') },
      { value: 'agreement', label: text('until answers agree', '답이 일치할 때까지') },
    ],
    default: 'none',
  },
  leastDb: {
    kind: 'number',
    label: text('Least SQNR in dB', '최소 SQNR (dB)'),
    min: 0,
    max: 80,
    step: 1,
    default: 20,
    when: { field: 'keep', is: ['sqnr'] },
  },
  leastAgreement: {
    kind: 'number',
    label: text('Least share of equal answers', '최소 일치율'),
    min: 0,
    max: 1,
    step: 0.001,
    default: 0.99,
    unit: 'share',
    when: { field: 'keep', is: ['agreement'] },
  },
  samples: {
    kind: 'number',
    label: text('Calibration samples', '보정 표본 수'),
    min: 1,
    max: 4096,
    step: 1,
    default: 128,
    integer: true,
    unit: 'count',
    when: { field: 'mode', is: ['static', 'weight-only'] },
  },
  ...trainingFields,
};

/** int8 pooling and Clip need 12, scales per channel 13, 16-bit grids 21; narrow widths are unpacked by BitShift (11). */
export function neededOpset(p: FieldValues): number {
  if (p.mode === 'static') return Number(p.activationBits) === 16 ? 21 : 13;
  if (p.mode === 'dynamic') return 11;
  // Training rounds by Round, which came with 11.
  return p.bits === 8 && !isMixed(p) && !trainsQuantized(p) ? 10 : 11;
}

/** Tensors of 4 bits came with 21; below it such weights stand packed in bytes, a few nodes each. */
export const smallerFrom = (p: FieldValues): number | undefined =>
  p.mode === 'weight-only' && (p.bits === 4 || isMixed(p)) ? 21 : undefined;

/** How the saving shows at run time, by mode. */
export function explained(p: FieldValues): Text {
  if (p.mode === 'static')
    return text(
      'About 4 times smaller, and faster where the device has int8 kernels: they run between layers without a way back to float. Processors without 8-bit dot products may gain nothing.',
      '약 4배 작아지고, int8 커널이 있는 장치에서는 float로 돌아가지 않고 실행되어 빨라집니다. 8비트 내적 명령이 없는 프로세서에서는 빨라지지 않을 수 있습니다.',
    );
  if (p.mode === 'dynamic')
    return text(
      'About 4 times smaller and no calibration data needed. Ranges are found on every run, which costs time: often not faster, convolutions often slower. Measure it.',
      '약 4배 작아지고 보정 데이터가 필요 없습니다. 실행할 때마다 범위를 구하므로 빨라지지 않거나, 합성곱은 느려질 때가 많습니다. 측정해 보세요.',
    );
  return text(
    'The file is 4 (8 bits) to 16 (2 bits) times smaller. Weights are decoded once, when the model is loaded: speed and memory stay as in float.',
    '파일이 4배(8비트)에서 16배(2비트)까지 작아집니다. 가중치는 모델을 불러올 때 한 번 풀리므로 속도와 메모리는 float와 같습니다.',
  );
}
