/** Owns trainModel: a training from opening to the trained model, in one phase or several. */
import { withValues } from '../autodiff/parameters.ts';
import { neverCancelled } from '../base/cancel.ts';
import type { Fault } from '../base/fault.ts';
import type { Model } from '../ir/model.ts';
import type { Session } from '../ports/runtime.ts';
import { openTraining } from './open-training.ts';
import type { Phase, TrainSettings } from './settings.ts';
import type { TrainParts } from './train-parts.ts';
import { type PhaseEnd, type Place, runPhase } from './train-phase.ts';
import type { Earlier, EpochReport, Values } from './train-state.ts';

export { rateAt, type TrainSettings } from './settings.ts';
export type { LiveLoss, TrainParts } from './train-parts.ts';
export type { EpochReport, TrainState } from './train-state.ts';

export interface Trained {
  readonly model: Model;
  /** Epoch whose weights these are; 0: none was better than the start. */
  readonly bestEpoch: number;
  readonly bestValidation: number | null;
  readonly curve: readonly EpochReport[];
  readonly cancelled: boolean;
  /** Set where the loss ran away after an epoch worth keeping: why it stopped. `model` is the best epoch before. */
  readonly diverged?: Fault;
  readonly samplesPerSecond: number;
  /** Parameters of the settings' penalty, as it listed them. */
  readonly own: readonly Float32Array[];
}

/** Values put back into the model in the forms in which they stand. */
const holding = (model: Model, values: Values): Model =>
  withValues(model, new Map(Object.entries(values).map(([name, t]) => [name, t.data as Float32Array])));

interface Ran {
  readonly end: PhaseEnd;
  readonly learnt: Values;
  readonly own: readonly Float32Array[];
  readonly batch: number;
}

/** Opens one phase, runs it, and lets its sessions go. */
async function onePhase(parts: TrainParts, place: Place): Promise<Ran> {
  const opened: Session[] = [];
  try {
    const training = await openTraining(parts, opened);
    const end = await runPhase(training, place);
    const { values } = end.state.best;
    const { graph, batch } = training;
    const learnt = Object.fromEntries(graph.learnt.flatMap((n) => (values[n] ? [[n, values[n]]] : [])));
    return { end, learnt, own: graph.own.map((n) => values[n]?.data as Float32Array), batch };
  } finally {
    for (const session of opened) await session.release();
  }
}

const nothing: Earlier = { phases: 0, epochs: 0, values: {}, bestEpoch: 0, seconds: 0, steps: 0 };
const phasesOf = (s: TrainSettings): readonly (Phase | undefined)[] =>
  s.phases === undefined || s.phases.length === 0 ? [undefined] : s.phases;

/**
 * Trains a model on the train split; the weights of the epoch that validated best (the start included) come back in the
 * model as it stands. Cancelling keeps the best so far, and so does a loss that runs away after an epoch worth keeping. Faults:
 * `no-data` (no labels and no teacher), `diverged`, `no-rule`, `does-not-fit`, `unsupported`, `runtime`.
 */
export async function trainModel(parts: TrainParts): Promise<Trained> {
  const phases = phasesOf(parts.settings);
  // A state of a later phase brings what the ones before have learnt.
  let earlier = parts.state?.earlier ?? nothing;
  let curve: readonly EpochReport[] = earlier.phases > 0 ? (parts.state?.curve ?? []) : [];
  for (;;) {
    const phase = phases[earlier.phases];
    const toCome = phases.slice(earlier.phases + 1).reduce((n, p) => n + (p?.epochs ?? 0), 0);
    const place = { ...(earlier.phases === 0 ? {} : { earlier }), curve, epochsToCome: toCome };
    const model = holding(parts.model, earlier.values);
    const settings = phase === undefined ? parts.settings : { ...parts.settings, ...phase };
    const { end, learnt, own, batch } = await onePhase({ ...parts, model, settings }, place);
    const { state, cancelled, diverged } = end;
    const { best } = state;
    const steps = earlier.steps + state.steps;
    earlier = {
      phases: earlier.phases + 1,
      epochs: earlier.epochs + state.epoch,
      values: { ...earlier.values, ...learnt },
      bestEpoch: best.epoch > 0 ? earlier.epochs + best.epoch : earlier.bestEpoch,
      seconds: earlier.seconds + state.seconds,
      steps,
    };
    curve = state.curve;
    const stops = cancelled || diverged !== undefined || (parts.cancel ?? neverCancelled).requested;
    if (!stops && earlier.phases < phases.length) continue;
    return {
      model: holding(parts.model, earlier.values),
      bestEpoch: earlier.bestEpoch,
      bestValidation: best.validation,
      curve,
      cancelled,
      ...(diverged === undefined ? {} : { diverged }),
      samplesPerSecond: earlier.seconds > 0 ? (steps * batch) / earlier.seconds : 0,
      own,
    };
  }
}
