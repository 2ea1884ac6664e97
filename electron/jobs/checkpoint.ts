/**
 * Owns how far a job is, on disk: the model after the last finished step, and the training that is under way. Written whole or
 * not at all, so that a job killed at any moment goes on from what was last written.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { Job } from '#shared/contract/calls.ts';
import type { Model } from '#shared/ir/model.ts';
import type { RecipeJournal, RecipeOutcome } from '#shared/recipes/run-recipe.ts';
import type { TrainState } from '#shared/training/train-state.ts';
import { openModelFile, saveModelFile } from '../host/model-files.ts';
import { packState, unpackState } from './pack-state.ts';

type Curve = Job['curve'];

export interface Checkpoint extends RecipeJournal {
  /** Points of the steps that are done. */
  readonly curve: Curve;
  /** A point of the step under way; kept with the step. */
  point(point: Curve[number]): void;
  /** The step that began last, from 0. */
  step(): number;
  /** The training of the step that began last, where it was broken off. */
  training(): TrainState | undefined;
  /** Keeps the state where the last one kept is old enough. */
  keepTraining(state: TrainState): Promise<void>;
}

/** What stands in progress.json. Ids are kept apart: a file holds names only. */
interface Progress {
  readonly key: string;
  /** Folder of the model after the last step. */
  readonly after: string;
  readonly ids: readonly string[];
  readonly steps: RecipeOutcome['steps'];
  readonly curve: Curve;
}

/** Steps faster than this are run again rather than written down. */
const worthKeepingMs = 300;
/** Between two states of one training. */
const everyMs = 2000;

const modelFile = 'model.onnx';

const withIds = (model: Model, ids: readonly string[]): Model => ({
  ...model,
  graph: { ...model.graph, nodes: model.graph.nodes.map((n, i) => ({ ...n, id: ids[i] ?? n.id })) },
});

function read<T>(path: string, of: (bytes: Buffer) => T): T | undefined {
  try {
    return existsSync(path) ? of(readFileSync(path)) : undefined;
  } catch {
    return undefined; // not whole, or of another version: as if it were not there
  }
}

/** What tells one piece of work from another. */
export const workKey = (work: unknown): string => createHash('sha256').update(JSON.stringify(work)).digest('hex');

/** Opens the checkpoint in `folder`; what belongs to another `key` is passed over. */
export function openCheckpoint(folder: string, key: string, now: () => number = Date.now): Checkpoint {
  mkdirSync(folder, { recursive: true });
  const progressPath = join(folder, 'progress.json');
  const trainingPath = join(folder, 'training.bin');
  const found = read(progressPath, (b) => JSON.parse(b.toString('utf8')) as Progress);
  const progress = found?.key === key ? found : undefined;
  const path = join(folder, progress?.after ?? '', modelFile);
  const model = read(path, () => openModelFile(path));
  const before = progress === undefined || model === undefined ? undefined : progress;
  const done =
    before === undefined || model === undefined
      ? undefined
      : { model: withIds(model, before.ids), steps: before.steps };
  const finished = before?.curve ?? [];
  let curve: Curve = finished;
  let after = before?.after;
  let step = 0;
  let began = now();
  let kept = Number.NEGATIVE_INFINITY;
  return {
    ...(done === undefined ? {} : { done }),
    curve: finished,
    point: (point) => {
      curve = [...curve, point];
    },
    begin: (k) => {
      step = k;
      began = now();
      kept = Number.NEGATIVE_INFINITY;
    },
    step: () => step,
    training: () => {
      const held = read(trainingPath, unpackState);
      return held?.key === key && held.step === step ? held.state : undefined;
    },
    keepTraining: async (state) => {
      if (now() - kept < everyMs) return;
      await writeFileAtomic(trainingPath, packState({ key, step, state }));
      kept = now();
    },
    finished: async (outcome) => {
      if (now() - began < worthKeepingMs && kept === Number.NEGATIVE_INFINITY) return;
      const next = `after-${outcome.steps.length}`;
      mkdirSync(join(folder, next), { recursive: true });
      await saveModelFile(outcome.model, join(folder, next, modelFile));
      const ids = outcome.model.graph.nodes.map((n) => n.id);
      const line: Progress = { key, after: next, ids, steps: outcome.steps, curve };
      await writeFileAtomic(progressPath, JSON.stringify(line));
      // Only now is the older one not needed any more.
      rmSync(trainingPath, { force: true });
      if (after !== undefined && after !== next) rmSync(join(folder, after), { recursive: true, force: true });
      after = next;
    },
  };
}
