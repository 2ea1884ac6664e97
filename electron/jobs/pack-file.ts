/** Owns packing and unpacking of files on disk. */
import { readFileSync, statSync } from 'node:fs';
import { type Packed, pack, unpack } from '#shared/archive/archive.ts';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { externalLayout } from '#shared/onnx/external.ts';
import { readModel } from '#shared/onnx/read.ts';
import { nodeDeflate } from '../host/node-deflate.ts';

/** Above this an archive would have to be made piece by piece. */
const largest = 2 ** 31 - 1;

function bytesAt(path: string): Uint8Array {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined)
    throw new Fault('bad-path', text('this file does not exist', '이 파일은 없습니다'), { where: path });
  if (!info.isFile()) throw new Fault('bad-path', text('this is no file', '파일이 아닙니다'), { where: path });
  if (info.size > largest)
    throw new Fault(
      'unsupported',
      text('only files up to 2 GB can be packed', '2 GB까지의 파일만 압축할 수 있습니다'),
      { where: path },
    );
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
    throw new Fault(
      'unsupported',
      text('the model keeps its weights in another file', '모델의 가중치가 다른 파일에 있습니다'),
      {
        where: path,
        hint: text(
          'Write it as one file first: apply a recipe without steps.',
          '먼저 단계 없는 레시피를 적용해 한 파일로 저장하세요.',
        ),
      },
    );
  const packed = pack(file, model, nodeDeflate);
  if (Buffer.compare(unpack(packed.bytes, nodeDeflate), file) !== 0)
    throw new Fault(
      'internal',
      text('the archive does not give the file back', '아카이브에서 파일이 그대로 나오지 않습니다'),
      { where: path },
    );
  return packed;
}

/** The file that an archive holds. Faults: `bad-path`, `bad-file`, `unsupported`. */
export const unpackFile = (path: string): Uint8Array => unpack(bytesAt(path), nodeDeflate);
