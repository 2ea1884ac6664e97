/** Owns what a technique may add to the loss: a penalty of the parameters, with parameters of its own that learn beside. */
import type { Emitter } from './backward.ts';
import type { Parameter } from './parameters.ts';

/** A parameter of the penalty itself (means of a mixture, say): learnt beside the weights, never written to the model. */
export interface OwnParameter {
  /** Fresh (`emitter.fresh`): the name under which what was emitted reads it. */
  readonly name: string;
  readonly dims: readonly number[];
  readonly initial: Float32Array;
  /** Name of the loss's gradient by it, of its shape. */
  readonly gradient: string;
  /** Factor on the learning rate; 1 by default. */
  readonly rateScale?: number;
}

export interface PenaltyTerms {
  /** Scalar, added to the loss. */
  readonly loss: string;
  /** Parameter name -> gradient of the penalty by it, added to that of the loss. Parameters left out are not penalised. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Stay in this order in what the training gives back. */
  readonly own?: readonly OwnParameter[];
}

/**
 * Emits a penalty. Reads parameters by name (`parameters[k].name` is the value's name) and `share`, a scalar: the share of the
 * training that is done, 0 to 1. Pure beside what it emits.
 */
export type Penalty = (emitter: Emitter, parameters: readonly Parameter[], share: string) => PenaltyTerms;
