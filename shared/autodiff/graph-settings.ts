/** Owns what a training graph is asked for, and what it is. */
import type { Model } from '../ir/model.ts';
import type { HintTarget } from './hints.ts';
import type { LossKind, SoftLoss } from './losses.ts';
import type { OptimizerSettings } from './optimizers.ts';
import type { Penalty } from './penalty.ts';
import type { Carried, OutputEnd } from './trained-part.ts';

export interface GraphSettings extends OptimizerSettings {
  readonly batch: number;
  readonly loss: LossKind;
  /** Normalise by the batch's own statistics and learn the running ones; else they stay as they are. */
  readonly batchStatistics: boolean;
  /** Output to train; the first by default. */
  readonly output?: string;
  /** Ids of the nodes whose parameters are learnt; all by default. The others, and their running statistics, stay. */
  readonly layers?: ReadonlySet<string>;
  /** Of those, the stored tensors that learn, by name; all by default. */
  readonly parameters?: ReadonlySet<string>;
  /** A further input `soft` of what teachers answer; `share` of the loss is theirs, the rest that of `target`. */
  readonly soft?: SoftLoss & { readonly share: number };
  /** Further inputs, one a hint: the teacher's values. */
  readonly hints?: readonly HintTarget[];
  /** A further input `rows` [batch, 1]: how often each row counts in losses that cannot read it off their target. */
  readonly rowWeights?: boolean;
  /** Largest norm of all gradients together. */
  readonly clipNorm?: number;
  /** Parameters whose mask is fed, not stored. */
  readonly masks?: ReadonlySet<string>;
  readonly penalty?: Penalty;
  /** Of the regressors' first weights. */
  readonly seed?: number;
}

/** A mask that is fed: 1 stays, 0 is zero. */
export interface FedMask {
  readonly parameter: string;
  readonly input: string;
  readonly dims: readonly number[];
  /** As the values came: zeros are masked. */
  readonly initial: Float32Array;
}

export interface TrainingGraph {
  /**
   * One step. Further inputs: the data, `target`, `rate`, `step`, those that the settings ask for. Outputs: `loss` and every
   * `output` of `carried`.
   */
  readonly step: Model;
  /** Scores alone, [batch, classes], from the data and the learnt values. */
  readonly forward: Model;
  /** Scores and `loss` (without penalty) from what `step` is fed, running statistics in place of the batch's. */
  readonly judge: Model;
  readonly carried: readonly Carried[];
  /** Names of the carried tensors that stand in the model: weights and running statistics. */
  readonly learnt: readonly string[];
  /** Names of the carried tensors that belong to the penalty, as it listed them. */
  readonly own: readonly string[];
  readonly masks: readonly FedMask[];
  readonly names: {
    readonly data: string;
    readonly target: string;
    readonly rate: string;
    readonly step: string;
    readonly loss: string;
    readonly scores: string;
    readonly soft: string;
    readonly rows: string;
    readonly share: string;
    /** One input a hint. */
    readonly hints: readonly string[];
  };
  /** Scores per sample. */
  readonly classes: number;
  /** How the trained output ends; scores stand before a closing softmax or sigmoid (but for the mean squared error). */
  readonly end: OutputEnd;
}

export type Names = TrainingGraph['names'];
