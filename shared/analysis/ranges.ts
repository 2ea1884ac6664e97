/** Owns what calibration is asked for and what it gives: the ranges of values. */
import type { Model } from '../ir/model.ts';

export interface CalibrationRequest {
  /** The model to observe; the one that enters the step by default. */
  readonly model?: Model;
  readonly values: readonly string[];
  readonly method: 'min-max' | 'percentile' | 'entropy' | 'mse';
  /** Number of samples to run. */
  readonly samples: number;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Ranges by value name; asked only when tensors are baked, so a preview never needs them. */
export type Ranges = (value: string) => Range;
