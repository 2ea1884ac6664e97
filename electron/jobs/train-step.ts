/** Owns the training of a step in a job: the training loop over the job's data, its curve and progress. */
import { Cancelled } from '#shared/base/cancel.ts';
import { Fault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import type { TrainRequest } from '#shared/techniques/declare.ts';
import type { Learnt } from '#shared/techniques/run-step.ts';
import { type EpochReport, trainModel } from '#shared/training/train-model.ts';
import { openModelFile } from '../host/model-files.ts';
import type { StepData } from './calibrate-step.ts';
import type { Checkpoint } from './checkpoint.ts';
import { clock, type WorkParts } from './work-parts.ts';

/** Cancelled in a training that had a better epoch: its model is worth keeping. */
export class StoppedTraining extends Cancelled {
  readonly model: Model;
  constructor(model: Model) {
    super();
    this.model = model;
  }
}

/** A loss that ran away after an epoch worth keeping. */
export class DivergedTraining extends Fault {
  readonly model: Model;
  constructor(why: Fault, model: Model) {
    super(why.code, why.message, why.toData());
    this.model = model;
  }
}

/** The trained model. Throws StoppedTraining or DivergedTraining where an epoch before is worth keeping; faults of `trainModel`. */
export async function trainStep(
  parts: WorkParts,
  data: StepData,
  model: Model,
  request: TrainRequest,
  seed: number,
  progress: (share: number) => void,
  checkpoint?: Checkpoint,
): Promise<Learnt> {
  const { runtime, cancel, report } = parts;
  const point = (e: EpochReport): void => {
    const { secondsLeft: _, ...told } = e;
    const own = { ...told, ...(checkpoint === undefined ? {} : { step: checkpoint.step() }) };
    checkpoint?.point(own);
    report.curve(own);
  };
  const state = checkpoint?.training();
  if (state !== undefined) report.log(`training goes on after epoch ${state.epoch}`);
  for (const e of state?.curve ?? []) point(e);
  const trained = await trainModel({
    runtime,
    clock,
    model,
    dataset: data.dataset,
    preprocess: data.preprocess,
    settings: request,
    seed,
    cancel,
    ...(data.original === undefined ? {} : { teacher: data.original }),
    openTeacher: data.openTeacher ?? openModelFile,
    ...(state === undefined ? {} : { state }),
    ...(checkpoint === undefined ? {} : { onState: (s) => checkpoint.keepTraining(s) }),
    onProgress: (share, live) => {
      report.training(live);
      progress(share);
    },
    onEpoch: point,
  });
  report.training(undefined);
  const { labelled } = data.dataset.info;
  const share = trained.bestValidation === null ? 'none' : `${(trained.bestValidation * 100).toFixed(2)} %`;
  const judged = labelled ? 'validation' : 'agreement with the original on validation';
  report.log(
    `trained ${trained.curve.length} epochs at ${Math.round(trained.samplesPerSecond)} samples/s; epoch ${trained.bestEpoch} kept, ${judged} ${share}`,
  );
  if (trained.diverged !== undefined) throw new DivergedTraining(trained.diverged, trained.model);
  if (trained.cancelled && trained.bestEpoch > 0) throw new StoppedTraining(trained.model);
  const { bestEpoch, bestValidation: validation, samplesPerSecond } = trained;
  return { ...trained, training: { epochs: trained.curve.length, bestEpoch, validation, samplesPerSecond } };
}
