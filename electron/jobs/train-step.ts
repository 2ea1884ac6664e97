/** Owns the training of a step in a job: the training loop over the job's data, its curve and progress. */
import type { Model } from '#shared/ir/model.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';
import type { TrainRequest } from '#shared/techniques/declare.ts';
import { trainModel } from '#shared/training/train-model.ts';
import { clock, type WorkParts } from './work-parts.ts';

export interface TrainData {
  readonly dataset: Dataset;
  readonly preprocess: Preprocess;
  /** Teaches where the data has no labels. */
  readonly original?: Model;
}

/** The trained model; a cancelled training gives its best epoch so far. */
export async function trainStep(
  parts: WorkParts,
  data: TrainData,
  model: Model,
  request: TrainRequest,
  seed: number,
  progress: (share: number) => void,
): Promise<Model> {
  const { runtime, cancel, report } = parts;
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
    onProgress: progress,
    onEpoch: (e) => report.curve({ epoch: e.epoch, loss: e.loss, validation: e.validation }),
  });
  const share = trained.bestValidation === null ? 'no' : `${(trained.bestValidation * 100).toFixed(2)} %`;
  report.log(
    `trained ${trained.curve.length} epochs at ${Math.round(trained.samplesPerSecond)} samples/s; epoch ${trained.bestEpoch} kept, validation ${share}`,
  );
  return trained.model;
}
