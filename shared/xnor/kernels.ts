/**
 * Owns the two convolutions as WebAssembly: by XNOR and popcount on packed signs (Rastegari et al. 2016, section 3.2), and its
 * float twin, the same loops on floats. Both are "valid" convolutions of stride 1 on channels-last data:
 *   data    [height][width][blocks] of 16 bytes: 128 signs, or 4 floats, of the channels
 *   weights [filters / 4][k][k][blocks][4] of 16 bytes: four filters side by side
 *   out     [height - k + 1][width - k + 1][filters], i32 or f32
 */
import { type Code, type, type WasmFunction, wasm, wasmModule } from './wasm-bytes.ts';

const parameters = {
  data: 0,
  weights: 1,
  out: 2,
  /** Of the result. */
  height: 3,
  width: 4,
  /** Bytes from a row of the data to the next, and from a place to the next. */
  row: 5,
  place: 6,
  k: 7,
  /** Groups of four filters. */
  groups: 8,
  /** Signs in one filter, those that fill up the last block left out; unused by the float twin. */
  signs: 9,
} as const;
const p = parameters;
/** i32 locals, then four v128 sums. */
const local = { y: 10, x: 11, corner: 12, line: 13, at: 14, end: 15, weight: 16, group: 17, dy: 18, sum: 19 } as const;

const { get, set, tee, i32, add, sub, mul, shl, lessThan, lessThanUnsigned, load, loop } = wasm;

/** counter++ and whether it is still below the limit. */
const next = (counter: number, limit: number): Code => [
  ...get(counter),
  ...i32(1),
  ...add,
  ...tee(counter),
  ...get(limit),
  ...lessThan,
];
const advance = (pointer: number, bytes: number): Code => [...get(pointer), ...i32(bytes), ...add, ...set(pointer)];

/** One 16-byte block of data against those of four filters: `step` leaves the new sum. */
const block = (step: (sum: number, lane: number) => Code): Code => [
  ...[0, 1, 2, 3].flatMap((lane) => [...step(local.sum + lane, lane), ...set(local.sum + lane)]),
  ...advance(local.weight, 64),
  ...advance(local.at, 16),
  ...get(local.at),
  ...get(local.end),
  ...lessThanUnsigned,
];

/** The loops around; `step` adds a block, `store` writes the sum of one filter. */
function convolution(
  name: string,
  step: (sum: number, lane: number) => Code,
  store: (sum: number, lane: number) => Code,
): WasmFunction {
  const alongRow: Code = [
    ...get(local.line),
    ...tee(local.at),
    ...get(p.k),
    ...get(p.place),
    ...mul,
    ...add,
    ...set(local.end),
    ...loop(block(step)),
    ...get(local.line),
    ...get(p.row),
    ...add,
    ...set(local.line),
    ...next(local.dy, p.k),
  ];
  const fourFilters: Code = [
    ...[0, 1, 2, 3].flatMap((lane) => [...wasm.zero, ...set(local.sum + lane)]),
    ...get(local.corner),
    ...set(local.line),
    ...i32(0),
    ...set(local.dy),
    ...loop(alongRow),
    ...[0, 1, 2, 3].flatMap((lane) => store(local.sum + lane, lane)),
    ...advance(p.out, 16),
    ...next(local.group, p.groups),
  ];
  const place: Code = [
    ...get(p.weights),
    ...set(local.weight),
    ...i32(0),
    ...set(local.group),
    ...loop(fourFilters),
    ...get(local.corner),
    ...get(p.place),
    ...add,
    ...set(local.corner),
    ...next(local.x, p.width),
  ];
  const rows: Code = [
    ...get(p.data),
    ...get(local.y),
    ...get(p.row),
    ...mul,
    ...add,
    ...set(local.corner),
    ...i32(0),
    ...set(local.x),
    ...loop(place),
    ...next(local.y, p.height),
  ];
  const locals = [...new Array<number>(9).fill(type.i32), ...new Array<number>(4).fill(type.v128)];
  return { name, parameters: 10, locals, body: loop(rows) };
}

/** Differing signs of a block, as eight sums of 16 bits: at most 16 a block in each. */
const countDifferences = (sum: number, lane: number): Code => [
  ...get(sum),
  ...get(local.at),
  ...load(0),
  ...get(local.weight),
  ...load(16 * lane),
  ...wasm.xor,
  ...wasm.popcount,
  ...wasm.pairs8,
  ...wasm.add16,
];

/** signs - 2 x differences: the product of two rows of +1 and -1. */
const storeProduct = (sum: number, lane: number): Code => [
  ...get(p.out),
  ...get(p.signs),
  ...get(sum),
  ...wasm.pairs16,
  ...tee(sum),
  ...wasm.laneI(0),
  ...[1, 2, 3].flatMap((k) => [...get(sum), ...wasm.laneI(k), ...add]),
  ...i32(1),
  ...shl,
  ...sub,
  ...wasm.storeI32(4 * lane),
];

const multiplyAdd = (sum: number, lane: number): Code => [
  ...get(sum),
  ...get(local.at),
  ...load(0),
  ...get(local.weight),
  ...load(16 * lane),
  ...wasm.mulF,
  ...wasm.addF,
];

const storeSum = (sum: number, lane: number): Code => [
  ...get(p.out),
  ...get(sum),
  ...wasm.laneF(0),
  ...[1, 2, 3].flatMap((k) => [...get(sum), ...wasm.laneF(k), ...wasm.addF32]),
  ...wasm.storeF32(4 * lane),
];

/** 16-bit sums hold so many blocks of a filter. */
export const largestFilter = 4095;

/** The module: exports `memory`, `xnor` and `float`, both with the parameters above, in their order. */
export const xnorModule = (): Uint8Array =>
  wasmModule([convolution('xnor', countDifferences, storeProduct), convolution('float', multiplyAdd, storeSum)], 1);
