/** Owns reading a file that may be gzipped. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Fault } from '#shared/base/fault.ts';

/** The file's bytes, unpacked where they start as gzip. Faults: `bad-path`, `bad-file`. */
export function readMaybeGzip(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new Fault('bad-path', 'the file cannot be read', { where: path, cause });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new Fault('bad-file', 'the gzip data is broken or cut off', { where: path, cause });
  }
}
