/** Owns TensorProto and SparseTensorProto -> ir: shape, type and storage at once, values when asked. */
import type { SparseTensorProto, TensorProto } from 'onnx-buf';
import { Fault } from '../base/fault.ts';
import { lazy } from '../base/lazy.ts';
import { type Said, text } from '../base/text.ts';
import { type ElementType, elementCount, elementTypeOfCode, elementTypes, rawByteLength } from '../ir/element-type.ts';
import type { SparseTensor, Storage, Tensor } from '../ir/tensor.ts';
import { absentOf } from './absent.ts';
import { cameFrom, restOf, valuesCameFrom } from './proto.ts';
import { varintLength } from './varint.ts';

/** A file of external data, already found safe; reads are positional and lazy. */
export interface ExternalFile {
  readonly size: number;
  /** Bytes [offset, offset + length). */
  read(offset: number, length: number): Uint8Array;
}

export interface ReadTensorOptions {
  /**
   * Opens an external location (as the file writes it) for a tensor; throws a Fault naming the tensor where it is unsafe or missing.
   * Without it, values of external tensors throw `no-data`.
   */
  readonly external?: (location: string, tensor: string) => ExternalFile;
  /** Set by `readSkeleton` alone: values may be noted as absent. A file from outside cannot say so. */
  readonly skeleton?: true;
  /** Set by `readSkeleton` alone: ids of nodes in the order of reading, which an edited graph no longer derives from names. */
  readonly ids?: () => string | undefined;
}

const badTensor = (name: string, why: Said): Fault =>
  new Fault('bad-file', why, { where: text(`tensor ${name || '(unnamed)'}`, `텐서 ${name || '(unnamed)'}`) });

const complexParts: Partial<Record<ElementType, number>> = { complex64: 2, complex128: 2 };

/** Which typed field may hold a type, as onnx.proto says. */
function typedField(proto: TensorProto, type: ElementType): readonly (number | bigint)[] {
  switch (type) {
    case 'float':
    case 'complex64':
      return proto.floatData;
    case 'double':
    case 'complex128':
      return proto.doubleData;
    case 'int64':
      return proto.int64Data;
    case 'uint32':
    case 'uint64':
      return proto.uint64Data;
    default:
      return proto.int32Data;
  }
}

/** Packed length in bytes of the typed field that is set, whatever its elements. */
function typedBytes(proto: TensorProto): number {
  const varints = (values: readonly (number | bigint)[]): number =>
    values.reduce<number>((n, v) => n + varintLength(v), 0);
  return (
    proto.floatData.length * 4 +
    proto.doubleData.length * 8 +
    varints(proto.int32Data) +
    varints(proto.int64Data) +
    varints(proto.uint64Data)
  );
}

/** Elements of the typed field as raw_data would hold them. int32_data carries codes: halves, 8-bit floats, packed nibbles. */
function typedToRaw(proto: TensorProto, type: ElementType): Uint8Array {
  const values = typedField(proto, type);
  const info = elementTypes[type];
  const bytesOf = (a: { readonly buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(a.buffer);
  if (type === 'float' || type === 'complex64') return bytesOf(Float32Array.from(values as readonly number[]));
  if (type === 'double' || type === 'complex128') return bytesOf(Float64Array.from(values as readonly number[]));
  if (type === 'int64') return bytesOf(BigInt64Array.from(values as readonly bigint[]));
  if (type === 'uint64') return bytesOf(BigUint64Array.from(values as readonly bigint[]));
  if (info.bits === 32) return bytesOf(Int32Array.from(values, Number));
  if (info.bits === 16) return bytesOf(Int16Array.from(values, Number));
  return bytesOf(Int8Array.from(values, Number));
}

interface ExternalEntry {
  readonly location: string;
  readonly offset?: number;
  readonly length?: number;
}

function externalEntry(proto: TensorProto): ExternalEntry {
  const entries = new Map(proto.externalData.map((e) => [e.key, e.value]));
  const location = entries.get('location');
  if (location === undefined)
    throw badTensor(proto.name, text('its external data names no location', '외부 데이터에 위치가 적혀 있지 않습니다'));
  const whole = (key: string): number | undefined => {
    const given = entries.get(key);
    if (given === undefined) return undefined;
    const n = Number(given);
    if (!/^\d+$/.test(given) || !Number.isSafeInteger(n))
      throw badTensor(
        proto.name,
        text(
          `its external ${key} "${given}" is no byte count`,
          `외부 데이터의 ${key} "${given}"은(는) 바이트 수가 아닙니다`,
        ),
      );
    return n;
  };
  const offset = whole('offset');
  const length = whole('length');
  return { location, ...(offset === undefined ? {} : { offset }), ...(length === undefined ? {} : { length }) };
}

function readExternal(
  proto: TensorProto,
  entry: ExternalEntry,
  expected: number,
  options: ReadTensorOptions,
): Uint8Array {
  if (options.external === undefined)
    throw new Fault(
      'no-data',
      text('its values stand in another file that was not given', '값이 다른 파일에 있는데 그 파일이 없습니다'),
      {
        where: text(`tensor ${proto.name}, ${entry.location}`, `텐서 ${proto.name}, ${entry.location}`),
        hint: text(
          'Open the model from its folder, or drop both files together.',
          '모델을 그 폴더에서 열거나 두 파일을 함께 끌어다 놓으세요.',
        ),
      },
    );
  const file = options.external(entry.location, proto.name);
  const offset = entry.offset ?? 0;
  const length = entry.length ?? expected;
  if (length !== expected)
    throw badTensor(
      proto.name,
      text(
        `${length} bytes of external data, its shape and type need ${expected}`,
        `외부 데이터는 ${length}바이트인데 형상과 형식에는 ${expected}바이트가 필요합니다`,
      ),
    );
  if (offset + length > file.size)
    throw badTensor(
      proto.name,
      text(
        `external data ${entry.location} ends at ${file.size}, bytes ${offset} to ${offset + length} are needed`,
        `외부 데이터 ${entry.location}은(는) ${file.size}바이트에서 끝나는데 ${offset}~${offset + length}바이트가 필요합니다`,
      ),
    );
  return file.read(offset, length);
}

/** TensorProto -> Tensor. Faults `bad-file` for what contradicts itself; external data is only checked when read. */
export function readTensor(proto: TensorProto, options: ReadTensorOptions): Tensor {
  const type = elementTypeOfCode(proto.dataType);
  if (type === undefined)
    throw badTensor(
      proto.name,
      text(`element type ${proto.dataType} is unknown`, `원소 형식 ${proto.dataType}을(를) 알 수 없습니다`),
    );
  const dims = proto.dims.map(Number);
  if (dims.some((d) => d < 0 || !Number.isSafeInteger(d)))
    throw badTensor(
      proto.name,
      text(`shape [${proto.dims.join(', ')}] is impossible`, `형상 [${proto.dims.join(', ')}]은(는) 있을 수 없습니다`),
    );
  const count = elementCount(dims);
  if (!Number.isSafeInteger(count * 16))
    throw badTensor(
      proto.name,
      text(`shape [${dims.join(', ')}] is impossibly large`, `형상 [${dims.join(', ')}]이(가) 지나치게 큽니다`),
    );
  const expected = rawByteLength(type, count);
  const tensor = (storage: Storage, bytes: () => Uint8Array, strings?: () => readonly Uint8Array[]): Tensor => {
    valuesCameFrom(strings ?? bytes, proto);
    return cameFrom(
      {
        name: proto.name,
        type,
        dims,
        storage,
        bytes,
        ...(strings === undefined ? {} : { strings }),
        ...(proto.docString === '' ? {} : { doc: proto.docString }),
        rest: restOf(proto),
      },
      proto,
    );
  };
  if (proto.dataLocation === 1) {
    const entry = externalEntry(proto);
    return tensor({ kind: 'external', ...entry }, () => readExternal(proto, entry, expected, options));
  }
  const absent = options.skeleton ? absentOf(proto) : undefined;
  if (absent !== undefined) {
    const storage: Storage =
      absent.field === 9
        ? { kind: 'raw' }
        : { kind: type === 'string' ? 'strings' : 'typed', fieldBytes: absent.bytes };
    const nothing = (): never => {
      throw new Fault('no-data', text('only the host holds these values', '이 값은 호스트만 가지고 있습니다'), {
        where: text(`tensor ${proto.name}`, `텐서 ${proto.name}`),
      });
    };
    return tensor(storage, nothing, type === 'string' ? nothing : undefined);
  }
  if (type === 'string') {
    if (proto.stringData.length !== count)
      throw badTensor(
        proto.name,
        text(
          `${proto.stringData.length} strings, its shape [${dims.join(', ')}] needs ${count}`,
          `문자열은 ${proto.stringData.length}개인데 형상 [${dims.join(', ')}]에는 ${count}개가 필요합니다`,
        ),
      );
    const fieldBytes = proto.stringData.reduce((n, s) => n + 1 + varintLength(s.length) + s.length, 0);
    return tensor(
      { kind: 'strings', fieldBytes },
      () => {
        throw new Fault('unsupported', text('strings have no raw bytes', '문자열에는 원시 바이트가 없습니다'), {
          where: text(`tensor ${proto.name}`, `텐서 ${proto.name}`),
        });
      },
      () => proto.stringData,
    );
  }
  if (proto.rawData.length > 0 || count === 0) {
    if (proto.rawData.length !== expected)
      throw badTensor(
        proto.name,
        text(
          `${proto.rawData.length} bytes of data, its shape [${dims.join(', ')}] of ${type} needs ${expected}`,
          `데이터는 ${proto.rawData.length}바이트인데 ${type} 형상 [${dims.join(', ')}]에는 ${expected}바이트가 필요합니다`,
        ),
      );
    return tensor({ kind: 'raw' }, () => proto.rawData);
  }
  const given = typedField(proto, type).length;
  const sub = elementTypes[type].bits < 8;
  const needed = sub ? expected : count * (complexParts[type] ?? 1);
  if (given !== needed)
    throw badTensor(
      proto.name,
      text(
        `${given} numbers, its shape [${dims.join(', ')}] of ${type} needs ${needed}`,
        `수는 ${given}개인데 ${type} 형상 [${dims.join(', ')}]에는 ${needed}개가 필요합니다`,
      ),
    );
  return tensor(
    { kind: 'typed', fieldBytes: typedBytes(proto) },
    lazy(() => typedToRaw(proto, type)),
  );
}

/** SparseTensorProto -> SparseTensor. */
export function readSparse(proto: SparseTensorProto, options: ReadTensorOptions): SparseTensor {
  if (proto.values === undefined || proto.indices === undefined)
    throw new Fault(
      'bad-file',
      text('a sparse tensor lacks its values or its indices', '희소 텐서에 값이나 인덱스가 없습니다'),
      {
        where: proto.values?.name ?? 'sparse tensor',
      },
    );
  const values = readTensor(proto.values, options);
  const indices = readTensor(proto.indices, options);
  return cameFrom({ dims: proto.dims.map(Number), values, indices, rest: restOf(proto) }, proto);
}
