/** Owns reading and writing the archive's bytes and bits; every read is checked against the end. */
import { Fault } from '../base/fault.ts';
import { type Said, text, textAround } from '../base/text.ts';

/** The fault of an archive that does not hold what it says. */
export const damaged = (what: Said): Fault =>
  new Fault(
    'bad-file',
    textAround(
      what,
      (w) => `the archive is damaged: ${w}`,
      (w) => `아카이브가 손상되었습니다: ${w}`,
    ),
    { hint: text('Copy or download it again.', '다시 복사하거나 내려받으세요.') },
  );

/** Grows as it is written. Bits go lowest first and are filled up to a byte by `flush`. */
export class Writer {
  #bytes = new Uint8Array(1024);
  #length = 0;
  #bits = 0;
  #held = 0;

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const wider = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    wider.set(this.#bytes);
    this.#bytes = wider;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** LEB128; exact up to 2^53. */
  varint(value: number): void {
    let left = value;
    while (left > 127) {
      this.byte((left % 128) | 128);
      left = Math.floor(left / 128);
    }
    this.byte(left);
  }

  bytes(values: Uint8Array): void {
    this.#room(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** The lowest `count` (at most 16) bits of `value`. */
  bits(value: number, count: number): void {
    this.#held |= value << this.#bits;
    this.#bits += count;
    while (this.#bits >= 8) {
      this.byte(this.#held & 255);
      this.#held >>>= 8;
      this.#bits -= 8;
    }
  }

  flush(): void {
    if (this.#bits > 0) this.byte(this.#held & 255);
    this.#bits = 0;
    this.#held = 0;
  }

  done(): Uint8Array {
    this.flush();
    return this.#bytes.slice(0, this.#length);
  }
}

export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #bits = 0;
  #held = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const b = this.#bytes[this.#at++];
    if (b === undefined) throw damaged(text('it ends early', '중간에 끝납니다'));
    return b;
  }

  /** At most `limit`; anything longer than a length can be is refused. */
  varint(limit: number): number {
    let value = 0;
    let place = 1;
    for (let k = 0; k < 8; k++) {
      const b = this.byte();
      value += (b & 127) * place;
      if (b < 128) {
        if (value > limit)
          throw damaged(
            text(`a length of ${value} where ${limit} is the most`, `길이가 ${value}인데 ${limit}까지만 됩니다`),
          );
        return value;
      }
      place *= 128;
    }
    throw damaged(text('a number without end', '끝나지 않는 수가 있습니다'));
  }

  /** A view of the next bytes. */
  bytes(count: number): Uint8Array {
    if (count > this.left) throw damaged(text('it ends early', '중간에 끝납니다'));
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  bit(): number {
    if (this.#bits === 0) {
      this.#held = this.byte();
      this.#bits = 8;
    }
    const bit = this.#held & 1;
    this.#held >>>= 1;
    this.#bits--;
    return bit;
  }

  bits(count: number): number {
    let value = 0;
    for (let k = 0; k < count; k++) value |= this.bit() << k;
    return value;
  }

  /** Goes on at the next whole byte. */
  align(): void {
    this.#bits = 0;
  }
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/** CRC-32 as in gzip and PNG (ISO 3309). */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) c = (table[(c ^ b) & 255] ?? 0) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
