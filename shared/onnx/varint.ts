/** Owns how many bytes numbers take on the wire. */

/** Bytes of a protobuf varint; a negative number takes ten, as int32 and int64 are written sign-extended. */
export function varintLength(value: number | bigint): number {
  if (value < 0) return 10;
  if (typeof value === 'bigint') {
    let n = 1;
    for (let v = value >> 7n; v > 0n; v >>= 7n) n++;
    return n;
  }
  let n = 1;
  for (let v = value; v >= 128; v = Math.floor(v / 128)) n++;
  return n;
}

/** Bytes of a length-delimited field: tag, length, payload. */
export const delimitedLength = (fieldNumber: number, payload: number): number =>
  varintLength(fieldNumber * 8) + varintLength(payload) + payload;
