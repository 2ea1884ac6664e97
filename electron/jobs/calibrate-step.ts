/** Owns the calibration of a step in a job: training samples through the model, their activation ranges. */
import { calibrate } from '#shared/analysis/calibration.ts';
import type { Model } from '#shared/ir/model.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import type { Feeds } from '#shared/ports/runtime.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';
import type { CalibrationRequest, Ranges } from '#shared/techniques/declare.ts';
import { modelInput } from '#shared/training/model-input.ts';
import { preprocessBatch } from '#shared/training/preprocess.ts';
import type { WorkParts } from './work-parts.ts';

export interface StepData {
  readonly dataset: Dataset;
  readonly preprocess: Preprocess;
  /** The model as it entered the recipe: teaches where the data has no labels. */
  readonly original?: Model;
  /** Opens a teacher by what the recipe calls it; by default as a file. */
  readonly openTeacher?: (name: string) => Model;
}

/** Indices of at most `wanted` of `count` samples, spread evenly. */
export function spread(count: number, wanted: number): readonly number[] {
  const n = Math.min(count, wanted);
  return Array.from({ length: n }, (_, i) => Math.floor((i * count) / n));
}

/** Training samples as the model's input, in batches as it wants them; starts anew each time it is iterated. */
export function trainingFeeds(model: Model, { dataset, preprocess }: StepData, samples: number): AsyncIterable<Feeds> {
  const input = modelInput(model);
  const size = input.batch ?? 1;
  const indices = spread(dataset.info.counts.train, samples);
  return {
    async *[Symbol.asyncIterator]() {
      for (let from = 0; from < indices.length; from += size) {
        // A fixed batch is filled up with the last sample.
        const some = Array.from({ length: size }, (_, k) => indices[Math.min(from + k, indices.length - 1)] ?? 0);
        const read = await dataset.read('train', some);
        yield { [input.name]: preprocessBatch(read, dataset.info.sample, input, preprocess) };
      }
    },
  };
}

/** Ranges of the requested values over training samples. Faults: as `calibrate`; `does-not-fit` where data and input disagree. */
export const calibrateStep = (
  parts: WorkParts,
  data: StepData,
  model: Model,
  request: CalibrationRequest,
  progress: (share: number) => void,
): Promise<Ranges> =>
  calibrate(parts.runtime, model, request, trainingFeeds(model, data, request.samples), parts.cancel, progress);
