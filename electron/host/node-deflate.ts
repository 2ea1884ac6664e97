/** Owns the Deflate port in Node: zlib. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Deflate } from '#shared/ports/deflate.ts';

const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Above this the last percent is not worth the time. */
const large = 32_000_000;

export const nodeDeflate: Deflate = {
  deflate: (bytes) => plain(deflateRawSync(bytes, { level: bytes.length > large ? 6 : 9, memLevel: 9 })),
  inflate: (bytes, limit) => plain(inflateRawSync(bytes, { maxOutputLength: Math.max(1, limit) })),
};
