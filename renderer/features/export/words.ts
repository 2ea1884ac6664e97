/** Owns what the export dialog says. */
import { text } from '#shared/base/text.ts';

export const words = {
  title: text('Export', '내보내기'),
  name: text('File name', '파일 이름'),
  asIs: text(
    'The recipe has no steps: the model is written as it was opened.',
    '레시피에 단계가 없어 연 모델을 그대로 저장합니다.',
  ),
  ready: text('The recipe has run; its result is written.', '레시피를 실행한 결과를 저장합니다.'),
  held: text('The result of this job is written.', '이 작업의 결과를 저장합니다.'),
  mustRun: text('The recipe runs first, then its result is written.', '먼저 레시피를 실행한 다음 결과를 저장합니다.'),
  what: text(
    'After writing, the file is opened again by both runtimes (native and browser), and its figures and outputs are checked.',
    '저장한 뒤 두 런타임(네이티브와 브라우저)이 파일을 다시 열어 수치와 출력을 확인합니다.',
  ),
  alsoRecipe: text('Recipe (JSON) along with it', '레시피(JSON)도 함께 저장'),
  form: text('Form', '형식'),
  onnx: text('ONNX', 'ONNX'),
  archive: text('Archive (.pack)', '압축 묶음(.pack)'),
  archiveWhat: text(
    'Weights are Huffman-coded: the smallest form to keep or send, but no runtime loads it. “bantam unpack” gives the ONNX file back, bit for bit; that is checked now.',
    '가중치를 허프만 부호로 줄입니다. 보관하거나 보내기에 가장 작지만 런타임이 바로 읽지는 못합니다. ‘bantam unpack’으로 ONNX 파일을 비트까지 똑같이 되돌리며, 지금 확인합니다.',
  ),
  packedInto: text('{file} packed into {archive}, {ratio} smaller', '{file} → {archive}, {ratio} 감소'),
  givesBack: text('Unpacked again: equal to the file, to the bit', '다시 풀어 확인: 파일과 비트까지 같음'),
  export: text('Export', '내보내기'),
  runAndExport: text('Run and export', '실행하고 내보내기'),
  cancel: text('Cancel', '취소'),
  close: text('Close', '닫기'),
  writing: text('Writing and checking …', '저장하고 확인하는 중 …'),
  failed: text('The model could not be exported', '모델을 내보내지 못했습니다'),
  stopped: text('The job was cancelled.', '작업이 취소되었습니다.'),
  notSaved: text('Nothing was saved.', '저장하지 않았습니다.'),
  saved: text('Saved: {path}', '저장됨: {path}'),
  downloaded: text('Downloaded as {name}', '{name}(으)로 내려받았습니다'),
  opens: text('Opens in the runtime', '런타임에서 열림'),
  doesNotOpen: text('Does not open in the runtime', '런타임에서 열리지 않음'),
  sameOutputs: text('Outputs equal the studio’s, to the bit', '출력이 스튜디오의 결과와 비트까지 같음'),
  outputs: text('Largest output difference {error}', '출력의 최대 차이 {error}'),
  browserOpens: text(
    'Opens in {runtime} (WebAssembly), outputs within {error}',
    '{runtime}(WebAssembly)에서 열림, 출력 차이 {error} 이내',
  ),
  browserUnrun: text('Opens in {runtime} (WebAssembly)', '{runtime}(WebAssembly)에서 열림'),
  browserDoesNot: text('Does not open in {runtime}: {why}', '{runtime}에서 열리지 않음: {why}'),
  figures: text(
    '{parameters} parameters · {file} · {macs} MACs, read back from the file',
    '파라미터 {parameters} · {file} · MACs {macs} (파일에서 다시 읽음)',
  ),
  openExported: text('Open it here', '여기서 열기'),
} as const;
