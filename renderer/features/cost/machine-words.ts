/** Owns what is said of latency on this computer before anything runs. */
import { text } from '#shared/base/text.ts';

export const machineWords = {
  calibrate: text('calibrate (about 60 s)', '보정하기(약 60초)'),
  calibrating: text('calibrating …', '보정 중 …'),
  calibrateWhy: text(
    'Times small kernels of every kind on this computer, once. Latency is then estimated with every change, before anything runs.',
    '이 컴퓨터에서 종류별 작은 커널의 시간을 한 번 측정합니다. 그 뒤에는 실행하지 않아도 바꿀 때마다 지연 시간을 추정합니다.',
  ),
  spread: text('estimated ±{percent} %', '추정 ±{percent} %'),
  noChange: text('no change', '변화 없음'),
  why: text(
    'Estimated from the kernels that the runtime makes of this graph and their times on this computer, as calibrated; four of five outcomes lie within ±{percent} %.',
    '런타임이 이 그래프로 만드는 커널과 보정 때 이 컴퓨터에서 잰 시간으로 추정했습니다. 다섯 중 넷은 ±{percent} % 안에 듭니다.',
  ),
  guessed: text(
    'Calibration met no such kernels, their times are guessed: {kinds}.',
    '보정에 없던 커널이라 어림잡은 값: {kinds}.',
  ),
  beside: text('Estimated before it ran: {ms} ±{percent} %.', '실행 전 추정: {ms} ±{percent} %.'),
} as const;
