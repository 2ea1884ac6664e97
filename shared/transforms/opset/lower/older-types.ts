/** Owns which element types an operator took only from some opset on: what stands in the way of a lower one. */
import type { ElementType } from '../../../ir/element-type.ts';

const wideInts = ['int32', 'int64', 'uint32', 'uint64'] as const;
const smallInts = ['int8', 'int16', 'uint8', 'uint16'] as const;
const ints = [...wideInts, ...smallInts] as const;
const float8 = ['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz'] as const;
const notNumbers = ['bool', 'string', 'complex64', 'complex128'] as const;

type Gains = Readonly<Record<number, readonly ElementType[]>>;

/** Types of the first input that came with an opset, beside the narrow ones below. */
const gains: Readonly<Record<string, Gains>> = {
  Gemm: { 9: wideInts },
  MatMul: { 9: wideInts },
  PRelu: { 9: wideInts },
  Less: { 9: ints },
  Greater: { 9: ints },
  Flatten: { 9: [...ints, ...notNumbers] },
  Cast: { 9: ['string'] },
  Equal: { 11: ['float', 'double', 'float16', ...smallInts, 'uint32', 'uint64'], 19: ['string'] },
  TopK: { 11: ints, 24: ['bfloat16'] },
  Clip: { 12: ints },
  Max: { 12: ints },
  Min: { 12: ints },
  Pow: { 12: ['int32', 'int64'] },
  MaxPool: { 12: ['int8', 'uint8'] },
  ReduceMax: { 12: ['int8', 'uint8'], 20: ['bool'] },
  ReduceMin: { 12: ['int8', 'uint8'], 20: ['bool'] },
  Pad: { 11: ints, 13: notNumbers },
  Add: { 14: smallInts },
  Sub: { 14: smallInts },
  Mul: { 14: smallInts },
  Div: { 14: smallInts },
  Relu: { 14: ['int8', 'int16', 'int32', 'int64'] },
  CumSum: { 14: ['float16', 'bfloat16'] },
  QuantizeLinear: { 19: ['float16', 'bfloat16'], 21: ['int16', 'uint16'] },
  DequantizeLinear: { 21: ['int16', 'uint16'] },
  IsInf: { 20: ['float16', 'bfloat16'] },
  SplitToSequence: { 24: ['bfloat16'] },
};

/** Types younger than ONNX 1.0: the opsets that gave them to the operators that changed there. */
const narrow: Readonly<Record<number, readonly ElementType[]>> = {
  13: ['bfloat16'],
  14: ['bfloat16'],
  15: ['bfloat16'],
  16: ['bfloat16'],
  19: float8,
  20: float8,
  21: [...float8, 'uint4', 'int4'],
  22: ['bfloat16', ...float8],
  23: ['float4e2m1'],
  24: ['float8e8m0'],
  25: ['uint2', 'int2'],
};

/** Operators that changed at an opset for another reason, and took these types before. */
const before: Readonly<Record<number, readonly string[]>> = {
  14: ['Add', 'Sub', 'Mul', 'Div', 'Relu', 'Identity', 'Reshape', 'BatchNormalization'],
  15: ['BatchNormalization', 'Shape'],
  16: ['Identity', 'ScatterND', 'ScatterElements'],
  21: [
    'Reshape',
    'Identity',
    'Shape',
    'Size',
    'Cast',
    'CastLike',
    'QuantizeLinear',
    'DequantizeLinear',
    'ConstantOfShape',
  ],
};

/** Control flow carries values on; what computes them says which types it takes. */
const carriesOn: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan']);

/** The types that an operator took from `version` on and not before. */
export function typesGained(op: string, version: number): readonly ElementType[] {
  const own = gains[op]?.[version] ?? [];
  if (carriesOn.has(op)) return own;
  const young = narrow[version] ?? [];
  if (before[version]?.includes(op) !== true) return [...own, ...young];
  return [...own, ...young.filter((t) => t === 'uint4' || t === 'int4')];
}
