/** Owns packing and unpacking of files on disk. */
import { readFileSync, statSync } from 'node:fs';
import { type Packed, pack, unpack } from '#shared/archive/archive.ts';
import { Fault } from '#shared/base/fault.ts';
import { externalLayout } from '#shared/onnx/external.ts';
import { readModel } from '#shared/onnx/read.ts';
import { nodeDeflate } from '../host/node-deflate.ts';

/** Above this an archive would have to be made piece by piece. */
const largest = 2 ** 31 - 1;

function bytesAt(path: string): Uint8Array {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) throw new Fault('bad-path', 'this file does not exist', { where: path });
  if (!info.isFile()) throw new Fault('bad-path', 'this is no file', { where: path });
  if (info.size > largest) throw new Fault('unsupported', 'only files up to 2 GB can be packed', { where: path });
  const buffer = readFileSync(path);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * The archive of a model file, read back and compared before it is handed out. Faults: `bad-path`, `bad-file`, `unsupported` where
 * the model keeps weights in other files.
 */
export function packFile(path: string): Packed {
  const file = bytesAt(path);
  const model = readModel(file);
  if (externalLayout(model).tensors.length > 0)
    throw new Fault('unsupported', 'the model keeps its weights in another file', {
      where: path,
      hint: 'Write it as one file first: apply a recipe without steps.',
    });
  const packed = pack(file, model, nodeDeflate);
  if (Buffer.compare(unpack(packed.bytes, nodeDeflate), file) !== 0)
    throw new Fault('internal', 'the archive does not give the file back', { where: path });
  return packed;
}

/** The file that an archive holds. Faults: `bad-path`, `bad-file`, `unsupported`. */
export const unpackFile = (path: string): Uint8Array => unpack(bytesAt(path), nodeDeflate);
