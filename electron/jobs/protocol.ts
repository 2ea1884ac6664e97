/** Owns what the host and a job process say to each other. Plain data and typed arrays, cloned by the process channel. */
import type { FaultData } from '#shared/base/fault.ts';
import type { BrowserCheck } from '#shared/contract/browser-check.ts';
import type { CallOutput, DataLook, Job, JobResult, JobSpec } from '#shared/contract/calls.ts';
import type { WireTensor } from '#shared/contract/run-tensor.ts';
import type { Provider } from '#shared/contract/runtimes.ts';
import type { Preprocess } from '#shared/recipes/recipe.ts';

/** What one process does; afterwards it ends, and its memory with it. */
export type Task =
  | {
      readonly kind: 'job';
      readonly spec: JobSpec;
      /** Model id -> path of its file in the store. */
      readonly models: Readonly<Record<string, string>>;
      /** What the (first) model's card says of its input. */
      readonly preprocess?: Preprocess;
      /** Where a result model is to be written (a path in a folder made for it). */
      readonly out: string;
      readonly threads: number;
      /** Folder in which the job keeps how far it is, over crashes (a calibration also what it found); without one it starts anew. */
      readonly checkpoint?: string;
    }
  /** Opens a written file with the runtime and compares its outputs with the held model's. */
  | { readonly kind: 'verify'; readonly held: string; readonly written: string; readonly threads: number }
  /** Runs a model on given inputs, timed. */
  | {
      readonly kind: 'answer';
      readonly model: string;
      readonly feeds: readonly WireTensor[];
      readonly threads: number;
    }
  /** Packs a model file, to know what it takes; written to `out` where that is given. */
  | { readonly kind: 'pack'; readonly model: string; readonly out?: string; readonly threads: number }
  /** Tries every execution provider of the runtime. */
  | { readonly kind: 'runtimes'; readonly threads: number }
  /** Reads some of a data set and tries preprocessings on a model. */
  | { readonly kind: 'look'; readonly model: string; readonly data: string; readonly threads: number }
  /** Reads a few samples of a data set. */
  | {
      readonly kind: 'samples';
      readonly data: string;
      readonly seed: number;
      readonly count: number;
      readonly threads: number;
    };

export type ToWorker = { readonly kind: 'run'; readonly task: Task } | { readonly kind: 'cancel' };

export type Verified = {
  readonly after: NonNullable<JobResult['after']>;
  readonly maxAbsError: number;
  readonly loads: boolean;
  readonly browser: BrowserCheck | null;
};

/** How a task ended well. `wrote`: the result model stands at the task's `out`. */
export type Outcome =
  | { readonly kind: 'job'; readonly result: JobResult; readonly wrote: boolean }
  | { readonly kind: 'verify'; readonly verified: Verified }
  | { readonly kind: 'answer'; readonly answer: CallOutput<'answer'> }
  | { readonly kind: 'pack'; readonly packed: CallOutput<'packedSize'> }
  | { readonly kind: 'runtimes'; readonly providers: readonly Provider[] }
  | { readonly kind: 'look'; readonly look: DataLook }
  | { readonly kind: 'samples'; readonly samples: CallOutput<'someSamples'> };

export type FromWorker =
  | { readonly kind: 'progress'; readonly progress: Job['progress'] }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'curve'; readonly point: Job['curve'][number] }
  | { readonly kind: 'done'; readonly outcome: Outcome }
  /** `kept`, here and below: a training had a better epoch; its model stands at the task's `out`. */
  | { readonly kind: 'failed'; readonly fault: FaultData; readonly kept?: JobResult }
  | { readonly kind: 'cancelled'; readonly kept?: JobResult };

/** A running job process, whoever made it (fork, Electron's utility process, a test). */
export interface JobProcess {
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Once, when the process is gone. `words`: the last it wrote to its error stream. */
  onExit(listener: (exit: { code: number | null; signal: string | null; words: string }) => void): void;
  kill(): void;
}
export type Spawn = () => JobProcess;
