/** Owns NPY arrays (NumPy's own format, versions 1 to 3): header, element types, and rows read where they lie. */
import { Fault } from '#shared/base/fault.ts';
import { type Said, text } from '#shared/base/text.ts';
import { halfToNumber } from '#shared/ir/values.ts';
import { type ByteSource, partOfSource } from './byte-source.ts';

export interface Npy {
  readonly where: string;
  /** 'u1', 'f4' ... with 'b1' for bool; 'U' and 'S' are text of `width` bytes. */
  readonly type: string;
  readonly width: number;
  readonly shape: readonly number[];
  /** Row i along the first axis as numbers, in C order. Faults: `bad-file` for text. */
  row(i: number): Float64Array;
  /** Every number, in C order where the array has one axis. Faults: as `row`. */
  all(): Float64Array;
  /** Element i of an array of text. */
  text(i: number): string;
}

const widths: Readonly<Record<string, number>> = {
  b1: 1,
  i1: 1,
  u1: 1,
  i2: 2,
  u2: 2,
  f2: 2,
  i4: 4,
  u4: 4,
  f4: 4,
  i8: 8,
  u8: 8,
  f8: 8,
};

/** A header is a few dozen bytes; a longer one is no array that anybody trains on. */
const mostHeader = 2 ** 16;
/** An array in Fortran order has its samples strewn over the file, so it is held whole. */
const mostFortran = 2 ** 30;

interface Header {
  readonly type: string;
  readonly width: number;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly start: number;
}

function readType(descr: string, where: string): { type: string; width: number } {
  const bad = (message: Said, hint: Said): Fault => new Fault('bad-file', message, { where, hint });
  if (descr.includes('O'))
    throw bad(
      text(
        'the array holds Python objects (a pickle), which are never read',
        '배열에 Python 객체(pickle)가 들어 있어 읽지 않습니다',
      ),
      text(
        'Save numbers: numpy.save(file, array.astype("float32")).',
        '수로 저장하세요: numpy.save(file, array.astype("float32")).',
      ),
    );
  const [, order = '', kind = '', size = ''] = /^([<>|=]?)([a-zA-Z])(\d+)$/.exec(descr) ?? [];
  if (order === '>' && size !== '1')
    throw bad(
      text(`big-endian numbers (${descr}) are not read`, `빅 엔디언 수(${descr})는 읽지 않습니다`),
      text('Save with array.astype("<f4").', 'array.astype("<f4")로 저장하세요.'),
    );
  if (kind === 'U') return { type: 'U', width: 4 * Number(size) };
  if (kind === 'S' || kind === 'a') return { type: 'S', width: Number(size) };
  const type = `${kind}${size}`;
  const width = widths[type];
  if (width === undefined)
    throw bad(
      text(`elements of type ${descr} are not read`, `${descr} 형식의 원소는 읽지 않습니다`),
      text(
        'Known: bool, int8 to int64, uint8 to uint64, float16 to float64.',
        '읽을 수 있는 것: bool, int8~int64, uint8~uint64, float16~float64.',
      ),
    );
  return { type, width };
}

/** Parses the header, a Python dictionary of three known keys. */
function readHeader(s: ByteSource): Header {
  const bad = (message: Said): Fault => new Fault('bad-file', message, { where: s.where });
  if (s.size < 10) throw bad(text('not an NPY file: too short', 'NPY 파일이 아닙니다: 너무 짧습니다'));
  const head = s.read(0, Math.min(12, s.size));
  if (String.fromCharCode(...head.subarray(1, 6)) !== 'NUMPY' || head[0] !== 0x93)
    throw bad(
      text('not an NPY file: it does not start with \\x93NUMPY', 'NPY 파일이 아닙니다: \\x93NUMPY로 시작하지 않습니다'),
    );
  const version = head[6] ?? 0;
  if (version < 1 || version > 3)
    throw bad(text(`NPY version ${version} is not known`, `NPY 버전 ${version}은(는) 알 수 없습니다`));
  const long = version > 1;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = long && head.length >= 12 ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (long ? 12 : 10) + length;
  if (length > mostHeader || start > s.size) throw bad(text('the NPY header is cut off', 'NPY 헤더가 잘렸습니다'));
  const words = new TextDecoder().decode(s.read(start - length, length));
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[))/.exec(words);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(words);
  const shape = /['"]shape['"]\s*:\s*\(([\d\sL,]*)\)/.exec(words);
  if (descr === null || order === null || shape === null)
    throw bad(text('the NPY header cannot be read', 'NPY 헤더를 읽을 수 없습니다'));
  if (descr[2] !== undefined)
    throw new Fault('bad-file', text('structured arrays are not read', '구조체 배열은 읽지 않습니다'), {
      where: s.where,
      hint: text(
        'Save each field as an array of its own, for example in one NPZ file.',
        '필드마다 따로 배열로 저장하세요. 예: NPZ 파일 하나에.',
      ),
    });
  const dims = (shape[1] ?? '')
    .split(',')
    .map((d) => d.replace(/L/, '').trim())
    .filter((d) => d !== '')
    .map(Number);
  return { ...readType(descr[1] ?? '', s.where), fortran: order[1] === 'True', shape: dims, start };
}

/** `count` numbers from raw little-endian bytes at any alignment. */
function numbersOf(bytes: Uint8Array, type: string, count: number): Float64Array {
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at: Readonly<Record<string, (i: number) => number>> = {
    b1: (i) => (v.getUint8(i) === 0 ? 0 : 1),
    u1: (i) => v.getUint8(i),
    i1: (i) => v.getInt8(i),
    u2: (i) => v.getUint16(2 * i, true),
    i2: (i) => v.getInt16(2 * i, true),
    f2: (i) => halfToNumber(v.getUint16(2 * i, true)),
    u4: (i) => v.getUint32(4 * i, true),
    i4: (i) => v.getInt32(4 * i, true),
    f4: (i) => v.getFloat32(4 * i, true),
    u8: (i) => Number(v.getBigUint64(8 * i, true)),
    i8: (i) => Number(v.getBigInt64(8 * i, true)),
    f8: (i) => v.getFloat64(8 * i, true),
  };
  if (type === 'u1') return Float64Array.from(bytes.subarray(0, count));
  const read = at[type] ?? (() => Number.NaN);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) out[i] = read(i);
  return out;
}

/** Where element (i, rest in C order) lies in Fortran order: the first axis runs fastest. */
function fortranOffsets(shape: readonly number[]): Float64Array {
  const [n = 1, ...rest] = shape;
  const each = rest.reduce((a, b) => a * b, 1);
  const out = new Float64Array(each);
  for (let k = 0; k < each; k++) {
    let left = k;
    let at = 0;
    // C order: the last axis runs fastest, so it is peeled off first.
    for (let d = rest.length - 1; d >= 0; d--) {
      const size = rest[d] ?? 1;
      const stride = rest.slice(0, d).reduce((a, b) => a * b, n);
      at += (left % size) * stride;
      left = Math.floor(left / size);
    }
    out[k] = at;
  }
  return out;
}

/**
 * Opens an NPY array. Faults: `bad-file` (cut off, objects, big-endian, structured, unknown type), `unsupported` for Fortran order
 * beyond a gigabyte. A pickle is never read.
 */
export function openNpy(source: ByteSource): Npy {
  const { where } = source;
  const h = readHeader(source);
  const count = h.shape.reduce((a, b) => a * b, 1);
  const bytes = count * h.width;
  const has = source.size - h.start;
  if (!Number.isSafeInteger(bytes) || has < bytes)
    throw new Fault(
      'bad-file',
      text(
        `the header says ${h.shape.join(' x ')} of ${h.type}, ${bytes} bytes; there are ${has}`,
        `헤더에는 ${h.type} ${h.shape.join(' x ')}, ${bytes}바이트인데 실제로는 ${has}바이트입니다`,
      ),
      {
        where,
        hint: text(
          'The file is cut off, or was written by something else.',
          '파일이 잘렸거나 다른 방식으로 쓰였습니다.',
        ),
      },
    );
  const data = partOfSource(source, h.start, bytes);
  const [rows = 1, ...rest] = h.shape;
  const each = rest.reduce((a, b) => a * b, 1);
  const strewn = h.fortran && rows > 1 && each > 1;
  if (strewn && bytes > mostFortran)
    throw new Fault(
      'unsupported',
      text(
        `an array of ${Math.round(bytes / 2 ** 20)} MB in Fortran order cannot be streamed`,
        `Fortran 순서의 ${Math.round(bytes / 2 ** 20)} MB 배열은 나누어 읽을 수 없습니다`,
      ),
      {
        where,
        hint: text(
          'Save it in C order: numpy.save(file, numpy.ascontiguousarray(array)).',
          'C 순서로 저장하세요: numpy.save(file, numpy.ascontiguousarray(array)).',
        ),
      },
    );
  let whole: Float64Array | undefined;
  const offsets = h.fortran && each > 1 ? fortranOffsets(h.shape) : undefined;
  const numeric = (): void => {
    if (h.type === 'U' || h.type === 'S')
      throw new Fault('bad-file', text('the array holds text, not numbers', '배열에 수가 아니라 문자열이 있습니다'), {
        where,
      });
  };
  return {
    where,
    type: h.type,
    width: h.width,
    shape: h.shape,
    row: (i) => {
      numeric();
      if (offsets === undefined) return numbersOf(data.read(i * each * h.width, each * h.width), h.type, each);
      whole ??= numbersOf(data.read(0, bytes), h.type, count);
      return Float64Array.from(offsets, (at) => whole?.[i + at] ?? 0);
    },
    all: () => {
      numeric();
      return numbersOf(data.read(0, bytes), h.type, count);
    },
    text: (i) => {
      const raw = data.read(i * h.width, h.width);
      if (h.type === 'S') return new TextDecoder('latin1').decode(raw).replace(/\0+$/, '');
      const v = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
      let out = '';
      for (let k = 0; k < h.width; k += 4) {
        const code = v.getUint32(k, true);
        if (code > 0 && code <= 0x10ffff) out += String.fromCodePoint(code);
      }
      return out;
    },
  };
}
