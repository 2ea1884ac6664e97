/**
 * Owns the folder in which a reproduction keeps its trained models, so that one that was broken off goes on where it stood, and
 * more seeds cost only their own trainings.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { Model } from '#shared/ir/model.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { clock } from '../../jobs/work-parts.ts';
import { version } from '../places.ts';

export interface KeptModel {
  readonly model: Model;
  /** That its training took, when it ran. */
  readonly seconds: number;
  /** Of everything that went into it: part of the settings of what is made from it. */
  readonly key: string;
}

/** Gives the model of this name and these settings: from the folder where it stands there, else made and kept. */
export type KeepModel = (name: string, settings: unknown, make: () => Promise<Model>) => Promise<KeptModel>;

const noteSchema = z.object({ key: z.string(), seconds: z.number() });

function noteOf(path: string): z.infer<typeof noteSchema> | undefined {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined; // not there, or not whole: as if it had not run
  }
}

/** Without a folder nothing is kept. Names are file names. A model comes back from its file's bytes either way. */
export function keepModels(folder: string | undefined, runtime: string): KeepModel {
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  return async (name, settings, make) => {
    const text = JSON.stringify({ version: version(), runtime, settings });
    const key = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const at = (ending: string): string => join(folder ?? '', `${name}.${ending}`);
    const note = folder === undefined ? undefined : noteOf(at('json'));
    if (note?.key === key && existsSync(at('onnx')))
      return { model: readModel(new Uint8Array(readFileSync(at('onnx')))), seconds: note.seconds, key };
    const started = clock.now();
    const bytes = writeModel(await make());
    const seconds = (clock.now() - started) / 1000;
    if (folder !== undefined) {
      // The note last: a model without one is made again.
      await writeFileAtomic(at('onnx'), Buffer.from(bytes));
      await writeFileAtomic(at('json'), JSON.stringify({ key, seconds, settings }));
    }
    return { model: readModel(bytes), seconds, key };
  };
}
