/** Owns the state of a training between two epochs: all that a resumed one needs to end bit-equal to an unbroken one. */
import type { TrainingGraph } from '../autodiff/training-graph.ts';
import type { RunTensor } from '../ports/runtime.ts';

export type Values = Readonly<Record<string, RunTensor>>;

export interface EpochReport {
  /** From 1; over all phases. */
  readonly epoch: number;
  /** Mean training loss of the epoch. */
  readonly loss: number;
  /** Share of validation samples answered right (without labels: as the teacher answers them); null where none can be told. */
  readonly validation: number | null;
  /** Loss on validation, without penalties. */
  readonly validationLoss: number | null;
  /** Learning rate at the end of the epoch. */
  readonly rate: number;
  readonly secondsLeft: number | null;
}

/** How good weights are on validation. */
export interface Judged {
  readonly validation: number | null;
  readonly validationLoss: number | null;
}

export interface Best extends Judged {
  readonly epoch: number;
  readonly values: Values;
}

/** What the phases before the one under way have left. */
export interface Earlier {
  /** How many. */
  readonly phases: number;
  /** Epochs that they ran. */
  readonly epochs: number;
  /** What they learnt, by the names of the stored tensors. */
  readonly values: Values;
  /** The epoch whose weights they left, over all phases; 0: the start's. */
  readonly bestEpoch: number;
  readonly seconds: number;
  readonly steps: number;
}

export interface TrainState {
  /** Set where phases went before; epochs, steps and seconds of the state are those of the phase alone. */
  readonly earlier?: Earlier;
  /** Epochs done. */
  readonly epoch: number;
  readonly steps: number;
  /** Carried tensors and fed masks by input name. */
  readonly values: Values;
  readonly best: Best;
  readonly start: Judged;
  /** Best accuracy so far (the start's too), and the epoch that last was better than all before. */
  readonly top: number;
  readonly topEpoch: number;
  /** Loss of the first steps: what a rising loss is held against. */
  readonly firstLoss: number | null;
  /** Of all phases. */
  readonly curve: readonly EpochReport[];
  readonly seconds: number;
}

const tensor = (dims: readonly number[], data: Float32Array): RunTensor => ({ type: 'float', dims, data });

/** Values before the first step. */
export const initialValues = (graph: TrainingGraph): Values =>
  Object.fromEntries([
    ...graph.carried.map((c) => [c.input, tensor(c.dims, c.initial)] as const),
    ...graph.masks.map((m) => [m.input, tensor(m.dims, m.initial)] as const),
  ]);

/** Whether a state that was kept belongs to this graph: the same tensors of the same dimensions. */
export function fits(state: TrainState, graph: TrainingGraph): boolean {
  const wanted = initialValues(graph);
  const names = Object.keys(wanted);
  return (
    names.length === Object.keys(state.values).length &&
    names.every((n) => String(state.values[n]?.dims) === String(wanted[n]?.dims))
  );
}
