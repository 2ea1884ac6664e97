/** Owns what the palette says. */
import { text } from '#shared/base/text.ts';

export const words = {
  open: text('Search layers, run a command', '레이어 검색, 명령 실행'),
  placeholder: text(
    'A layer’s name, a command, or a query: conv 3x3 over 1% of MACs',
    '레이어 이름, 명령, 또는 질의: conv 3x3 over 1% of MACs',
  ),
  commands: text('Commands', '명령'),
  layers: text('Layers', '레이어'),
  query: text('Select {n} layers that match', '일치하는 레이어 {n}개 선택'),
  none: text('Nothing found', '찾은 것이 없습니다'),
} as const;
