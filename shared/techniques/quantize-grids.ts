/** Owns the grids of quantized values in the graph: one scale and zero point a root, shared by what passes it on, scaled, or read per channel. */
import { lazy } from '../base/lazy.ts';
import type { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { toNumbers } from '../ir/values.ts';
import { constantValue } from '../transforms/constant-values.ts';
import type { Range, Ranges } from './declare.ts';
import { activationGrid, type Grid, lazyNumbers } from './quantize-numbers.ts';
import type { QuantPlan } from './quantize-plan.ts';

/** A grid in the graph: names of its scale and zero point, and the numbers when they are known. */
export interface GridNames {
  readonly scale: string;
  readonly zeroPoint: string;
  readonly value: () => number;
  readonly zero: () => number;
}

export interface GridChoices {
  readonly symmetric: boolean;
  /** Of activations: 8, or 16, for which the CPU has no kernels (it decodes both and computes in float). */
  readonly bits: number;
}

export class ActivationGrids {
  readonly #model: Model;
  readonly #plan: QuantPlan;
  readonly #ranges: Ranges;
  readonly #how: GridChoices;
  readonly #edit: GraphEdit;
  readonly #grids = new Map<string, GridNames>();
  readonly #wide = new Map<string, Pick<GridNames, 'scale' | 'zeroPoint'>>();

  constructor(model: Model, plan: QuantPlan, ranges: Ranges, how: GridChoices, edit: GraphEdit) {
    this.#model = model;
    this.#plan = plan;
    this.#ranges = ranges;
    this.#how = how;
    this.#edit = edit;
  }

  get type(): 'uint8' | 'uint16' {
    return this.#how.bits === 16 ? 'uint16' : 'uint8';
  }

  /** The grid over a range. */
  over(range: Range, nonNegative = false): Grid {
    return activationGrid(range, this.#how.symmetric, nonNegative, 2 ** this.#how.bits - 1);
  }

  /** The grid of a value that is quantized here or was before. */
  of(value: string): GridNames {
    const planned = this.#plan.values.get(value);
    if (planned === undefined) {
      const before = graphIndex(this.#model.graph).producer.get(value);
      if (before?.op === 'DequantizeLinear') return this.#given(before.inputs[1] ?? '', before.inputs[2] ?? '');
    }
    const root = planned?.root ?? value;
    const found = this.#grids.get(root);
    if (found !== undefined) return found;
    const { scaled, nonNegative = false } = this.#plan.values.get(root) ?? {};
    const names =
      scaled === undefined
        ? this.tensors(
            root,
            lazy(() => this.over(this.#ranges(root), nonNegative)),
          )
        : this.#scaled(root, this.of(scaled.of), scaled.by);
    this.#grids.set(root, names);
    return names;
  }

  #given(scale: string, zeroPoint: string): GridNames {
    const first = (name: string, otherwise: number) => (): number => {
      const held = constantValue(this.#model.graph, name);
      return held === undefined ? otherwise : (toNumbers(held.tensor)[0] ?? otherwise);
    };
    return { scale, zeroPoint, value: first(scale, 1), zero: first(zeroPoint, 0) };
  }

  #scaled(base: string, from: GridNames, by: number): GridNames {
    const scale = this.#edit.unique(`${base}_scale`);
    const value = (): number => Math.fround(from.value() * by);
    this.#edit.setInitializer(lazyNumbers(scale, 'float', [], () => [value()]));
    return { ...from, scale, value };
  }

  /** A grid written under names made from `base`. */
  tensors(base: string, grid: () => Grid): GridNames {
    const scale = this.#edit.unique(`${base}_scale`);
    const zeroPoint = this.#edit.unique(`${base}_zero_point`);
    this.#edit.setInitializer(lazyNumbers(scale, 'float', [], () => [grid().scale]));
    this.#edit.setInitializer(lazyNumbers(zeroPoint, this.type, [], () => [grid().zeroPoint]));
    return { scale, zeroPoint, value: () => grid().scale, zero: () => grid().zeroPoint };
  }

  /** The same grid said once for each channel. */
  perChannel(value: string, channels: number): Pick<GridNames, 'scale' | 'zeroPoint'> {
    const root = this.#plan.values.get(value)?.root ?? value;
    const key = `${channels} ${root}`;
    const found = this.#wide.get(key);
    if (found !== undefined) return found;
    const grid = this.of(value);
    const scale = this.#edit.unique(`${root}_scale_channels`);
    const zeroPoint = this.#edit.unique(`${root}_zero_point_channels`);
    this.#edit.setInitializer(lazyNumbers(scale, 'float', [channels], () => Array(channels).fill(grid.value())));
    this.#edit.setInitializer(lazyNumbers(zeroPoint, this.type, [channels], () => Array(channels).fill(grid.zero())));
    const names = { scale, zeroPoint };
    this.#wide.set(key, names);
    return names;
  }
}
