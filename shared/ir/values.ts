/** Owns the numbers inside tensors: raw little-endian bytes to JS numbers and back, for every element type. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { type ElementType, elementCount, elementTypes } from './element-type.ts';
import { lazyTensor, type Tensor } from './tensor.ts';

/** Aligned copy-free view where possible, else an aligned copy. */
function aligned(bytes: Uint8Array, unit: number): { buffer: ArrayBuffer; byteOffset: number } {
  if (bytes.byteOffset % unit === 0 && bytes.buffer instanceof ArrayBuffer)
    return { buffer: bytes.buffer, byteOffset: bytes.byteOffset };
  return { buffer: bytes.slice().buffer as ArrayBuffer, byteOffset: 0 };
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** IEEE half to number. */
export function halfToNumber(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exp = (h >> 10) & 31;
  const frac = h & 1023;
  if (exp === 0) return sign * frac * 2 ** -24;
  if (exp === 31) return frac === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + frac / 1024) * 2 ** (exp - 15);
}

/** Number to IEEE half, round to nearest even. */
export function numberToHalf(x: number): number {
  f32[0] = x;
  const bits = u32[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const abs = bits & 0x7fffffff;
  if (abs > 0x7f800000) return sign | 0x7e00;
  if (abs >= 0x477ff000) return sign | 0x7c00;
  if (abs < 0x33000001) return sign;
  const exp = abs >>> 23;
  if (exp < 113) {
    const mant = (abs & 0x7fffff) | 0x800000;
    const shift = 126 - exp;
    const half = mant >>> shift;
    const rem = mant & ((1 << shift) - 1);
    const mid = 1 << (shift - 1);
    return sign | (half + (rem > mid || (rem === mid && (half & 1) === 1) ? 1 : 0));
  }
  const rounded = abs + 0xfff + ((abs >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** bfloat16 to number and back (round to nearest even). */
export function bfloatToNumber(b: number): number {
  u32[0] = b << 16;
  return f32[0] ?? 0;
}
export function numberToBfloat(x: number): number {
  f32[0] = x;
  const bits = u32[0] ?? 0;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

interface SmallFloat {
  readonly exp: number;
  readonly mant: number;
  readonly bias: number;
  /** 'ieee': top exponent is inf/nan. 'fn': only all ones is nan. 'fnuz': only 0x80 is nan, no negative zero. 'none'. */
  readonly special: 'ieee' | 'fn' | 'fnuz' | 'none';
}
const smallFloats: Partial<Record<ElementType, SmallFloat>> = {
  float8e4m3fn: { exp: 4, mant: 3, bias: 7, special: 'fn' },
  float8e4m3fnuz: { exp: 4, mant: 3, bias: 8, special: 'fnuz' },
  float8e5m2: { exp: 5, mant: 2, bias: 15, special: 'ieee' },
  float8e5m2fnuz: { exp: 5, mant: 2, bias: 16, special: 'fnuz' },
  float4e2m1: { exp: 2, mant: 1, bias: 1, special: 'none' },
};

function decodeSmall(code: number, f: SmallFloat): number {
  const width = f.exp + f.mant + 1;
  const negative = (code >> (width - 1)) & 1;
  const e = (code >> f.mant) & ((1 << f.exp) - 1);
  const m = code & ((1 << f.mant) - 1);
  if (f.special === 'fnuz' && code === 1 << (width - 1)) return Number.NaN;
  if (f.special === 'fn' && e === (1 << f.exp) - 1 && m === (1 << f.mant) - 1) return Number.NaN;
  if (f.special === 'ieee' && e === (1 << f.exp) - 1)
    return m !== 0 ? Number.NaN : negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = e === 0 ? m * 2 ** (1 - f.bias - f.mant) : (1 + m / (1 << f.mant)) * 2 ** (e - f.bias);
  return negative ? -value : value;
}

/** Nearest code, ties to even mantissa, saturating at the largest finite value (the ONNX Cast default). */
function encodeSmall(x: number, f: SmallFloat): number {
  const width = f.exp + f.mant + 1;
  const signBit = 1 << (width - 1);
  if (Number.isNaN(x)) return f.special === 'fnuz' ? signBit : f.special === 'none' ? 0 : signBit - 1;
  const sign = x < 0 || Object.is(x, -0) ? signBit : 0;
  const abs = Math.abs(x);
  let best = 0;
  let bestGap = Number.POSITIVE_INFINITY;
  for (let code = 0; code < signBit; code++) {
    const v = decodeSmall(code, f);
    if (!Number.isFinite(v)) continue;
    const gap = Math.abs(v - abs);
    if (gap < bestGap || (gap === bestGap && (code & 1) === 0)) {
      best = code;
      bestGap = gap;
    }
  }
  return best === 0 && f.special === 'fnuz' ? 0 : sign | best;
}

function unpack(bytes: Uint8Array, bits: 2 | 4, count: number, signed: boolean): Float64Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const code = ((bytes[Math.floor(i / perByte)] ?? 0) >> ((i % perByte) * bits)) & mask;
    out[i] = signed && code >= 1 << (bits - 1) ? code - (1 << bits) : code;
  }
  return out;
}

/** All values as doubles (int64 beyond 2^53 rounds: use `toBigInts`). Complex, strings: throws `unsupported`. */
export function toNumbers(tensor: Tensor): Float64Array {
  const count = elementCount(tensor.dims);
  const info = elementTypes[tensor.type];
  if (
    tensor.type === 'float' ||
    tensor.type === 'double' ||
    (info.bits >= 8 && info.family !== 'float' && info.bits < 64)
  )
    if (info.family !== 'complex' && info.family !== 'string') return new Float64Array(toTyped(tensor) as Float32Array);
  const bytes = tensor.bytes();
  switch (tensor.type) {
    case 'int64':
    case 'uint64':
      return Float64Array.from(toBigInts(tensor), Number);
    case 'float16': {
      const { buffer, byteOffset } = aligned(bytes, 2);
      return Float64Array.from(new Uint16Array(buffer, byteOffset, count), halfToNumber);
    }
    case 'bfloat16': {
      const { buffer, byteOffset } = aligned(bytes, 2);
      return Float64Array.from(new Uint16Array(buffer, byteOffset, count), bfloatToNumber);
    }
    case 'uint4':
      return unpack(bytes, 4, count, false);
    case 'int4':
      return unpack(bytes, 4, count, true);
    case 'uint2':
      return unpack(bytes, 2, count, false);
    case 'int2':
      return unpack(bytes, 2, count, true);
    case 'float8e8m0':
      return Float64Array.from(bytes, (b) => (b === 255 ? Number.NaN : 2 ** (b - 127)));
    case 'float4e2m1': {
      const f = smallFloats.float4e2m1 as SmallFloat;
      return unpack(bytes, 4, count, false).map((code) => decodeSmall(code, f));
    }
    default: {
      const f = smallFloats[tensor.type];
      if (f === undefined)
        throw new Fault(
          'unsupported',
          text(`${tensor.type} has no plain numbers`, `${tensor.type}에는 보통의 수가 없습니다`),
          { where: tensor.name },
        );
      const table = Float64Array.from({ length: 256 }, (_, code) => decodeSmall(code, f));
      return Float64Array.from(bytes, (b) => table[b] ?? 0);
    }
  }
}

/** float32 values; a view without copy for aligned float tensors (do not write into it). */
export function toFloat32(tensor: Tensor): Float32Array {
  return tensor.type === 'float' ? (toTyped(tensor) as Float32Array) : Float32Array.from(toNumbers(tensor));
}

/** int64 / uint64 / any integer type as bigint, exact. */
export function toBigInts(tensor: Tensor): readonly bigint[] {
  if (tensor.type === 'int64' || tensor.type === 'uint64') {
    const { buffer, byteOffset } = aligned(tensor.bytes(), 8);
    const count = elementCount(tensor.dims);
    return Array.from(
      tensor.type === 'int64'
        ? new BigInt64Array(buffer, byteOffset, count)
        : new BigUint64Array(buffer, byteOffset, count),
    );
  }
  return Array.from(toNumbers(tensor), (x) => BigInt(Math.trunc(x)));
}

export type Typed =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The typed array a runtime takes: 16-bit floats as Uint16Array, sub-byte types as their packed bytes. */
export function toTyped(tensor: Tensor): Typed {
  const bytes = tensor.bytes();
  const count = elementCount(tensor.dims);
  const view = <T>(make: new (b: ArrayBuffer, o: number, n: number) => T, unit: number): T => {
    const { buffer, byteOffset } = aligned(bytes, unit);
    return new make(buffer, byteOffset, count);
  };
  switch (tensor.type) {
    case 'float':
      return view(Float32Array, 4);
    case 'double':
      return view(Float64Array, 8);
    case 'int8':
      return view(Int8Array, 1);
    case 'int16':
      return view(Int16Array, 2);
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return view(Uint16Array, 2);
    case 'int32':
      return view(Int32Array, 4);
    case 'uint32':
      return view(Uint32Array, 4);
    case 'int64':
      return view(BigInt64Array, 8);
    case 'uint64':
      return view(BigUint64Array, 8);
    case 'complex64':
    case 'complex128':
    case 'string':
      throw new Fault(
        'unsupported',
        text(`${tensor.type} has no typed array`, `${tensor.type}에 맞는 배열 형식이 없습니다`),
        { where: tensor.name },
      );
    default:
      return bytes;
  }
}

/** Round half to even, as ONNX and the runtime do. */
export function roundEven(x: number): number {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

const clampRound = (x: number, lo: number, hi: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(roundEven(x), lo), hi);

/** Packs numbers into raw bytes of a type; integers are rounded and saturated, floats rounded to nearest even. */
export function packNumbers(type: ElementType, values: ArrayLike<number>): Uint8Array {
  const n = values.length;
  const at = (i: number): number => values[i] ?? 0;
  const bytesOf = (a: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(a.buffer);
  const info = elementTypes[type];
  switch (type) {
    case 'float':
      return bytesOf(Float32Array.from({ length: n }, (_, i) => at(i)));
    case 'double':
      return bytesOf(Float64Array.from({ length: n }, (_, i) => at(i)));
    case 'float16':
      return bytesOf(Uint16Array.from({ length: n }, (_, i) => numberToHalf(at(i))));
    case 'bfloat16':
      return bytesOf(Uint16Array.from({ length: n }, (_, i) => numberToBfloat(at(i))));
    case 'int64':
      return bytesOf(BigInt64Array.from({ length: n }, (_, i) => BigInt(Math.round(at(i)))));
    case 'uint64':
      return bytesOf(BigUint64Array.from({ length: n }, (_, i) => BigInt(Math.round(at(i)))));
    case 'int8':
      return bytesOf(Int8Array.from({ length: n }, (_, i) => clampRound(at(i), -128, 127)));
    case 'uint8':
      return Uint8Array.from({ length: n }, (_, i) => clampRound(at(i), 0, 255));
    case 'int16':
      return bytesOf(Int16Array.from({ length: n }, (_, i) => clampRound(at(i), -32768, 32767)));
    case 'uint16':
      return bytesOf(Uint16Array.from({ length: n }, (_, i) => clampRound(at(i), 0, 65535)));
    case 'int32':
      return bytesOf(Int32Array.from({ length: n }, (_, i) => clampRound(at(i), -(2 ** 31), 2 ** 31 - 1)));
    case 'uint32':
      return bytesOf(Uint32Array.from({ length: n }, (_, i) => clampRound(at(i), 0, 2 ** 32 - 1)));
    case 'bool':
      return Uint8Array.from({ length: n }, (_, i) => (at(i) ? 1 : 0));
    case 'uint4':
    case 'int4':
    case 'uint2':
    case 'int2':
    case 'float4e2m1': {
      const bits = info.bits;
      const perByte = 8 / bits;
      const mask = (1 << bits) - 1;
      const lo = info.family === 'int' ? -(1 << (bits - 1)) : 0;
      const hi = info.family === 'int' ? (1 << (bits - 1)) - 1 : mask;
      const small = smallFloats[type];
      const out = new Uint8Array(Math.ceil((n * bits) / 8));
      for (let i = 0; i < n; i++) {
        const code = small === undefined ? clampRound(at(i), lo, hi) & mask : encodeSmall(at(i), small);
        const b = Math.floor(i / perByte);
        out[b] = (out[b] ?? 0) | (code << ((i % perByte) * bits));
      }
      return out;
    }
    case 'float8e8m0':
      return Uint8Array.from({ length: n }, (_, i) =>
        Number.isNaN(at(i)) ? 255 : clampRound(Math.log2(Math.abs(at(i))) + 127, 0, 254),
      );
    default: {
      const f = smallFloats[type];
      if (f === undefined)
        throw new Fault('unsupported', text(`cannot pack numbers as ${type}`, `수를 ${type}(으)로 담을 수 없습니다`));
      return Uint8Array.from({ length: n }, (_, i) => encodeSmall(at(i), f));
    }
  }
}

/** Integers that a tensor was made from, by its `bytes` (which a renamed copy keeps). */
type Made = Tensor['bytes'] & { integers?: readonly number[] };

/** The integers that a tensor was made from in memory, without packing and unpacking them; undefined for others. */
export const integersOf = (tensor: Tensor): readonly number[] | undefined => (tensor.bytes as Made).integers;

/** A tensor from plain numbers, packed when its bytes are first asked for. */
export function numbersTensor(
  name: string,
  type: ElementType,
  dims: readonly number[],
  values: ArrayLike<number>,
): Tensor {
  const tensor = lazyTensor(name, type, dims, () => packNumbers(type, values));
  if (
    type === 'int64' &&
    Array.isArray(values) &&
    values.length === elementCount(dims) &&
    values.every(Number.isSafeInteger)
  )
    (tensor.bytes as Made).integers = values;
  return tensor;
}

/** An int64 tensor (shapes, axes); exact for bigint input. */
export function int64Tensor(name: string, dims: readonly number[], values: readonly (number | bigint)[]): Tensor {
  return lazyTensor(name, 'int64', dims, () => new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
}
