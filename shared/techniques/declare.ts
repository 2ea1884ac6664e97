/**
 * Owns what a technique is: one object from which the panel, the recipe step, the job, the search's moves, the command
 * line, the documentation and the tests are read. No technique runs a session or awaits: `run-step` drives it.
 */
import { type Evidence, type EvidenceRequest, noEvidence } from '../analysis/evidence.ts';
import type { InnerGraph } from '../analysis/inner-graphs.ts';
import type { CalibrationRequest, Range, Ranges } from '../analysis/ranges.ts';
import type { Field, Fields, FieldValues } from '../base/fields.ts';
import type { Said, Text } from '../base/text.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import type { TrainSettings } from '../training/settings.ts';
import type { TechniqueGroup } from './groups.ts';
import type { TargetRuntime } from './storage-target.ts';

/** How exact the preview of a step is before it has run (see the folder's README). */
export type Exactness = 'shape' | 'statistics' | 'training';

/** What a step needs beside the model; `run-step` brings it. */
export interface Needs {
  /** Activation ranges or histograms of values, from running samples through the model as it enters the step. */
  readonly calibration?: (c: StepContext) => CalibrationRequest | undefined;
  /**
   * What samples are to tell beside ranges, asked in rounds: called again with what the earlier rounds gathered until it gives
   * undefined. Round 0 tells a preview whether the step needs data.
   */
  readonly evidence?: (c: StepContext, round: number) => EvidenceRequest | undefined;
  /** Training data (labels, or the original model as teacher). */
  readonly training?: true | ((params: FieldValues) => boolean);
  /** Lowest ai.onnx opset that the result needs; the model is raised to it first, no further. */
  readonly opset?: (params: FieldValues) => number;
  /** The opset from which the result is smaller; the model is raised to it too, unless the recipe's target is lower. */
  readonly smallerFrom?: (params: FieldValues) => number | undefined;
}

export type { CalibrationRequest, Evidence, EvidenceRequest, Range, Ranges };

/** |w| of a tensor at shares 0, 1/n, ..., 1 of its sorted magnitudes. */
export interface MagnitudeSummary {
  readonly count: number;
  readonly zeros: number;
  readonly quantiles: readonly number[];
}
export type Summaries = Readonly<Record<string, MagnitudeSummary>>;

/** What a rule sees: the model as it enters the step, its facts, the selected nodes, the parameters. */
export interface StepContext {
  readonly model: Model;
  /** Facts of every value of the main graph. */
  readonly facts: ReadonlyMap<string, Facts>;
  /** Selected nodes of the main graph, in graph order. */
  readonly selected: readonly Node[];
  /** Selected nodes inside nodes, graph by graph, where the technique has a `rewriteInside`. */
  readonly inside?: readonly (Pick<InnerGraph, 'path' | 'graph' | 'facts'> & { readonly selected: readonly Node[] })[];
  /** Parsed by the technique's fields, defaults filled in. */
  readonly params: FieldValues;
  readonly seed: number;
  /** What the file is written for: which storage forms it may have. Left out: onnxruntime. */
  readonly runtime?: TargetRuntime;
  /** Ranges of the calibration that `needs` asked for. A thunk's business: throws `no-data` in a preview. */
  readonly ranges: Ranges;
  /** Names of the data set's classes, where it is at hand; not in a preview. */
  readonly classes?: readonly string[];
  /** What was gathered, one entry a round of `needs.evidence`; none in a preview. Read through `evidenceOf`. */
  readonly evidence?: readonly Evidence[];
  /**
   * Magnitudes of the weights by initializer name, where the values themselves are not here (the screen). A technique whose
   * exactness is `statistics` estimates from them; without them it reads the weights.
   */
  readonly summaries?: Summaries;
}

/** Whether a step of this technique trains. */
export const trainsWith = ({ needs }: Technique, params: FieldValues): boolean =>
  typeof needs.training === 'function' ? needs.training(params) : needs.training === true;

/** What a round of `needs.evidence` gathered. Asking it faults `no-data` in a preview: a thunk's business. */
export const evidenceOf = (c: Pick<StepContext, 'evidence'>, round = 0): Evidence => c.evidence?.[round] ?? noEvidence;

/** What became of one selected node. */
export type Taken =
  | { readonly id: string; readonly taken: true; readonly what: string }
  | { readonly id: string; readonly taken: false; readonly reason: Said };

export interface Rewrite {
  readonly model: Model;
  /** One entry per selected node that is a candidate; nodes the technique has nothing to do with are left out. */
  readonly layers: readonly Taken[];
  /** Sentences a person should read (a limit reached, a saving on paper only). */
  readonly notes: readonly Text[];
  /** Sentences that only the computed weights can tell (an error of approximation); asked once the step has run. */
  readonly findings?: () => readonly Text[];
}

/** Whether the technique takes this node, and if not, why. */
export type Fit = { readonly fits: true } | { readonly fits: false; readonly reason: Text };

/** A promise is a law that tests check on every technique x model, and run-step after each real step. */
export type TechniquePromise =
  | 'same-io' // graph inputs and outputs keep names and types
  | 'other-classes' // inputs keep names and types, outputs all but the size of one dimension
  | 'fewer-parameters'
  | 'fewer-macs'
  | 'smaller-file'
  | 'same-parameters'
  | 'same-macs'
  | 'function-preserved';

export interface TechniqueCase {
  readonly params: FieldValues;
}

export interface Citation {
  readonly title: string;
  readonly authors: string;
  readonly year: number;
  readonly where: string;
}

export interface Technique {
  /** kebab-case; the recipe's `technique`. */
  readonly id: string;
  /** The family under which its card stands. */
  readonly group: TechniqueGroup;
  /** What it computes, as one writes it; left out where it computes nothing (clean-up). */
  readonly formula?: string;
  readonly version: number;
  readonly title: Text;
  readonly summary: Text;
  readonly cites: readonly Citation[];
  readonly params: Fields;
  /** Checks between fields (ratio or count, not both). Returns the complaint. */
  readonly validate?: (params: FieldValues) => Text | undefined;
  readonly exactness: (params: FieldValues) => Exactness;
  readonly needs: Needs;
  readonly fits: (node: Node, c: Omit<StepContext, 'selected' | 'params'>) => Fit;
  /** The new model. Pure, synchronous, lazy in weights. Never throws for a layer it cannot take: says so in `layers`. */
  readonly rewrite: (c: StepContext) => Rewrite;
  /**
   * The same for a graph inside a node (a branch of If): `model.graph` is that graph, its outputs and what it reads from around
   * stay. Nothing inside can be observed by running samples. Left out: inner nodes are beyond the technique.
   */
  readonly rewriteInside?: (c: StepContext) => Rewrite;
  /** Set where the step trains (undefined: not with these parameters): the values are then learnt by `training/`, after rewrite. */
  readonly train?: (c: StepContext) => TrainRequest | undefined;
  /**
   * The form that is trained, where that is not what `rewrite` gives (latent float weights): `bake` then gives the stored form,
   * in which nodes and sizes are those of `rewrite`.
   */
  readonly latent?: (c: StepContext) => Model;
  /** After the training: the form in which what was learnt is stored. Pure, lazy in weights. `own`: see `Penalty`. */
  readonly bake?: (trained: Model, c: StepContext, own: readonly Float32Array[]) => Model;
  /** The parameter that a slider on the card moves, and that a search may turn. */
  readonly knobs: readonly string[];
  readonly promises: readonly TechniquePromise[];
  /**
   * Parameter sets that the law tests try on every small net; the first also on every file of the corpus. Left-out
   * parameters are the defaults.
   */
  readonly cases: readonly TechniqueCase[];
  /** How the saving shows, or does not, at run time: read on the card. */
  readonly explain: (params: FieldValues) => Text;
  /**
   * What this saves on paper only: in the file, not in the kernels that run it (zeros in a dense kernel, one-bit weights in a
   * float kernel). Left out, or undefined: nothing. Labelled so in the figures strip.
   */
  readonly onPaper?: (params: FieldValues) => Text | undefined;
  /** From version k to k + 1, for recipes saved by older ones. */
  readonly migrations: readonly ((params: FieldValues) => FieldValues)[];
}

/** What `training/` is asked for by a step. */
export interface TrainRequest extends TrainSettings {
  /** Ids of the nodes that learn; the others stay as they are. */
  readonly layers: readonly string[];
}

export type { Field };
