/** Owns what the compress cards say. */
import { text } from '#shared/base/text.ts';

export const words = {
  onAll: text(
    'On the whole model. Select layers to choose.',
    '모델 전체에 적용합니다. 레이어를 선택하면 그 레이어에만 적용합니다.',
  ),
  onOne: text('On {name}', '{name}에 적용'),
  onMany: text('On {n} selected layers', '선택한 레이어 {n}개에 적용'),
  editing: text('Editing step {n}', '단계 {n} 편집 중'),
  done: text('Done', '완료'),
  before: text('before step {n}', '단계 {n} 앞에'),
  next: text('Another step.', '추가할 다른 단계입니다.'),
  add: text('Add to recipe', '레시피에 추가'),
  file: text('file', '파일'),
  parameters: text('parameters', '파라미터'),
  macs: text('MACs', 'MACs'),
  memory: text('memory', '메모리'),
  same: text('same', '그대로'),
  addNamed: text('Add to recipe: {title}', '레시피에 추가: {title}'),
  sameSize: text('same size', '크기 그대로'),
  learns: text('learns from data, same size', '데이터로 학습, 크기 그대로'),
  settings: text('{n} more settings', '설정 {n}개 더'),
  less: text('Fewer settings', '설정 접기'),
  atRunTime: text('When it runs', '실행할 때는'),
  misfits: text('Do not fit here', '여기에는 쓸 수 없음'),
  taken: text('{n} of {all} layers', '레이어 {all}개 중 {n}개'),
  trains: text('Values are learnt when the recipe runs.', '값은 레시피를 실행할 때 학습됩니다.'),
  group: text('coupled with {n}', '{n}개와 함께'),
  groupOne: text('not coupled', '단독'),
  wait: text('reading the weights …', '가중치를 읽는 중 …'),
  why: text('Why not', '적용할 수 없는 이유'),
} as const;
