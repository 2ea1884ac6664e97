/** Owns what the desktop shell itself says: menus, dialogs, the question on closing. */
import { type Language, text } from '#shared/base/text.ts';

export const words = {
  file: text('File', '파일'),
  open: text('Open model…', '모델 열기…'),
  edit: text('Edit', '편집'),
  view: text('View', '보기'),
  window: text('Window', '창'),
  models: text('ONNX models', 'ONNX 모델'),
  save: text('Save model', '모델 저장'),
  jobsRun: text('Jobs are still running.', '작업이 아직 실행 중입니다.'),
  jobsLost: text(
    'If you close now, they are stopped. You can resume them later.',
    '지금 닫으면 작업이 중단됩니다. 나중에 다시 실행할 수 있습니다.',
  ),
  stay: text('Keep working', '계속 작업'),
  close: text('Stop and close', '중단하고 닫기'),
  cannotStart: text('Bantam cannot start', 'Bantam을 시작할 수 없습니다'),
} as const;

/** 'ko' for a Korean system, else English. */
export const languageOf = (locale: string): Language => (locale.toLowerCase().startsWith('ko') ? 'ko' : 'en');
