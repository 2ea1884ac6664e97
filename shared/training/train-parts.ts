/** Owns what a training is given: model, data, settings, and whoever listens. */
import type { Cancel } from '../base/cancel.ts';
import type { Model } from '../ir/model.ts';
import type { Clock } from '../ports/clock.ts';
import type { Dataset } from '../ports/dataset.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { Preprocess } from './preprocess-schema.ts';
import type { TrainSettings } from './settings.ts';
import type { EpochReport, TrainState } from './train-state.ts';

export interface TrainParts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly model: Model;
  readonly dataset: Dataset;
  readonly preprocess?: Preprocess;
  readonly settings: TrainSettings;
  readonly seed: number;
  /** The original: teaches where the settings say so, and where the data has no labels. */
  readonly teacher?: Model;
  /** Opens a teacher that the settings name by its file. */
  readonly openTeacher?: (path: string) => Model;
  readonly batchStatistics?: boolean;
  readonly cancel?: Cancel;
  /** Where a broken training goes on; ignored where it belongs to another one. */
  readonly state?: TrainState;
  /** Awaited after every epoch. */
  readonly onState?: (state: TrainState) => Promise<void>;
  readonly onEpoch?: (report: EpochReport) => void;
  /** Share of the whole training, and where it stands: after every step. */
  readonly onProgress?: (share: number, live: LiveLoss) => void;
}

export interface LiveLoss {
  /** From 1; over all phases. */
  readonly epoch: number;
  /** Of all phases. */
  readonly epochs: number;
  /** Smoothed over the last steps. */
  readonly loss: number;
  readonly rate: number;
}
