/** Owns writing a WebAssembly module as bytes: numbers as LEB128, instructions by name, sections (WebAssembly 2.0, SIMD). */

export type Code = readonly number[];

export const uleb = (value: number): number[] => {
  const out: number[] = [];
  let left = value;
  do {
    out.push((left & 127) | (left > 127 ? 128 : 0));
    left >>>= 7;
  } while (left > 0);
  return out;
};

export const sleb = (value: number): number[] => {
  const out: number[] = [];
  let left = value;
  for (;;) {
    const low = left & 127;
    left >>= 7;
    if ((left === 0 && (low & 64) === 0) || (left === -1 && (low & 64) !== 0)) return [...out, low];
    out.push(low | 128);
  }
};

export const type = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;

/** Instructions that the kernels use. Memory is aligned to 16 bytes for v128, to 4 for i32 and f32. */
export const wasm = {
  get: (local: number): Code => [0x20, ...uleb(local)],
  set: (local: number): Code => [0x21, ...uleb(local)],
  tee: (local: number): Code => [0x22, ...uleb(local)],
  i32: (value: number): Code => [0x41, ...sleb(value)],
  add: [0x6a] as Code,
  sub: [0x6b] as Code,
  mul: [0x6c] as Code,
  shl: [0x74] as Code,
  lessThan: [0x48] as Code,
  lessThanUnsigned: [0x49] as Code,
  storeI32: (offset: number): Code => [0x36, 2, ...uleb(offset)],
  storeF32: (offset: number): Code => [0x38, 2, ...uleb(offset)],
  addF32: [0x92] as Code,
  load: (offset: number): Code => [0xfd, 0x00, 4, ...uleb(offset)],
  zero: [0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] as Code,
  xor: [0xfd, 0x51] as Code,
  /** Ones in each byte. */
  popcount: [0xfd, 0x62] as Code,
  /** Neighbouring bytes added into 16 bits, and those into 32. */
  pairs8: [0xfd, 0x7d] as Code,
  pairs16: [0xfd, 0x7f] as Code,
  add16: [0xfd, 0x8e, 0x01] as Code,
  addF: [0xfd, 0xe4, 0x01] as Code,
  mulF: [0xfd, 0xe6, 0x01] as Code,
  laneI: (lane: number): Code => [0xfd, 0x1b, lane],
  laneF: (lane: number): Code => [0xfd, 0x1f, lane],
  /** Runs `body` again while the i32 that it leaves is not 0. */
  loop: (body: Code): Code => [0x03, 0x40, ...body, 0x0d, 0, 0x0b],
} as const;

const vector = (items: readonly Code[]): number[] => [...uleb(items.length), ...items.flat()];
const section = (id: number, body: Code): number[] => [id, ...uleb(body.length), ...body];
const named = (text: string): number[] => [...uleb(text.length), ...Array.from(text, (c) => c.charCodeAt(0))];

export interface WasmFunction {
  readonly name: string;
  /** Number of i32 parameters; nothing is returned. */
  readonly parameters: number;
  /** Types of the locals behind the parameters. */
  readonly locals: readonly number[];
  readonly body: Code;
}

/** A module that exports its memory ("memory", of `pages` of 64 kB at first) and these functions. */
export function wasmModule(functions: readonly WasmFunction[], pages: number): Uint8Array {
  const types = functions.map((f) => [0x60, ...vector(Array.from({ length: f.parameters }, () => [type.i32])), 0]);
  const bodies = functions.map((f) => {
    const body = [...vector(f.locals.map((t) => [1, t])), ...f.body, 0x0b];
    return [...uleb(body.length), ...body];
  });
  const exported = [[...named('memory'), 2, 0], ...functions.map((f, k) => [...named(f.name), 0, ...uleb(k)])];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(3, vector(functions.map((_, k) => uleb(k)))),
    ...section(5, vector([[0, ...uleb(pages)]])),
    ...section(7, vector(exported)),
    ...section(10, vector(bodies)),
  ]);
}
