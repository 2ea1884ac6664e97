/**
 * Owns what a step may ask of samples beside ranges, and what it gets: statistics per channel, rows of a layer's inputs and
 * outputs, gradients (Taylor), and trials of candidate models. Asked as data; who runs it is the host.
 */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';

/** The indices along one axis of a value, each a channel. */
export interface ChannelAxis {
  readonly value: string;
  readonly axis: number;
}

/** Rows of a Conv, Gemm or MatMul with a constant weight: what enters one output position, and what leaves it. */
export interface RowsRequest {
  /** Node id. */
  readonly node: string;
  /** How many rows, over all samples; positions are drawn by seed, the same ones in every model with that node. */
  readonly rows: number;
  /** Drawn at the places of this node of another model, whose output has the same size; by default at its own. */
  readonly as?: string;
}

export interface TaylorRequest {
  /** Values of stored float tensors (initializers or Constants) whose gradients are wanted. */
  readonly parameters?: readonly string[];
  /** Activations; the leading axis is the batch. */
  readonly channels?: readonly ChannelAxis[];
}

/** A candidate that is judged against the model that enters the step. */
export interface Trial {
  readonly key: string;
  readonly model: () => Model;
}

export interface EvidenceRequest {
  /** How many samples: of the training split; for trials of the validation split, where there is one. */
  readonly samples: number;
  /** The model to observe; the one that enters the step by default. */
  readonly model?: Model;
  readonly channels?: readonly ChannelAxis[];
  readonly rows?: readonly RowsRequest[];
  readonly taylor?: TaylorRequest;
  readonly trials?: readonly Trial[];
}

/** Moments per channel over all samples and positions. */
export interface ChannelStatistics {
  readonly mean: Float64Array;
  readonly meanAbs: Float64Array;
  readonly meanSquare: Float64Array;
  /** Numbers seen per channel. */
  readonly count: number;
}

export interface LayerRows {
  readonly rows: number;
  /** [rows, columns]; columns of a Conv run as [input channel, kernel positions], all groups, zeros where it is padded. */
  readonly inputs: Float32Array;
  readonly columns: number;
  /** [rows, width]: the node's own output, bias included. */
  readonly outputs: Float32Array;
  readonly width: number;
}

export interface ParameterGradient {
  /** Mean over the batches of the gradient of the mean loss. */
  readonly gradient: Float32Array;
  /** Mean over the batches of its absolute value; times |w| it is the first-order Taylor term of every element. */
  readonly meanAbs: Float32Array;
}

export interface TrialScore {
  /** Share of samples answered right; null without labels. */
  readonly accuracy: number | null;
  /** The same of the model that enters the step. */
  readonly baseAccuracy: number | null;
  /** Share of samples answered as that model answers; null where the output holds no scores. */
  readonly agreement: number | null;
  /** Signal to noise of the first output against that model's, in dB; Infinity where equal. */
  readonly sqnrDb: number;
}

/** What was gathered. Every question about something that was not asked for faults `no-data`. */
export interface Evidence {
  channel(axis: ChannelAxis): ChannelStatistics;
  rows(node: string): LayerRows;
  gradient(parameter: string): ParameterGradient;
  /**
   * |gradient x activation| per channel: summed over the positions of a sample, absolute, mean over the samples (Molchanov et
   * al. 2017, eq. 8, without the constant share of positions).
   */
  taylor(axis: ChannelAxis): Float64Array;
  trial(key: string): TrialScore;
}

const missing = (what: string): never => {
  throw new Fault('no-data', text('a preview has seen no samples', '미리보기는 샘플을 보지 못했습니다'), {
    where: what,
  });
};

/** Key of a channel axis. */
export const axisKey = (a: ChannelAxis): string => `${a.axis} ${a.value}`;

/** What was gathered, by key. */
export interface Gathered {
  readonly channels: ReadonlyMap<string, ChannelStatistics>;
  readonly rows: ReadonlyMap<string, LayerRows>;
  readonly gradients: ReadonlyMap<string, ParameterGradient>;
  readonly taylor: ReadonlyMap<string, Float64Array>;
  readonly trials: ReadonlyMap<string, TrialScore>;
}

export const evidenceFrom = (g: Gathered): Evidence => ({
  channel: (a) => g.channels.get(axisKey(a)) ?? missing(a.value),
  rows: (node) => g.rows.get(node) ?? missing(node),
  gradient: (parameter) => g.gradients.get(parameter) ?? missing(parameter),
  taylor: (a) => g.taylor.get(axisKey(a)) ?? missing(a.value),
  trial: (key) => g.trials.get(key) ?? missing(key),
});

/** What a preview has. */
export const noEvidence: Evidence = evidenceFrom({
  channels: new Map(),
  rows: new Map(),
  gradients: new Map(),
  taylor: new Map(),
  trials: new Map(),
});
