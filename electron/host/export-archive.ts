/** Owns export as an archive: packed in a process of its own, which unpacks it again and compares before it is handed over. */
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallOutput } from '#shared/contract/calls.ts';
import { runToEnd } from '../jobs/run-process.ts';
import type { ExportRequest } from './export-model.ts';

/**
 * Cancelling the dialog gives neither a path nor bytes. Faults: `unsupported` where the weights lie in another file; `internal` where
 * the archive does not give the file back; `crashed`.
 */
export async function exportArchive(request: ExportRequest): Promise<CallOutput<'exportArchive'>> {
  const { held, store, dialogs, spawn, threads } = request;
  const name = /\.pack$/i.test(request.name) ? request.name : `${request.name}.pack`;
  const draft = await store.draft();
  try {
    const out = join(draft.folder, 'model.pack');
    const { packed } = await runToEnd(spawn, { kind: 'pack', model: held.path, out, threads });
    const sizes = { fileBytes: packed.fileBytes, archiveBytes: packed.archiveBytes };
    if (dialogs === undefined) return { saved: null, bytes: new Uint8Array(await readFile(out)), ...sizes };
    const saved = await dialogs.save(name);
    if (saved !== null) await copyFile(out, saved);
    return { saved, bytes: null, ...sizes };
  } finally {
    await store.drop(draft.folder);
  }
}
