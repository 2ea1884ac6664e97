/**
 * Owns the archive that `pack` writes: an ONNX file whose tensors are entropy-coded one by one, the rest deflated. It restores
 * the file bit for bit. Layout, numbers as LEB128:
 *   "BTPK" · version · file length · CRC-32 of the file · count of parts
 *   each part: bytes since the last · length · payload length · payload
 *   the rest: coding (0 as it is, 1 deflate) · payload length · payload
 */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import type { Deflate } from '../ports/deflate.ts';
import { crc32, damaged, Reader, Writer } from './bytes.ts';
import { type Coder, decodePart, encodePart, inflate } from './coders.ts';
import { partsOf } from './parts.ts';

const magic = [0x42, 0x54, 0x50, 0x4b] as const;
const version = 1;
/** So many bytes at most stand behind one of the archive, as in deflate: a small archive cannot fill a memory. */
const widest = 1032;
const largestFile = 2 ** 31;

export interface PackedPart {
  readonly name: string;
  readonly type: string;
  readonly plainBytes: number;
  readonly codedBytes: number;
  readonly coder: Coder;
}

export interface Packed {
  readonly bytes: Uint8Array;
  readonly fileBytes: number;
  /** Tensors that are coded one by one, in the order of the file. */
  readonly parts: readonly PackedPart[];
  /** Graph, names, small tensors: all that is not in `parts`. */
  readonly rest: { readonly plainBytes: number; readonly codedBytes: number };
}

/**
 * Packs a file. `model` is what was read from these very bytes (its tensors are views of them); left out, the file is deflated
 * whole. Faults `unsupported` where the model keeps its weights in other files.
 */
export function pack(file: Uint8Array, model: Model | undefined, deflate: Deflate): Packed {
  const found = model === undefined ? [] : partsOf(file, model);
  const coded = found.flatMap((p) => {
    const { coder, payload } = encodePart(file.subarray(p.offset, p.offset + p.length), p.unit, deflate);
    // What only deflate or nothing shortens does as well among the rest.
    return coder === 'raw' ? [] : [{ ...p, coder, payload }];
  });
  const out = new Writer();
  for (const b of magic) out.byte(b);
  out.byte(version);
  out.varint(file.length);
  const crc = crc32(file);
  for (let k = 0; k < 4; k++) out.byte((crc >>> (8 * k)) & 255);
  out.varint(coded.length);
  const rest = new Uint8Array(file.length - coded.reduce((n, p) => n + p.length, 0));
  let from = 0;
  let to = 0;
  for (const p of coded) {
    rest.set(file.subarray(from, p.offset), to);
    to += p.offset - from;
    out.varint(p.offset - from);
    out.varint(p.length);
    out.varint(p.payload.length);
    out.bytes(p.payload);
    from = p.offset + p.length;
  }
  rest.set(file.subarray(from), to);
  const deflated = deflate.deflate(rest);
  const asItIs = deflated.length >= rest.length;
  const payload = asItIs ? rest : deflated;
  out.byte(asItIs ? 0 : 1);
  out.varint(payload.length);
  out.bytes(payload);
  const bytes = out.done();
  // A model of one repeated number: deflate alone stays within what a reader believes.
  if (file.length > bytes.length * widest && coded.length > 0) return pack(file, undefined, deflate);
  return {
    bytes,
    fileBytes: file.length,
    parts: coded.map((p) => ({
      name: p.name,
      type: p.type,
      plainBytes: p.length,
      codedBytes: p.payload.length,
      coder: p.coder,
    })),
    rest: { plainBytes: rest.length, codedBytes: payload.length },
  };
}

/** True where bytes begin as an archive does. */
export const isArchive = (bytes: Uint8Array): boolean => magic.every((b, k) => bytes[k] === b);

/**
 * The file that an archive holds, bit for bit. Reads nothing beyond its bytes and makes no more than they can stand for.
 * Faults `bad-file` (no archive, damaged), `unsupported` (a newer version).
 */
export function unpack(archive: Uint8Array, deflate: Deflate): Uint8Array {
  if (!isArchive(archive))
    throw new Fault('bad-file', text('this is no archive', '아카이브가 아닙니다'), {
      hint: text('Give a file that "pack" wrote.', '"pack"이 쓴 파일을 주세요.'),
    });
  const input = new Reader(archive.subarray(magic.length));
  const found = input.byte();
  if (found !== version)
    throw new Fault(
      'unsupported',
      text(
        `the archive has version ${found}, this program reads ${version}`,
        `아카이브 버전은 ${found}인데 이 프로그램은 ${version}까지 읽습니다`,
      ),
      {
        hint: text('Use the newest version of Bantam.', '최신 Bantam을 쓰세요.'),
      },
    );
  const length = input.varint(Math.min(largestFile, archive.length * widest));
  const crc = [0, 8, 16, 24].reduce((n, place) => (n | (input.byte() << place)) >>> 0, 0);
  const parts: { readonly since: number; readonly bytes: Uint8Array }[] = [];
  let left = length;
  for (let count = input.varint(archive.length); count > 0; count--) {
    const since = input.varint(left);
    const size = input.varint(left - since);
    left -= since + size;
    parts.push({ since, bytes: decodePart(input.bytes(input.varint(input.left)), size, deflate) });
  }
  const restLength = length - parts.reduce((n, p) => n + p.bytes.length, 0);
  const how = input.byte();
  const payload = input.bytes(input.varint(input.left));
  if (how > 1) throw damaged(text('a rest of a kind that is not known', '나머지의 종류를 알 수 없습니다'));
  const rest = how === 0 ? payload : inflate(deflate, payload, restLength);
  if (rest.length !== restLength)
    throw damaged(text('its rest is not as long as it says', '나머지의 길이가 적힌 것과 다릅니다'));
  if (input.left > 0) throw damaged(text('bytes after its end', '끝난 뒤에 바이트가 더 있습니다'));
  const out = new Uint8Array(length);
  let from = 0;
  let to = 0;
  for (const p of parts) {
    out.set(rest.subarray(from, from + p.since), to);
    from += p.since;
    to += p.since;
    out.set(p.bytes, to);
    to += p.bytes.length;
  }
  out.set(rest.subarray(from), to);
  if (crc32(out) !== crc) throw damaged(text('its checksum does not agree', '체크섬이 맞지 않습니다'));
  return out;
}
