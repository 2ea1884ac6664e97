/** Owns what the inspector says. */
import { text } from '#shared/base/text.ts';

export const words = {
  tabs: text('Inspector', '인스펙터'),
  layer: text('Layer', '레이어'),
  compress: text('Compress', '압축'),
  explain: text('Explain', '설명'),
  empty: text('Select a layer on the canvas to see its facts.', '캔버스에서 레이어를 선택하면 내용이 보입니다.'),
  many: text('{n} layers selected', '레이어 {n}개 선택됨'),
  parameters: text('Parameters', '파라미터'),
  macs: text('MACs', 'MACs'),
  time: text('Time, measured', '측정한 시간'),
  share: text('{share} of the model', '모델의 {share}'),
  output: text('Output', '출력'),
  inputs: text('Inputs', '입력'),
  attributes: text('Attributes', '속성'),
  noAttributes: text('none', '없음'),
  weights: text('Weights', '가중치'),
  zeros: text('{share} zeros', '0인 값 {share}'),
  range: text('mean {mean} · deviation {std}', '평균 {mean} · 표준편차 {std}'),
  notCounted: text(
    'This operator has no rule yet: its work is not counted.',
    '아직 규칙이 없는 연산자입니다. 계산량에 포함되지 않습니다.',
  ),
  unknown: text('unknown', '알 수 없음'),
  channels: text('Channels', '채널'),
  noModel: text('Open a model first.', '먼저 모델을 여세요.'),
  fold: text('Drawn with {name}', '{name}와(과) 함께 표시됨'),
} as const;
