/** Owns reading a whole file that may be gzipped. */
import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';

/** Files of this kind are held whole; a gzip bomb stops here as well. */
const most = 2 ** 31 - 1;

const tooLarge = (path: string): Fault =>
  new Fault(
    'unsupported',
    text(
      'the file is larger than 2 GB, and this kind of file is read whole',
      '파일이 2 GB보다 큰데 이 종류는 통째로 읽습니다',
    ),
    {
      where: path,
      hint: text('Save it as NPY: that is read piece by piece.', 'NPY로 저장하세요. 나누어 읽을 수 있습니다.'),
    },
  );

/** The file's bytes, unpacked where they start as gzip. Faults: `bad-path`, `bad-file`, `unsupported` beyond 2 GB. */
export function readMaybeGzip(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > most) throw tooLarge(path);
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('bad-path', text('the file cannot be read', '파일을 읽을 수 없습니다'), { where: path, cause });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(path);
    throw new Fault('bad-file', text('the gzip data is broken or cut off', 'gzip 데이터가 깨졌거나 잘렸습니다'), {
      where: path,
      cause,
    });
  }
}
