/** Owns a held model as one piece of bytes, external data inside: what the runtime in the page is handed. */
import { readFile } from 'node:fs/promises';
import { Fault } from '#shared/base/fault.ts';
import { embedded } from '#shared/onnx/embedded.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { openModelFile } from './model-files.ts';
import type { Held } from './model-store.ts';

/** WebAssembly holds the file and the session beside it. */
const largest = 256 * 2 ** 20;

/** Faults: `unsupported` above 256 MB; file faults. */
export async function wholeBytes(held: Held): Promise<Uint8Array> {
  if (held.fileBytes > largest)
    throw new Fault('unsupported', 'the model is too large to run inside the page', {
      where: held.name,
      hint: 'At most 256 MB; the native runtime still measures it.',
    });
  const model = await openModelFile(held.path);
  const whole = embedded(model);
  return whole === model ? Uint8Array.from(await readFile(held.path)) : writeModel(whole);
}
