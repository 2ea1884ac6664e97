/** Owns how samples are told apart into train, validation and test: stratified by label, fixed by a seed. */
import { rng } from '#shared/base/random.ts';
import type { Split } from '#shared/ports/dataset.ts';

export type SplitIndices = Readonly<Record<Split, readonly number[]>>;

/** The seed of every split that Bantam makes: results of different days stay comparable. */
export const splitSeed = 7;

/** How many of each class go to each part, so that each part has its exact size (largest remainders). */
function quotas(sizes: readonly number[], wanted: number): number[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  const exact = sizes.map((s) => (total === 0 ? 0 : (s * wanted) / total));
  const out = exact.map(Math.floor);
  const short = wanted - out.reduce((a, b) => a + b, 0);
  const byRest = exact.map((e, i) => ({ i, rest: e - Math.floor(e) })).sort((a, b) => b.rest - a.rest || a.i - b.i);
  for (const { i } of byRest.slice(0, short)) out[i] = (out[i] ?? 0) + 1;
  return out;
}

/**
 * Splits `indices` into parts of the given sizes (their sum at most the number of indices), each with the classes in the
 * proportion of the whole, each shuffled. Without labels everything is one class.
 */
export function stratify(
  indices: readonly number[],
  labels: ArrayLike<number> | null,
  sizes: readonly number[],
  seed = splitSeed,
): readonly (readonly number[])[] {
  const random = rng(seed).fork('split');
  const classes = new Map<number, number[]>();
  for (const i of indices) {
    const label = labels?.[i] ?? 0;
    const list = classes.get(label);
    if (list === undefined) classes.set(label, [i]);
    else list.push(i);
  }
  let left = [...classes.entries()].sort((a, b) => a[0] - b[0]).map(([, list]) => random.shuffle(list));
  return sizes.map((size) => {
    const take = quotas(
      left.map((l) => l.length),
      size,
    );
    const part = left.flatMap((l, k) => l.slice(0, take[k]));
    left = left.map((l, k) => l.slice(take[k]));
    return random.shuffle(part);
  });
}

const all = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

export const shareRule = `70 % train, 10 % validation, 20 % test, stratified, seed ${splitSeed}`;

/** 70 / 10 / 20 of all samples. */
export function shareSplit(labels: ArrayLike<number> | null, count: number): SplitIndices {
  const test = Math.round(count * 0.2);
  const validation = Math.round(count * 0.1);
  const [a = [], b = [], c = []] = stratify(all(count), labels, [count - test - validation, validation, test]);
  return { train: a, validation: b, test: c };
}

export const heldOutRule = `the data's own test part; a tenth of the rest validates, stratified, seed ${splitSeed}`;

/** The first `training` samples are split 90 / 10, the rest is the data's own test part, in its order. */
export function heldOutSplit(labels: ArrayLike<number> | null, training: number, count: number): SplitIndices {
  const validation = Math.round(training * 0.1);
  const [a = [], b = []] = stratify(all(training), labels, [training - validation, validation]);
  return { train: a, validation: b, test: all(count).slice(training) };
}

export interface Parts {
  readonly train: number;
  /** 0 where the data has none of its own. */
  readonly validation: number;
  readonly test: number;
}

/**
 * Splits of data that comes in parts, its samples in the order train, validation, test. A validation part without a test part
 * is held out as the test: nothing is ever chosen on it.
 */
export function partsSplit(
  labels: ArrayLike<number> | null,
  { train, validation, test }: Parts,
): { readonly splits: SplitIndices; readonly rule: string } {
  const count = train + validation + test;
  if (validation + test === 0) return { splits: shareSplit(labels, count), rule: shareRule };
  if (validation === 0 || test === 0) {
    const only = validation > 0 ? "the data's own validation part tests" : "the data's own test part";
    const rule = `${only}; a tenth of the rest validates, stratified, seed ${splitSeed}`;
    return { splits: heldOutSplit(labels, train, count), rule };
  }
  const [shuffled = []] = stratify(all(train), labels, [train]);
  const splits = {
    train: shuffled,
    validation: all(train + validation).slice(train),
    test: all(count).slice(train + validation),
  };
  return { splits, rule: "the data's own train, validation and test parts" };
}
