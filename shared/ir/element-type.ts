/** Owns ElementType: every tensor element type of ONNX 1.20, its code, width and family. */

export interface ElementTypeInfo {
  /** TensorProto.DataType */
  readonly code: number;
  /** Width in bits as stored in raw_data; 0 for strings. */
  readonly bits: number;
  readonly family: 'float' | 'int' | 'uint' | 'bool' | 'complex' | 'string';
}

export const elementTypes = {
  float: { code: 1, bits: 32, family: 'float' },
  uint8: { code: 2, bits: 8, family: 'uint' },
  int8: { code: 3, bits: 8, family: 'int' },
  uint16: { code: 4, bits: 16, family: 'uint' },
  int16: { code: 5, bits: 16, family: 'int' },
  int32: { code: 6, bits: 32, family: 'int' },
  int64: { code: 7, bits: 64, family: 'int' },
  string: { code: 8, bits: 0, family: 'string' },
  bool: { code: 9, bits: 8, family: 'bool' },
  float16: { code: 10, bits: 16, family: 'float' },
  double: { code: 11, bits: 64, family: 'float' },
  uint32: { code: 12, bits: 32, family: 'uint' },
  uint64: { code: 13, bits: 64, family: 'uint' },
  complex64: { code: 14, bits: 64, family: 'complex' },
  complex128: { code: 15, bits: 128, family: 'complex' },
  bfloat16: { code: 16, bits: 16, family: 'float' },
  float8e4m3fn: { code: 17, bits: 8, family: 'float' },
  float8e4m3fnuz: { code: 18, bits: 8, family: 'float' },
  float8e5m2: { code: 19, bits: 8, family: 'float' },
  float8e5m2fnuz: { code: 20, bits: 8, family: 'float' },
  uint4: { code: 21, bits: 4, family: 'uint' },
  int4: { code: 22, bits: 4, family: 'int' },
  float4e2m1: { code: 23, bits: 4, family: 'float' },
  float8e8m0: { code: 24, bits: 8, family: 'float' },
  uint2: { code: 25, bits: 2, family: 'uint' },
  int2: { code: 26, bits: 2, family: 'int' },
} as const satisfies Record<string, ElementTypeInfo>;

export type ElementType = keyof typeof elementTypes;

const byCode = new Map<number, ElementType>(
  Object.entries(elementTypes).map(([name, info]) => [info.code, name as ElementType]),
);

/** The type with this TensorProto.DataType code, or undefined for a code of the future. */
export const elementTypeOfCode = (code: number): ElementType | undefined => byCode.get(code);

/** Bytes that `count` elements take in raw_data; sub-byte types are packed, the last byte padded. */
export const rawByteLength = (type: ElementType, count: number): number =>
  Math.ceil((elementTypes[type].bits * count) / 8);

export const isFloat = (type: ElementType): boolean => elementTypes[type].family === 'float';

/** Number of elements of a shape. */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (let k = 0; k < dims.length; k++) count *= dims[k] ?? 1;
  return count;
}
