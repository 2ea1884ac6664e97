/** Owns the course of an export: run the recipe if its result is not there yet, write, check, hand over. */
import { Fault, type KoreanFault } from '#shared/base/fault.ts';
import type { CallOutput, Host, Job } from '#shared/contract/calls.ts';
import type { Recipe } from '#shared/recipes/recipe.ts';
import { download } from '../../ui/download.ts';

export type Exported = Omit<CallOutput<'exportModel'>, 'bytes'> & { readonly downloaded: boolean };

/** Resolves with the job's end; rejects with its fault. */
export function ended(host: Host, id: string): Promise<Job> {
  return new Promise((resolve, reject) => {
    const settle = (job: Job): void => {
      if (job.id !== id || job.state === 'running' || job.state === 'waiting') return;
      stop();
      if (job.state === 'done') resolve(job);
      else if (job.fault !== undefined)
        reject(new Fault(job.fault.code as Fault['code'], job.fault.message, without(job.fault)));
      else resolve(job);
    };
    const stop = host.onJob(settle);
    // it may have ended before anyone listened
    host.call('jobs', {}).then((jobs) => jobs.forEach(settle), reject);
  });
}

const without = (
  f: NonNullable<Job['fault']>,
): { where?: string; hint?: string; korean?: KoreanFault | undefined } => ({
  korean: f.korean,
  ...(f.where === undefined ? {} : { where: f.where }),
  ...(f.hint === undefined ? {} : { hint: f.hint }),
});

export interface Archived {
  readonly name: string;
  readonly saved: string | null;
  readonly downloaded: boolean;
  readonly fileBytes: number;
  readonly archiveBytes: number;
}

/** Writes a held model as an archive that `unpack` gives back bit for bit. */
export async function writeArchive(host: Host, modelId: string, name: string): Promise<Archived> {
  const file = `${name.replace(/\.(onnx|pack)$/i, '')}.pack`;
  const { bytes, ...more } = await host.call('exportArchive', { modelId, name: file });
  if (bytes !== null) download(file, new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }));
  return { name: file, downloaded: bytes !== null, ...more };
}

const fileName = (name: string): string => (/\.onnx$/i.test(name) ? name : `${name}.onnx`);

/** Writes a held model; in the browser it comes as a download. */
export async function writeOut(host: Host, modelId: string, name: string, recipe: Recipe | null): Promise<Exported> {
  const { saved, bytes, verified } = await host.call('exportModel', { modelId, name: fileName(name) });
  if (bytes !== null) download(fileName(name), new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }));
  if (recipe !== null && (bytes !== null || saved !== null))
    download(
      `${name.replace(/\.onnx$/i, '')}.recipe.json`,
      new Blob([`${JSON.stringify(recipe, null, 2)}\n`], { type: 'application/json' }),
    );
  return { saved, verified, downloaded: bytes !== null };
}
