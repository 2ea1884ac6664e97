/**
 * Owns the Korean of reasons: why a layer is not taken, or why channels are frozen or move together. Reasons are put together of
 * others far from any screen (operator, group, technique), so they are worded in English and read here sentence by sentence; one
 * that is not in the table reads as it was written.
 */
import { inLanguage, type Said, type Text } from '../base/text.ts';

/** English against Korean; `{}` stands for a name, a number, or another reason. */
const table: readonly (readonly [en: string, ko: string])[] = [
  // what a weight is
  ['its weight is no constant', '가중치가 상수가 아닙니다'],
  [
    'its weight is not a constant, or an axis has no known size',
    '가중치가 상수가 아니거나 크기를 모르는 축이 있습니다',
  ],
  [
    'its weight is not a constant, or is stored in a compressed form',
    '가중치가 상수가 아니거나 압축된 형태로 저장되어 있습니다',
  ],
  ['its weight is stored sparse already', '가중치가 이미 희소하게 저장되어 있습니다'],
  [
    'its weight is stored sparse, which has no channels: share it by layer or by block',
    '가중치가 희소하게 저장되어 채널이 없습니다. 레이어나 블록 단위로 공유하세요',
  ],
  ['its weight is stored sparse', '가중치가 희소하게 저장되어 있습니다'],
  ['its weight is stored as integers already', '가중치가 이미 정수로 저장되어 있습니다'],
  [
    'its weight is one repeated value, which the file holds once',
    '가중치가 한 값의 반복이라 파일에 한 번만 들어 있습니다',
  ],
  ['its weight is one repeated value', '가중치가 한 값의 반복입니다'],
  ['its weight is one number throughout', '가중치가 모두 같은 수입니다'],
  ['its weight is a graph output', '가중치가 그래프의 출력입니다'],
  ['its weight is a product', '가중치가 곱셈의 결과입니다'],
  ['its weight is empty', '가중치가 비어 있습니다'],
  ['its weight is no matrix', '가중치가 행렬이 아닙니다'],
  ['its weight is no float of its own', '가중치가 이 레이어만의 실수가 아닙니다'],
  ['its weight is computed by other nodes', '가중치를 다른 노드가 계산합니다'],
  ['its weight has a single element', '가중치의 원소가 하나뿐입니다'],
  ['its weight has another reader', '가중치를 읽는 곳이 더 있습니다'],
  ['its weight has no filters', '가중치에 필터가 없습니다'],
  ['its weight comes from {}', '가중치를 {}이(가) 만듭니다'],
  ['its weight is {}, only floats are quantized', '가중치가 {}입니다. 실수만 양자화합니다'],
  ['its weight is {} already', '가중치가 이미 {}입니다'],
  [
    'its weight takes {} bytes; indices and codebook would take {}',
    '가중치는 {}바이트인데 인덱스와 코드북은 {}바이트가 됩니다',
  ],
  ['its weight is {}', '가중치가 {}입니다'],
  ['its weights are shared already', '가중치가 이미 공유되어 있습니다'],
  ['it has no stored weight', '저장된 가중치가 없습니다'],
  ['it is quantized already', '이미 양자화되어 있습니다'],
  ['is quantized already', '이미 양자화되어 있습니다'],
  ['both of its operands are constant', '두 피연산자가 모두 상수입니다'],
  ['its bias is not one constant number a channel', '편향이 채널마다 하나인 상수가 아닙니다'],
  ['its bias is no constant', '편향이 상수가 아닙니다'],
  ['other layers read its bias', '편향을 다른 레이어도 읽습니다'],
  ['its data is transposed (transA)', '데이터가 전치되어 있습니다(transA)'],
  ['stays in float', '실수로 남습니다'],
  // channels and heads
  ['only one channel is left', '채널이 하나만 남았습니다'],
  ['the attention has one head', '어텐션의 헤드가 하나뿐입니다'],
  [
    'the model has no attention: no softmax weighs a product',
    '모델에 어텐션이 없습니다: 곱에 가중치를 주는 소프트맥스가 없습니다',
  ],
  [
    'it makes no queries, keys or values of an attention whose heads are told apart',
    '헤드를 구분할 수 있는 어텐션의 질의·키·값을 만들지 않습니다',
  ],
  ['graph output', '그래프의 출력'],
  ['graph input', '그래프의 입력'],
  ['stored as a sparse tensor; turn it into a dense one first', '희소 텐서로 저장됨. 먼저 밀집 텐서로 바꾸세요'],
  ['read inside a branch of {}', '{}의 갈래 안에서 읽습니다'],
  ['the size of this axis is unknown', '이 축의 크기를 알 수 없습니다'],
  ['joined axes differ in length', '이어진 축의 길이가 다릅니다'],
  ['merged with the channel axis', '채널 축과 합쳐져 있습니다'],
  ['makes these channels', '이 채널들을 만듭니다'],
  ['reads these channels', '이 채널들을 읽습니다'],
  ['passes them through', '그대로 통과시킵니다'],
  ['the {} that joins {} branches', '갈래 {1}개를 합치는 {0}'],
  ['{} has no channel rule', '{}의 채널 규칙이 없습니다'],
  ['{} does not say what this axis means to it', '{}에게 이 축이 무엇인지 알 수 없습니다'],
  ['{} in a form that cannot be sliced', '{}: 자를 수 없는 형태'],
  ['elements are addressed by index', '원소를 인덱스로 찾습니다'],
  ['its channels are the classes', '채널이 클래스입니다'],
  ['channels do not cross into the body of a control operator', '채널은 제어 연산자의 본문으로 이어지지 않습니다'],
  ['this operator normalises over the channels', '채널에 걸쳐 정규화합니다'],
  ['{} normalises over this axis', '{}이(가) 이 축에 걸쳐 정규화합니다'],
  ['a softmax over the channels', '채널에 걸친 소프트맥스'],
  ['a Reshape whose axes do not correspond', '축이 대응하지 않는 Reshape'],
  ['this quantized product keeps its channels', '이 양자화된 곱은 채널을 유지합니다'],
  [
    'copies cannot stand beside their channels: a shuffle, Slice or grouped convolution needs another order',
    '복사본을 채널 옆에 둘 수 없습니다: 섞기, Slice, 그룹 합성곱은 다른 순서를 요구합니다',
  ],
  ['the work of this model depends on sizes that are not set', '이 모델의 연산량은 정해지지 않은 크기에 달려 있습니다'],
  ['no channels', '채널이 없습니다'],
  // blocks, factors, ranks
  ['even rank 1 would cost no less than the layer', '랭크 1로도 레이어보다 싸지지 않습니다'],
  ['at this rank the factors cost no less than the layer', '이 랭크에서는 인수들이 레이어보다 싸지 않습니다'],
  ['its kernel is 1x1: there is no spatial part to take apart', '커널이 1x1이라 나눌 공간 부분이 없습니다'],
  ['its kernel is one wide already', '커널의 너비가 이미 1입니다'],
  ['its kernel is a line already', '커널이 이미 한 줄입니다'],
  [
    'its channels are grouped: take channel or spatial factors',
    '채널이 그룹으로 나뉘어 있습니다. 채널 분해나 공간 분해를 쓰세요',
  ],
  ['a transposed input needs opset 11', '전치된 입력에는 opset 11이 필요합니다'],
  ['spatial factors need two spatial axes', '공간 분해에는 공간 축이 두 개 있어야 합니다'],
  ['it is grouped already', '이미 그룹으로 나뉘어 있습니다'],
  [
    'it is a convolution over {} axes; blocks are made of two',
    '축 {}개에 걸친 합성곱입니다. 블록은 두 축으로 만듭니다',
  ],
  [
    'its padding does not centre the kernel, so that a 1x1 beside it would read elsewhere',
    '패딩이 커널을 가운데 두지 않아 옆의 1x1이 다른 곳을 읽게 됩니다',
  ],
  [
    'its padding does not centre the kernel, so that a shortcut would read elsewhere',
    '패딩이 커널을 가운데 두지 않아 지름길이 다른 곳을 읽게 됩니다',
  ],
  ['its padding depends on the input size', '패딩이 입력 크기에 달려 있습니다'],
  [
    'it has a single output channel, and a fire module makes two halves',
    '출력 채널이 하나인데 파이어 모듈은 둘로 나눕니다',
  ],
  [
    'it has an odd number of output channels, and the unit makes two halves',
    '출력 채널 수가 홀수인데 이 유닛은 둘로 나눕니다',
  ],
  [
    'half of the input passes through, so it needs as many output as input channels and the same size',
    '입력의 절반이 그대로 통과하므로 입력과 출력의 채널 수와 크기가 같아야 합니다',
  ],
  [
    'its {} input and {} output channels do not divide into {} groups',
    '입력 채널 {}개와 출력 채널 {}개가 그룹 {}개로 나누어지지 않습니다',
  ],
  [
    'it strides: layers of a dense block keep the size',
    '스트라이드가 있습니다. 밀집 블록의 레이어는 크기를 유지합니다',
  ],
  // training, binary
  [
    'the first and the last layer stay float, which accuracy depends on most',
    '정확도에 가장 중요한 첫 레이어와 마지막 레이어는 실수로 남습니다',
  ],
  ['bits, scales and nodes would take {} bytes more', '비트, 스케일, 노드가 {}바이트를 더 차지합니다'],
  ['the channels of its input are not known', '입력의 채널을 알 수 없습니다'],
  ['its input has more than one row a sample', '입력이 샘플마다 한 행보다 많습니다'],
  ['its input is transposed', '입력이 전치되어 있습니다'],
  ['it is dilated', '팽창 합성곱입니다'],
  ['frozen: {} weights', '고정됨: {} 가중치'],
  ['frozen: {}', '고정됨: {}'],
  ['stays as it is', '그대로 둡니다'],
  ['inside another node nothing is trained', '다른 노드 안에서는 학습하지 않습니다'],
  ['it stays float: alone it costs {}, more than the others', '실수로 남깁니다: 혼자서 {}의 손실로 다른 것보다 큽니다'],
  ['no gradient rule yet', '아직 기울기 규칙이 없습니다'],
  ['integer arithmetic: train before quantizing', '정수 연산: 양자화하기 전에 학습하세요'],
  ['gradients do not enter the body of a control operator', '기울기는 제어 연산자의 본문으로 들어가지 않습니다'],
  // clean-up, sizes, growth
  ['nothing here can be simplified', '더 단순하게 만들 것이 없습니다'],
  [
    'no convolution or matrix product with constant weights before it',
    '앞에 가중치가 상수인 합성곱이나 행렬 곱이 없습니다',
  ],
  ['its input has another reader', '입력을 읽는 곳이 더 있습니다'],
  ['the product before it is not known to be a plain matrix', '앞의 곱이 단순한 행렬인지 알 수 없습니다'],
  ['it is in training form, or its numbers are no constants', '학습 형태이거나 값이 상수가 아닙니다'],
  ['the model has opset {} already', '모델의 opset이 이미 {}입니다'],
  ['the input {} is no picture', '입력 {}은(는) 그림이 아닙니다'],
  [
    'the size of the input {} is open: choose it when the model runs',
    '입력 {}의 크기가 정해져 있지 않습니다. 모델을 실행할 때 정하세요',
  ],
  [
    'the input {} is not float32: the runtime would not resize it',
    '입력 {}이(가) float32가 아니어서 런타임이 크기를 바꾸지 못합니다',
  ],
  ['the input {} is read inside a branch', '입력 {}을(를) 갈래 안에서 읽습니다'],
  ['nothing is left behind {}', '{} 뒤에 아무것도 남지 않습니다'],
  ['the shape that {} would give is not known any more', '{}이(가) 낼 형상을 더는 알 수 없습니다'],
  ['the output {} would be {} instead of {}', '출력 {0}이(가) {2} 대신 {1}이(가) 됩니다'],
  ['the input has no known rank', '입력의 랭크를 알 수 없습니다'],
  ['no activation follows: its result leaves the graph', '뒤에 활성 함수가 없습니다: 결과가 그래프 밖으로 나갑니다'],
  ['no activation follows: several nodes read its result', '뒤에 활성 함수가 없습니다: 결과를 여러 노드가 읽습니다'],
  ['no activation follows: {} reads its result', '뒤에 활성 함수가 없습니다: {}이(가) 결과를 읽습니다'],
  ['no activation follows', '뒤에 활성 함수가 없습니다'],
  ['type or shape of its result is unknown', '결과의 형식이나 형상을 알 수 없습니다'],
  ['the number of its channels is unknown', '채널 수를 알 수 없습니다'],
  ['no layer makes this output', '이 출력을 만드는 레이어가 없습니다'],
  ['the output {} is no row of one score a class', '출력 {}이(가) 클래스마다 점수 하나인 행이 아닙니다'],
];

const escaped = (s: string): string => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const patterns = table.map(([en, ko]) => ({
  read: new RegExp(`^${escaped(en).replaceAll('\\{\\}', '(.+?)')}$`),
  ko,
}));

/** `Conv c1: reason`, `reason (place)`: what stands around a reason stays. */
const around = /^(?<head>[^:]*: )?(?<reason>.+?)(?<place> \([^()]*\))?$/;

function koreanOf(reason: string): string {
  for (const { read, ko } of patterns) {
    const parts = read.exec(reason)?.slice(1);
    if (parts === undefined) continue;
    let k = 0;
    return ko.replace(/\{(\d*)\}/g, (_, at: string) => inner(parts[at === '' ? k++ : Number(at)] ?? ''));
  }
  const { head = '', reason: bare = '', place = '' } = around.exec(reason)?.groups ?? {};
  return bare === '' || bare === reason ? reason : `${head}${koreanOf(bare)}${place}`;
}

/** A name stays; a reason inside a reason is read like one. */
const inner = (part: string): string => (part.includes(' ') ? koreanOf(part) : part);

/** A reason in both languages. */
export function reasonText(reason: Said): Text {
  const en = inLanguage(reason, 'en');
  return typeof reason === 'object' ? reason : { en, ko: koreanOf(en) };
}
