/** Owns the Deflate port: the general entropy coder (RFC 1951, raw) that a host supplies. */

export interface Deflate {
  deflate(bytes: Uint8Array): Uint8Array;
  /** Throws where the bytes are no deflate stream or give more than `limit` bytes. */
  inflate(bytes: Uint8Array, limit: number): Uint8Array;
}
