/**
 * Owns what a factorisation of one layer is: the layers that take its place as stages, what they cost at each rank, and how much of
 * the weight they keep. Costs follow from shapes; values are computed when asked.
 */
import type { Attribute, Node } from '../ir/model.ts';

/** One of the layers in the original's place, in order; the last one gets bias, alpha and beta. */
export interface Stage {
  readonly op: 'Conv' | 'MatMul' | 'Gemm';
  readonly attributes: readonly Attribute[];
  readonly dims: readonly number[];
  readonly values: () => ArrayLike<number>;
}

/** A linear layer with its weight as numbers. */
export interface LinearWeight {
  readonly node: Node;
  readonly dims: readonly number[];
  readonly values: () => Float64Array;
}

export interface FactorForm {
  /** 'svd', 'channel' ...: shown beside the rank. */
  readonly name: string;
  readonly full: { readonly weights: number; readonly macs: number | null };
  readonly maxRank: number;
  readonly cost: (rank: number) => { readonly weights: number; readonly macs: number | null };
  /** Share of the weight's energy (sum of squares) kept at a rank, or a lower bound of it; undefined where only a fit tells. */
  readonly kept?: (rank: number) => number;
  /** Relative error of the weight at a rank, Frobenius. */
  readonly error: (rank: number) => number;
  readonly words: (rank: number) => string;
  readonly stages: (rank: number) => readonly Stage[];
}

/** The largest rank within both limits that costs less than the layer itself; 1 where only that does; undefined where none. */
export function rankWithin(form: FactorForm, weights: number, macs: number | null): number | undefined {
  const cheaper = (rank: number): boolean => {
    const cost = form.cost(rank);
    const lighter = cost.weights < form.full.weights;
    return lighter && (cost.macs === null || form.full.macs === null || cost.macs <= form.full.macs);
  };
  const within = (rank: number): boolean => {
    const cost = form.cost(rank);
    return cheaper(rank) && cost.weights <= weights && (macs === null || cost.macs === null || cost.macs <= macs);
  };
  if (form.maxRank < 1 || !cheaper(1)) return undefined;
  let [low, high] = [1, form.maxRank];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (within(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The smallest rank that keeps a share of the energy; undefined where it would cost no less than the layer. */
export function rankKeeping(form: FactorForm, share: number): number | undefined {
  const top = rankWithin(form, form.full.weights, null);
  const { kept } = form;
  if (top === undefined || kept === undefined) return undefined;
  // A single-precision weight of low rank has noise in its last bits.
  const enough = share - 1e-11;
  if (kept(top) < enough) return undefined;
  let [low, high] = [1, top];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (kept(middle) >= enough) high = middle;
    else low = middle + 1;
  }
  return low;
}
