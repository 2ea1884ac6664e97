/** Owns reading pieces of a file: small files are held in memory, large ones are read where they lie. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';

export interface ByteSource {
  /** The file, for faults. */
  readonly where: string;
  readonly size: number;
  /** Bytes from..from + length; a view of what is held or a fresh copy, not to be written to. */
  read(from: number, length: number): Uint8Array;
}

/** Up to here a file is read once and kept. */
const heldBytes = 256 * 2 ** 20;

/** Reads a piece of a file. Faults: `bad-path`, `bad-file` where it ends too early. */
function readPiece(path: string, from: number, length: number): Uint8Array {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw new Fault('bad-path', text('the file cannot be read', '파일을 읽을 수 없습니다'), { where: path, cause });
  }
  try {
    const out = new Uint8Array(length);
    for (let got = 0; got < length; ) {
      const n = readSync(file, out, got, length - got, from + got);
      if (n === 0)
        throw new Fault('bad-file', text('the file ends too early', '파일이 중간에 끝납니다'), { where: path });
      got += n;
    }
    return out;
  } finally {
    closeSync(file);
  }
}

export const bytesSource = (where: string, bytes: Uint8Array): ByteSource => ({
  where,
  size: bytes.length,
  read: (from, length) => {
    if (from + length > bytes.length)
      throw new Fault('bad-file', text('the file ends too early', '파일이 중간에 끝납니다'), { where });
    return bytes.subarray(from, from + length);
  },
});

/** The bytes of a file. Faults: `bad-path`. */
export function fileSource(path: string): ByteSource {
  let size: number;
  try {
    ({ size } = statSync(path));
  } catch (cause) {
    throw new Fault('bad-path', text('the file cannot be read', '파일을 읽을 수 없습니다'), { where: path, cause });
  }
  if (size <= heldBytes) return bytesSource(path, readPiece(path, 0, size));
  return { where: path, size, read: (from, length) => readPiece(path, from, length) };
}

/** A part of a source as a source of its own. */
export const partOfSource = (s: ByteSource, from: number, size: number, where = s.where): ByteSource => ({
  where,
  size,
  read: (at, length) => {
    if (at + length > size)
      throw new Fault('bad-file', text('the file ends too early', '파일이 중간에 끝납니다'), { where });
    return s.read(from + at, length);
  },
});
