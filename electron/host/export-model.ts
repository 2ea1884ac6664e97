/** Owns export: the held file written out, opened again by the runtime in a process of its own, and only then handed over. */
import { readFile } from 'node:fs/promises';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { CallOutput } from '#shared/contract/calls.ts';
import type { Spawn, Verified } from '../jobs/protocol.ts';
import { runToEnd } from '../jobs/run-process.ts';
import { openModelFile, saveModelFile } from './model-files.ts';
import type { Held, ModelStore } from './model-store.ts';

export interface ExportRequest {
  readonly held: Held;
  readonly name: string;
  readonly store: ModelStore;
  readonly spawn: Spawn;
  readonly threads: number;
  readonly dialogs?: { save(name: string): Promise<string | null> };
}

/** The most that a page is handed as one download. */
const maxDownload = 2 ** 30;

async function verify(request: ExportRequest, written: string): Promise<Verified> {
  const { held, spawn, threads } = request;
  return (await runToEnd(spawn, { kind: 'verify', held: held.path, written, threads })).verified;
}

/**
 * With dialogs: asks where, writes there atomically, verifies what stands there. Without: verifies a copy and returns its bytes.
 * Cancelling the dialog returns neither a path nor bytes. Faults: `runtime`, `crashed` from the check; file faults.
 */
export async function exportModel(request: ExportRequest): Promise<CallOutput<'exportModel'>> {
  const { held, store, dialogs } = request;
  const name = /\.onnx$/i.test(request.name) ? request.name : `${request.name}.onnx`;
  const model = await openModelFile(held.path);
  if (dialogs !== undefined) {
    const saved = await dialogs.save(name);
    if (saved === null) return { saved, bytes: null, verified: await verify(request, held.path) };
    await saveModelFile(model, saved);
    return { saved, bytes: null, verified: await verify(request, saved) };
  }
  if (held.fileBytes > maxDownload)
    throw new Fault(
      'unsupported',
      text('the model is too large for a download', '모델이 너무 커서 내려받을 수 없습니다'),
      {
        hint: text(
          'Use the command line: bantam apply MODEL --recipe R -o OUT.',
          '명령줄을 쓰세요: bantam apply MODEL --recipe R -o OUT.',
        ),
      },
    );
  const draft = await store.draft();
  try {
    await saveModelFile(model, draft.path);
    const verified = await verify(request, draft.path);
    return { saved: null, bytes: new Uint8Array(await readFile(draft.path)), verified };
  } finally {
    await store.drop(draft.folder);
  }
}
