/** Owns which family an operator belongs to on the screen: its colour and its name. */
import { type Text, text } from '#shared/base/text.ts';

export type Family =
  | 'compute'
  | 'norm'
  | 'activation'
  | 'pool'
  | 'elementwise'
  | 'movement'
  | 'quantize'
  | 'control'
  | 'other';

export const familyNames: Readonly<Record<Family, Text>> = {
  compute: text('Weights', '가중치 연산'),
  norm: text('Normalise', '정규화'),
  activation: text('Activate', '활성화'),
  pool: text('Pool, reduce', '풀링·축소'),
  elementwise: text('Elementwise', '원소별'),
  movement: text('Move data', '데이터 이동'),
  quantize: text('Quantize', '양자화'),
  control: text('Control', '제어'),
  other: text('Other', '기타'),
};

const operators: Readonly<Record<Family, string>> = {
  compute:
    'Conv ConvTranspose ConvInteger QLinearConv DeformConv Gemm MatMul MatMulInteger QLinearMatMul LSTM GRU RNN Attention MultiHeadAttention Einsum FusedConv FusedMatMul DynamicQuantizeMatMul MatMulNBits FusedGemm',
  norm: 'BatchNormalization InstanceNormalization LayerNormalization GroupNormalization RMSNormalization LRN LpNormalization MeanVarianceNormalization SkipLayerNormalization EmbedLayerNormalization',
  activation:
    'Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Swish Tanh Softplus Softsign Softmax LogSoftmax Hardmax Gelu FastGelu BiasGelu Mish ThresholdedRelu Clip Erf Dropout Shrink',
  pool: 'MaxPool AveragePool GlobalAveragePool GlobalMaxPool LpPool GlobalLpPool MaxUnpool MaxRoiPool RoiAlign ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare ArgMax ArgMin CumSum TopK',
  elementwise:
    'Add Sub Mul Div Pow Sqrt Exp Log Neg Abs Min Max Mean Sum Mod Reciprocal Floor Ceil Round Sign Sin Cos Tan Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not Where BitShift IsNaN IsInf',
  movement:
    'Reshape Flatten Transpose Concat Split Slice Gather GatherElements GatherND Scatter ScatterElements ScatterND Squeeze Unsqueeze Expand Tile Pad Resize Upsample DepthToSpace SpaceToDepth Identity Cast CastLike Shape Size Constant ConstantOfShape Range OneHot NonZero Compress EyeLike Trilu ReverseSequence',
  quantize: 'QuantizeLinear DequantizeLinear DynamicQuantizeLinear',
  control:
    'If Loop Scan SequenceMap SequenceConstruct SequenceAt SequenceInsert SplitToSequence ConcatFromSequence Optional',
  other: '',
};

const byOperator = new Map<string, Family>();
for (const [family, list] of Object.entries(operators))
  for (const op of list.split(' ')) if (op !== '') byOperator.set(op, family as Family);

/** The family of an operator; 'other' for one that is not listed (foreign domains). */
export const familyOf = (op: string): Family => byOperator.get(op) ?? 'other';
