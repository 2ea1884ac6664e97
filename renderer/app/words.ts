/** Owns what the shell says. */
import { text } from '#shared/base/text.ts';

export const words = {
  recipe: text('Recipe', '레시피'),
  inspector: text('Inspector', '인스펙터'),
  jobs: text('Jobs', '작업'),
  undo: text('Undo', '실행 취소'),
  redo: text('Redo', '다시 실행'),
  tryIt: text('Try it', '직접 해 보기'),
  export: text('Export', '내보내기'),
  search: text('Search layers, run a command', '레이어 검색, 명령 실행'),
  theme: text('Light or dark', '밝게 또는 어둡게'),
  language: text('한국어', 'English'),
  resizeRecipe: text('Width of the recipe', '레시피 너비'),
  resizeInspector: text('Width of the inspector', '인스펙터 너비'),
  resizeJobs: text('Height of the jobs', '작업 영역 높이'),
  running: text('{n} running', '{n}개 실행 중'),
  noSummaries: text('The weights could not be summarised', '가중치 통계를 얻지 못했습니다'),
  idle: text('idle', '실행 중인 작업 없음'),
  lost: text('reconnecting …', '다시 연결하는 중 …'),
  lostHint: text(
    'The host does not answer. What is on the screen stays; jobs go on. After a new start, open the address that it prints.',
    '호스트가 응답하지 않습니다. 화면의 내용은 그대로 남고 작업은 계속됩니다. 다시 시작했다면 출력된 주소로 여세요.',
  ),
} as const;
