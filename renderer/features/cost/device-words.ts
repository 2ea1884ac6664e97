/** Owns what is said of a model on a device that is not here. */
import { text } from '#shared/base/text.ts';

export const deviceWords = {
  device: text('Device', '기기'),
  thisComputer: text('this computer', '이 컴퓨터'),
  boards: text('Boards', '보드'),
  phones: text('Phones', '스마트폰'),
  accelerators: text('Accelerators and microcontrollers', '가속기와 마이크로컨트롤러'),
  yours: text('Yours', '내 기기'),
  load: text('Load a profile…', '프로필 불러오기…'),
  notLoaded: text('The profile was not taken', '프로필을 불러오지 못했습니다'),
  estimated: text('estimated', '추정'),
  working: text('estimating', '추정 중'),
  unknown: text('unknown', '알 수 없음'),
  doesNotFit: text('does not fit', '메모리 부족'),
  atLeast: text('at least {ms}', '{ms} 이상'),
  details: text('Details', '자세히'),
  title: text('{device}, estimated', '{device}, 추정'),
  notMeasured: text(
    'Estimated from what is published of the device: {unit}, {software}. Nothing was run on it.',
    '공개된 기기 사양으로 추정한 값입니다: {unit}, {software}. 실제로 실행하지는 않았습니다.',
  ),
  checked: text(
    'Held against {n} published latencies, estimates like this were {error} off at the median.',
    '공개된 지연 시간 {n}건과 비교하면 오차의 중앙값은 {error}입니다.',
  ),
  notChecked: text(
    'No published latency was found to hold this unit’s estimates against.',
    '이 장치의 추정값과 비교할 공개된 지연 시간을 찾지 못했습니다.',
  ),
  time: text('Time', '시간'),
  byCompute: text('arithmetic', '연산'),
  byMemory: text('memory', '메모리'),
  byLaunch: text('fixed costs', '고정 비용'),
  memory: text('Memory', '메모리'),
  memoryOf: text('{needed} of {all}', '{all} 중 {needed}'),
  needed: text('{needed}; the device’s is unknown', '{needed}; 기기 용량은 알 수 없음'),
  onChip: text('On the chip', '칩 내부 메모리'),
  overChip: text(
    '{needed} of {all}: the rest comes from outside at every run',
    '{all} 중 {needed}: 나머지는 실행할 때마다 외부에서 읽음',
  ),
  energy: text('Energy', '에너지'),
  energyOf: text('about {mj} a run', '실행당 약 {mj}'),
  energyGeneral: text(
    'by figures of 45 nm logic (Horowitz 2014), not of this device',
    '이 기기가 아닌 45 nm 공정의 수치(Horowitz 2014)',
  ),
  energyPart: text('without {n} layers whose figures are unknown', '수치를 모르는 {n}개 층 제외'),
  fallBack: text('{n} fall back', '{n}개 층 대체'),
  fallBackWhy: text(
    'These layers do not run on {unit}; another unit of the device takes them.',
    '{unit}에서 실행되지 않는 층으로, 기기의 다른 장치가 맡습니다.',
  ),
  notTimed: text('{n} not timed', '{n}개 층 제외'),
  notTimedWhy: text(
    'These layers run nowhere that the profile describes, or their work is unknown. Their time is not in the figure.',
    '프로필에 실행할 장치가 없거나 작업량을 알 수 없는 층으로, 시간에 포함되지 않았습니다.',
  ),
  layers: text('layers: {n}; {why}', '{n}개 층: {why}'),
} as const;
