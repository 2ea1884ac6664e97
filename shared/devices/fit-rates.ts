/**
 * Owns the fit of a roofline to measured runs: a rate for each kernel class and numeric type, a bandwidth for each class, a cost a
 * kernel and a cost a run, by non-negative least squares on relative errors.
 */
import { type LayerClass, type LayerWork, layerClasses } from './layer-work.ts';
import { nonNegative } from './non-negative.ts';
import { type PeakType, peakTypes } from './profile.ts';

/** One measured model: its kernels and the milliseconds of a run. */
export interface MeasuredRun {
  readonly id: string;
  readonly layers: readonly LayerWork[];
  readonly ms: number;
}

export interface FittedRates {
  /** MACs a second, by class and type. */
  readonly rates: ReadonlyMap<LayerClass, ReadonlyMap<PeakType, number>>;
  /** Bytes a second, by class; only where kernels of the class were bound by memory. */
  readonly bandwidths: ReadonlyMap<LayerClass, number>;
  readonly launchUs: number;
  readonly runUs: number;
}

type Column = string;
const rateColumn = (l: LayerWork): Column => `rate ${l.kernel} ${l.type}`;
const bytesColumn = (l: LayerWork): Column => `bytes ${l.kernel}`;
const bytesOf = (l: LayerWork): number => (l.bytesRead ?? 0) + (l.bytesWritten ?? 0) + (l.weightBytes ?? 0);
const computes = (l: LayerWork): boolean => (l.macs ?? 0) > 0 && l.type !== 'other';

type Solution = ReadonlyMap<Column, number>;

/** Which of the two sides bounds a kernel under a solution; undefined: both count (the first round). */
type Side = (l: LayerWork) => 'compute' | 'memory' | undefined;

function solve(runs: readonly MeasuredRun[], side: Side): Solution {
  const columns = new Map<Column, number>();
  const at = (c: Column): number => {
    const known = columns.get(c);
    if (known !== undefined) return known;
    columns.set(c, columns.size);
    return columns.size - 1;
  };
  at('launch');
  at('run');
  const sparse = runs.map(({ layers, ms }) => {
    const row = new Map<number, number>();
    const add = (c: Column, amount: number): void => {
      row.set(at(c), (row.get(at(c)) ?? 0) + amount / ms);
    };
    add('run', 1);
    for (const l of layers) {
      add('launch', 1);
      const bound = side(l);
      if (computes(l) && bound !== 'memory') add(rateColumn(l), l.macs ?? 0);
      if (bound !== 'compute') add(bytesColumn(l), bytesOf(l));
    }
    return row;
  });
  const rows = sparse.map((row) => Array.from({ length: columns.size }, (_, c) => row.get(c) ?? 0));
  const x = nonNegative(
    rows,
    runs.map(() => 1),
  );
  return new Map([...columns].map(([c, k]) => [c, x[k] ?? 0]));
}

const sides = (s: Solution, l: LayerWork): readonly [compute: number, memory: number] => [
  computes(l) ? (l.macs ?? 0) * (s.get(rateColumn(l)) ?? 0) : 0,
  bytesOf(l) * (s.get(bytesColumn(l)) ?? 0),
];

/** Milliseconds of a run under a solution, by the roofline. */
function predict(s: Solution, layers: readonly LayerWork[]): number {
  const launch = s.get('launch') ?? 0;
  return layers.reduce((ms, l) => ms + Math.max(...sides(s, l)) + launch, s.get('run') ?? 0);
}

const misfit = (s: Solution, runs: readonly MeasuredRun[]): number =>
  runs.reduce((sum, r) => sum + (predict(s, r.layers) / r.ms - 1) ** 2, 0);

/**
 * The roofline that fits best. A maximum is not linear, so the sides that bound the kernels are settled in turns: solve, see which
 * side is the slower under the solution, solve with that side alone, until nothing changes; the best of all rounds is kept.
 */
function settle(runs: readonly MeasuredRun[]): Solution {
  let best = solve(runs, () => undefined);
  let least = misfit(best, runs);
  let now = best;
  let before = '';
  for (let round = 0; round < 30; round++) {
    const bound = new Map<LayerWork, 'compute' | 'memory'>();
    for (const { layers } of runs)
      for (const l of layers) {
        const [compute, memory] = sides(now, l);
        bound.set(l, !computes(l) || memory > compute ? 'memory' : 'compute');
      }
    const key = [...bound.values()].map((b) => b[0]).join('');
    if (key === before) break;
    before = key;
    const next = solve(runs, (l) => bound.get(l));
    // A side that bound nothing this time keeps what was known of it.
    now = new Map([...now, ...next]);
    const error = misfit(now, runs);
    if (error < least) [best, least] = [now, error];
  }
  return best;
}

/** At least one run. */
export function fitRates(runs: readonly MeasuredRun[]): FittedRates {
  const s = settle(runs);
  const rates = new Map<LayerClass, Map<PeakType, number>>();
  const bandwidths = new Map<LayerClass, number>();
  for (const kernel of layerClasses) {
    const byType = new Map<PeakType, number>();
    for (const type of peakTypes) {
      // Milliseconds a multiply-accumulate to multiply-accumulates a second.
      const cost = s.get(`rate ${kernel} ${type}`) ?? 0;
      if (cost > 0) byType.set(type as PeakType, 1e3 / cost);
    }
    if (byType.size > 0) rates.set(kernel, byType);
    const bytes = s.get(`bytes ${kernel}`) ?? 0;
    if (bytes > 0) bandwidths.set(kernel, 1e3 / bytes);
  }
  return { rates, bandwidths, launchUs: (s.get('launch') ?? 0) * 1e3, runUs: (s.get('run') ?? 0) * 1e3 };
}
