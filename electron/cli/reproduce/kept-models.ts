/**
 * Owns the folder in which a reproduction keeps its trained models, so that one that was broken off goes on where it stood, and
 * more seeds cost only their own trainings.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { Model } from '#shared/ir/model.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { type Checkpoint, openCheckpoint, workKey } from '../../jobs/checkpoint.ts';
import { version } from '../places.ts';

export interface KeptModel {
  readonly model: Model;
  /** That its training took, when it ran, pauses left out. */
  readonly seconds: number;
  /** Of everything that went into it: part of the settings of what is made from it. */
  readonly key: string;
}

export type Make = (checkpoint: Checkpoint | undefined) => Promise<Pick<KeptModel, 'model' | 'seconds'>>;

/**
 * Gives the model of this name and these settings: from the folder where it stands there, else made and kept. `make` goes on from
 * the checkpoint where it was broken off.
 */
export type KeepModel = (name: string, settings: unknown, make: Make) => Promise<KeptModel>;

const noteSchema = z.object({ key: z.string(), seconds: z.number() });

function noteOf(path: string): z.infer<typeof noteSchema> | undefined {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined; // not there, or not whole: as if it had not run
  }
}

/** Without a folder models are kept while this runs. Names are file names. A model comes back from its file's bytes either way. */
export function keepModels(folder: string | undefined, runtime: string): KeepModel {
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  // What several kinds start from is trained once, with a folder or without.
  const held = new Map<string, KeptModel>();
  return async (name, settings, make) => {
    const key = workKey({ version: version(), runtime, settings }).slice(0, 16);
    const known = folder === undefined ? held.get(`${name} ${key}`) : undefined;
    if (known !== undefined) return known;
    // Models of one name that were made otherwise stand beside each other.
    const at = (ending: string): string => join(folder ?? '', `${name}-${key.slice(0, 8)}.${ending}`);
    const note = folder === undefined ? undefined : noteOf(at('json'));
    if (note?.key === key && existsSync(at('onnx')))
      return { model: readModel(new Uint8Array(readFileSync(at('onnx')))), seconds: note.seconds, key };
    const partial = at('partial');
    const made = await make(folder === undefined ? undefined : openCheckpoint(partial, key));
    const bytes = writeModel(made.model);
    if (folder !== undefined) {
      // The note last: a model without one is made again.
      await writeFileAtomic(at('onnx'), Buffer.from(bytes));
      await writeFileAtomic(at('json'), JSON.stringify({ key, seconds: made.seconds, settings }));
      rmSync(partial, { recursive: true, force: true });
    }
    const model = { model: readModel(bytes), seconds: made.seconds, key };
    if (folder === undefined) held.set(`${name} ${key}`, model);
    return model;
  };
}
