/** Owns what opening says. */
import { text } from '#shared/base/text.ts';

export const words = {
  open: text('Open a model', '모델 열기'),
  openFile: text('Open file …', '파일 열기 …'),
  samples: text('Samples', '예제'),
  zoo: text('Networks with random weights', '무작위 가중치 신경망'),
  catalogue: text('Trained models, fetched', '학습된 모델 받기'),
  catalogueOf: text(
    'Trained on {data}, licence {licence}. Fetched from {source} the first time.',
    '{data} 학습, 라이선스 {licence}. 처음에 {source}에서 받습니다.',
  ),
  fetchFailed: text('The model could not be fetched', '모델을 받지 못했습니다'),
  recent: text('Recent', '최근'),
  model: text('Model', '모델'),
  failed: text('The file could not be opened', '파일을 열지 못했습니다'),
  sampleFailed: text('The sample could not be opened', '예제를 열지 못했습니다'),
  drop: text('Drop an ONNX file anywhere', 'ONNX 파일을 아무 곳에나 놓으세요'),
  dropNow: text('Let go to open', '놓으면 열립니다'),
  welcome: text('Make a neural network light', '신경망을 가볍게'),
  lead: text(
    'Open an ONNX file or a sample. Select layers, move a slider, and watch size, work and accuracy before anything runs.',
    'ONNX 파일이나 예제를 여세요. 레이어를 고르고 슬라이더를 움직이면, 실행하기 전에 크기·연산량의 변화를 바로 볼 수 있습니다.',
  ),
  drawing: text('Drawing {name} …', '{name} 그리는 중 …'),
  opening: text('Opening {name} …', '{name} 여는 중 …'),
  noSamples: text(
    'The host has no samples yet. Run `npm run assets`.',
    '예제가 아직 없습니다. `npm run assets`를 실행하세요.',
  ),
  waiting: text('Connecting to the host …', '호스트에 연결하는 중 …'),
} as const;
