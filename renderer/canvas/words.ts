/** Owns what the canvas says. */
import { text } from '#shared/base/text.ts';

export const words = {
  canvas: text('Graph of the model', '모델 그래프'),
  help: text(
    'Arrow keys travel along edges, Shift with an arrow adds to the selection, Escape clears it.',
    '화살표 키로 연결을 따라 이동하고, Shift와 함께 누르면 선택에 추가하고, Escape로 지웁니다.',
  ),
  fit: text('Fit', '전체 보기'),
  zoomIn: text('Zoom in', '확대'),
  zoomOut: text('Zoom out', '축소'),
  map: text('Overview of the graph', '그래프 개요'),
  subgraphs: text('{n} inside', '하위 그래프 {n}'),
  frozen: text('cannot be pruned', '가지치기 불가'),
  selected: text('{n} selected', '{n}개 선택'),
  alike: text('Select all like this', '같은 종류 모두 선택'),
  clear: text('Clear', '선택 해제'),
  legend: text('Colours', '색'),
  macs: text('MACs per layer', '레이어별 MACs'),
  parameters: text('parameters per layer', '레이어별 파라미터'),
  latency: text('measured per layer', '레이어별 측정값'),
  sparsity: text('zero weights', '0인 가중치'),
  precision: text('bits a parameter, as stored', '파라미터당 저장 비트'),
  measure: text('Measure the layers', '레이어별 시간 측정'),
  measuring: text('measuring … {share}', '측정 중 … {share}'),
  unmeasured: text('No layer has been measured on this machine.', '이 컴퓨터에서 측정한 레이어가 없습니다.'),
  measuredWhole: text('{ms} a run · {runtime}', '1회 {ms} · {runtime}'),
  noTrace: text(
    'The file is too large to be measured layer by layer.',
    '파일이 너무 커서 레이어별로 측정할 수 없습니다.',
  ),
  reading: text('reading the weights …', '가중치를 읽는 중 …'),
  laying: text('Drawing the graph …', '그래프를 그리는 중 …'),
  failed: text('The graph could not be drawn', '그래프를 그리지 못했습니다'),
  empty: text('Nothing open', '열린 모델 없음'),
  notCounted: text('not counted', '집계 안 됨'),
} as const;

export const colourWords = {
  operator: text('Operator', '연산자'),
  macs: text('MACs', 'MACs'),
  parameters: text('Parameters', '파라미터'),
  latency: text('Latency', '지연 시간'),
  sparsity: text('Zeros', '0의 비율'),
  precision: text('Bits', '비트'),
} as const;
