/** Owns reading a whole file that may be gzipped. */
import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Fault } from '#shared/base/fault.ts';

/** Files of this kind are held whole; a gzip bomb stops here as well. */
const most = 2 ** 31 - 1;

const tooLarge = (path: string): Fault =>
  new Fault('unsupported', 'the file is larger than 2 GB, and this kind of file is read whole', {
    where: path,
    hint: 'Save it as NPY: that is read piece by piece.',
  });

/** The file's bytes, unpacked where they start as gzip. Faults: `bad-path`, `bad-file`, `unsupported` beyond 2 GB. */
export function readMaybeGzip(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > most) throw tooLarge(path);
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('bad-path', 'the file cannot be read', { where: path, cause });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(path);
    throw new Fault('bad-file', 'the gzip data is broken or cut off', { where: path, cause });
  }
}
